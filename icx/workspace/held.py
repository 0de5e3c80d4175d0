"""One data folder and one person: where the folder holds them, and taking them out of it.

The same two walks serve a workspace and what is unpacked from a backup.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from icx import mask
from icx.store import Store, forgotten, memory, private, wiping
from icx.store.erased import NAME
from icx.store.names import literal, quoted
from icx.store.still import copy, finish, forget, put, still
from icx.store.wiping import GONE, Pattern, Whom
from icx.workspace.keeping import SCRATCH
from icx.workspace.layout import Layout
from icx.workspace.traces import Trace, in_sql

if TYPE_CHECKING:
    from icx.clock import Clock

#: Files of the data folder that are looked through by what they are, not as text.
BY_KIND = (
    "icx.duckdb*",
    "icx-v*.duckdb",
    "journal.sqlite*",
    "published/**/*",
    "plans/*.parquet",
    "backups/*",
    "locks/*",
    "secrets/*",
)
#: Not searched: the simulated service itself, and what version control and Python keep for themselves.
NOT_OURS = ("data/sandbox-*", *(f"data/{name}/**/*" for name in SCRATCH))
NOT_LOOKED_INTO = {".git", ".venv", "node_modules", "__pycache__"}


def look(layout: Layout, whom: Whom, trace: Trace, *, store: Store, clock: Clock) -> dict[str, int]:
    """Return where a person is held in one data folder, by table or file."""
    pattern = in_sql(whom.addresses)
    found: dict[str, int] = {}
    if layout.database.exists():
        with store.open() as con:
            found |= wiping.wipe(con, whom, pattern, do=False)
    for path in copies(layout):
        rows = wiping.in_copy(path, whom, pattern, do=False)
        found |= {path.name: sum(rows.values())} if rows else {}
    found |= forgotten.journal(layout.journal, whom, trace.text, do=False)
    found |= forgotten.plans(layout.data / "plans", layout.journal, whom, trace.text, clock.now(), do=False)
    found |= _published(layout, whom, pattern)
    for path in texts(layout):
        if count := trace.count(path) + _ids_in(layout, path, whom):
            found[name_of(layout, path)] = count
    return found


def texts(layout: Layout) -> Iterator[Path]:
    """Yield the files that icx wrote, or that notebooks are, and that are neither a database nor a backup.

    Nor what a restore kept of a database that could not be read: whoever saves something from it has to change it.
    """
    special = {path for pattern in BY_KIND for path in layout.data.glob(pattern)}
    for path in everything(layout):
        ours = layout.data in path.parents or path.suffix == ".ipynb"
        if ours and path not in special and path.name != NAME and not path.match("icx-damaged-*"):
            yield path


def copies(layout: Layout) -> Iterator[Path]:
    """Yield databases that are only kept: those from before an upgrade."""
    yield from sorted(layout.data.glob("icx-v*.duckdb"))


def everything(layout: Layout) -> Iterator[Path]:
    special = {path for pattern in BY_KIND for path in layout.data.glob(pattern)}
    skipped = {path for pattern in NOT_OURS for path in layout.root.glob(pattern)}
    for path in sorted(layout.root.rglob("*")):
        hidden = NOT_LOOKED_INTO & set(path.relative_to(layout.root).parts)
        if path.is_file() and not path.is_symlink() and not hidden and path not in special | skipped:
            yield path


def name_of(layout: Layout, path: Path) -> str:
    return mask.addresses_in(path.relative_to(layout.root).as_posix())


def _replace(layout: Layout, path: Path, trace: Trace, whom: Whom) -> None:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return  # told as still holding them, if it does
    less, times = trace.replaced(text, GONE)
    for one in whom.contacts if _tells_ids(layout, path) else ():
        less, more = wiping.number(one.contact_id).subn(f"#{GONE}", less)
        times += more
    if times:
        part = path.with_name(f".{path.name}.part")
        with private.alone():
            part.write_bytes(less.encode())
        shutil.copymode(path, part)  # a notebook that colleagues read stays one that they read
        put(part, path)


def _ids_in(layout: Layout, path: Path, whom: Whom) -> int:
    if not _tells_ids(layout, path) or not whom.contacts:
        return 0
    text = path.read_text(encoding="utf-8", errors="replace")
    return sum(len(wiping.number(one.contact_id).findall(text)) for one in whom.contacts)


def _tells_ids(layout: Layout, path: Path) -> bool:
    if not path.is_relative_to(layout.data) or path.suffix not in {
        ".html",
        ".ipynb",
        ".txt",
        ".json",
        ".jsonl",
    }:
        return False
    return path.relative_to(layout.data).parts[0] in {"reports", "runs", "logs"}


def _published(layout: Layout, whom: Whom, pattern: Pattern) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in sorted(layout.published.glob("*/*.parquet")):
        ids = whom.ids(path.parent.name)
        with memory() as con:
            source = f"read_parquet({literal(str(path))})"
            columns = con.execute(f"describe select * from {source}").fetchall()
            tests = [
                f"regexp_matches({quoted(row[0])}::varchar, $pattern)"
                for row in columns
                if "VARCHAR" in row[1]
            ]
            column = "id" if path.stem == "icontact_users" else "contact_id"
            if ids and column in {row[0] for row in columns}:
                tests.append(f"{column} in ({', '.join(map(str, ids))})")
            values = {"pattern": pattern.whole} if any("$pattern" in test for test in tests) else {}
            where = " or ".join(tests) or "false"
            count = con.execute(f"select count(*) from {source} where {where}", values).fetchall()[0][0]
        if count:
            found[name_of(layout, path)] = int(count)
    return found


def _publish(layout: Layout, store: Store) -> None:
    """Publish the tables of each build again; whoever reads them meets the old files or the new."""
    from icx.profile.publish import publish
    from icx.store.published import ABOUT, Published

    for folder in sorted(layout.published.glob("*")):
        if not (folder / ABOUT).exists():
            shutil.rmtree(folder, ignore_errors=True)
            continue
        about = Published(folder, folder.name).about
        with store.open(folder.name) as con:
            people = con.execute("select count(*) from profile").fetchall()[0][0]
            publish(con, folder, replace(about, people=int(people)))


def empty(layout: Layout, whom: Whom, trace: Trace, clock: Clock, *, store: Store) -> None:
    """Take a person out of everything of one data folder; cut off, the same call goes on."""
    now = clock.now()
    forgotten.plans(layout.data / "plans", layout.journal, whom, trace.text, now, do=True)
    forgotten.journal(layout.journal, whom, trace.text, do=True)
    for path in texts(layout):
        _replace(layout, path, trace, whom)
    pattern = in_sql(whom.addresses)
    for path in copies(layout):
        wiping.in_copy(path, whom, pattern, do=True)
    if layout.database.exists():
        with store.open() as con:
            wiping.wipe(con, whom, pattern, do=True)
        new = layout.database.with_name(f".{layout.database.name}.new")
        try:
            with still(
                store
            ) as held:  # what was deleted stands in the file's blocks until it is written anew
                copy(held.con, new)
                finish(held.con, new)
                put(new, layout.database)
        finally:
            forget(new)
        _publish(layout, store)
