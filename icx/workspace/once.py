"""Once in a run: a verb that finished in the run that is being repeated answers from its record.

Two calls have the same inputs when all of these agree, taken at the moment of the call:

- the verb, the connection (name, account, folder) and every argument of it;
- what it reads. pull: nothing of ours, the service is asked once in a run and its repetitions. build: the last
  complete pull, the files in data/fields, the attached tables and the settings. check: the last pull and the build
  that would be judged, and the expectations. plan: the audience's rule with all saved audiences, the build, the
  policy, the overrides and the settings. apply, undo: the plan;
- how many times this run asked the same before: a notebook that pulls twice has two pulls.

And what it made must still stand: the pull is still stored, the build is the one in place, the plan is not closed. Otherwise the verb does its work again. An apply that did not finish is never
answered: it goes on where it was cut off, by the plan's own journal. Only verbs that finished are recorded; the end
of the notebook does not matter.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from icx.store import one_row, run_verbs

if TYPE_CHECKING:
    from icx.connections.saved import SavedConnection
    from icx.errors import IcxError
    from icx.workspace.workspace import Workspace

T = TypeVar("T")


def once(
    ws: Workspace,
    verb: str,
    what: str,
    inputs: Mapping[str, Any],
    do: Callable[[], T],
    *,
    freeze: Callable[[T], Any],
    thaw: Callable[[Any], T | None],
    finished: Callable[[T], bool] = lambda _: True,
    problem: Callable[[T], IcxError | None] = lambda _: None,
) -> T:
    """Do a verb, or answer from the record of the run that is repeated; outside of a run it is just done.

    `thaw` returns None when what the record says no longer stands. `problem` is the error a verb ends with although
    it is done: the run that it happened in is not shown as done.
    """
    run = ws.inside
    if run is None or not _same(run.workspace, ws.layout.root):
        return do()
    asked = _digest({"verb": verb, "what": what, "inputs": inputs})
    run.asked[asked] += 1
    key = f"{asked}/{run.asked[asked]}"
    known = run_verbs.find(ws.journal, run.root, key)
    answer = thaw(known.answer) if known is not None else None
    if known is not None and answer is not None:
        at = known.ended_at.astimezone(ws.settings.tz)
        # stdout is the notebook's page: whoever reads it shall know that nothing was asked or sent here
        sys.stdout.write(
            f"{verb} {what}: answered from the record of {known.run}, finished {at:%d %b %H:%M %Z}\n"
        )
        run.answered(f"{verb} {what}")
    else:
        answer = do()
        if finished(answer):
            run_verbs.keep(
                ws.journal, run.root, key, run=run.run, verb=verb, what=what, answer=freeze(answer)
            )
    if (wrong := problem(answer)) is not None:
        run.went_wrong(wrong)
    return answer


def place(saved: SavedConnection) -> dict[str, Any]:
    """Return which account and folder a connection means."""
    return {"connection": saved.name, "account": saved.account_id, "folder": saved.client_folder_id}


def data(ws: Workspace, connection: str) -> dict[str, Any]:
    """Return which data a connection has now: its last complete pull, its build, what is attached."""
    with ws.store.open(connection) as con:
        pull = one_row(
            con.execute(
                "select max_by(pull_id, ended_at) from pulls where state = 'complete' and only_unit is null"
            )
        )
        build = one_row(con.execute("select max_by(build_id, built_at) from builds"))
        attached = con.execute(
            "select name, source, row_count, matched from attached order by name"
        ).fetchall()
    return {
        "pull": pull[0] if pull else None,
        "build": build[0] if build else None,
        "attached": [list(map(str, row)) for row in attached],
    }


def settings(ws: Workspace) -> str:
    return repr(ws.settings)


def files(*folders: Path) -> str:
    """Return a digest of the files in folders, by name and content."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*")) if folder.is_dir() else ():
            if path.is_file():
                digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
