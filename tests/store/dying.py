"""Kills a verb for real: one process that has read everything forks a child for each point, which ends by SIGKILL.

A point is a call of something that may write: a statement of DuckDB or SQLite, a file that is renamed, removed, written
or brought to the disk. The child counts them and dies before the n-th. `python dying.py SCENARIO FOLDER EVERY MOST`
tries every EVERY-th point, MOST of them evenly chosen, and prints a line of JSON for each: where it died, what is there then, and after the same once more.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kept as workspaces
from killing import counting, in_child

from icx.clock import ManualClock
from icx.errors import IcxError
from icx.store import Store, backups, forgotten, migrate, restoring, wiping
from icx.workspace import Workspace, erasing, held, keeping

LOADED = (backups, forgotten, restoring, wiping, erasing, held, keeping)  # imported before the first fork


NOBODY = wiping.Pattern("nobody", "nobody")


def opened(folder: Path) -> Workspace:
    return Workspace(folder, clock=ManualClock(workspaces.NOON), who="maya")


@dataclass(frozen=True)
class Scenario:
    """What is there before, what is done and cut off, and what is looked at then."""

    prepare: Callable[[Path], None]
    act: Callable[[Path], Any]
    look: Callable[[Path], Any]


# --- what is done -----------------------------------------------------------------------------------------------------


def prepare(folder: Path) -> None:
    with workspaces.made(folder) as ws:
        workspaces.said_no(ws, 7)
        ws.backup(folder / "usb" / "all.zip")
        workspaces.said_no(ws, 8)
        with ws.store.open("acme") as con:
            con.execute("delete from icontact_users where id = 1")


def look(folder: Path) -> dict[str, Any]:
    with opened(folder) as ws:
        found = {"contacts": workspaces.contacts(ws), "facts": workspaces.facts(ws)}
        with ws.store.open() as con:
            found["unread"] = restoring.unread(con, "acme") is not None
        return found | {"plan": ws.plan_journal.get("P-1").state, "left": left_over(folder)}


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".*") if path.name.startswith((".icx", ".restoring")))


def restore(folder: Path) -> None:
    with opened(folder) as ws:
        ws.restore(folder / "usb" / "all.zip", yes=True)


def backup(folder: Path) -> None:
    with opened(folder) as ws:
        try:
            ws.backup(folder / "disk" / "new.zip")
        except IcxError as error:
            if error.code != "backup-there":
                raise


def backed_up(folder: Path) -> dict[str, Any]:
    path = folder / "disk" / "new.zip"
    if path.exists():
        backups.check(backups.read(path))
    return look(folder) | {"there": path.exists()}


def vacuum(folder: Path) -> None:
    with opened(folder) as ws:
        ws.vacuum()


def to_erase(folder: Path) -> None:
    with workspaces.made(folder) as ws:
        ws.layout.reports.mkdir()
        (ws.layout.reports / "page.html").write_text("jo@example.com ada@example.com")
        ws.backup()


def erase(folder: Path) -> None:
    with opened(folder) as ws:
        shown = ws.erase("jo@example.com")
        if shown.count or shown.backups:
            ws.erase("jo@example.com", confirm=shown.count, backups="rewrite")


def erased(folder: Path) -> dict[str, Any]:
    with opened(folder) as ws:
        shown = ws.erase("jo@example.com")
        known = ws.accounts.erased()
        return {
            "contacts": workspaces.contacts(ws),
            "held": shown.count + sum(shown.backups.values()),
            "known": bool(known and known.names(1, 2, {"email": "jo@example.com"})),
            "page": "ada@example.com" in (ws.layout.reports / "page.html").read_text(),
            "rows": ws.plan_journal.rows("P-1").num_rows,
        }


def upgrade(folder: Path) -> None:
    scripts = folder / "migrations"
    if not scripts.exists():
        shutil.copytree(str(migrate.MIGRATIONS), scripts)
        (scripts / "connection-0102-colour.sql").write_text("alter table lists add column colour varchar;")
        (scripts / "0103-places.sql").write_text("create table shared.places as select 7 as place;")
    migrate.MIGRATIONS = scripts
    with Store(folder / "data" / "icx.duckdb").open():
        pass


def upgraded(folder: Path) -> dict[str, Any]:
    from icx.store.still import rows

    copies = sorted((folder / "data").glob("icx-v*.duckdb"))
    for path in copies:
        wiping.in_copy(path, wiping.Whom((), frozenset()), NOBODY, do=False)  # it can be read
    with Store(folder / "data" / "icx.duckdb").open("acme") as con:  # as it is: no scripts that are newer
        version, _ = migrate.stored(con)
        return {"contacts": rows(con)["acme.icontact_users"], "version": version, "copies": len(copies)}


def as_it_is(folder: Path) -> dict[str, Any]:
    if (folder / "migrations").exists():
        migrate.MIGRATIONS = folder / "migrations"
    return upgraded(folder)


SCENARIOS = {
    "restore": Scenario(prepare, restore, look),
    "backup": Scenario(prepare, backup, backed_up),
    "vacuum": Scenario(prepare, vacuum, look),
    "erase": Scenario(to_erase, erase, erased),
    "upgrade": Scenario(prepare, upgrade, as_it_is),
}


# --- dying ------------------------------------------------------------------------------------------------------------


def main(words: list[str]) -> None:
    scenario, folder, every = SCENARIOS[words[0]], Path(words[1]), int(words[2])
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    template, place = folder / "template", folder / "w"
    code, _ = in_child(lambda: scenario.prepare(template))
    assert code == 0
    shutil.copytree(template, place)
    code, names = in_child(lambda: counting(lambda: scenario.act(place), None))
    assert code == 0, names
    # Wherever a file is put in place is tried each time, and the other points every so often.
    points = sorted(
        {n for n, name in enumerate(names) if n % every == every // 2}
        | {n for n, name in enumerate(names) if every < 99 and name == "replace"}
    )
    most = int(words[3])
    points = points[:: -(-len(points) // most)]
    for point in points:
        shutil.rmtree(place)
        shutil.copytree(template, place)
        began = time.monotonic()
        code, _ = in_child(lambda at=point: counting(lambda: scenario.act(place), at))
        looked, after = in_child(lambda: scenario.look(place))
        finished, _ = in_child(lambda: scenario.act(place))
        looked_again, again = in_child(lambda: scenario.look(place))
        print(
            json.dumps(
                {
                    "point": point, "of": len(names), "name": names[point], "killed": code == -9,
                    "ok": (looked, finished, looked_again) == (0, 0, 0), "after": after, "again": again,
                    "seconds": round(time.monotonic() - began, 2),
                }
            ),
            flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
