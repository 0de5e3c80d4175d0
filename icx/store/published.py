"""The tables a build has published, read beside the database: no lock is taken and nobody is kept waiting.

A view that lives as long as a notebook may not hold the database file, and opening it for every edit costs more
than the question. So each build writes its tables as Parquet; here they are views of a private database in memory.
"""

from __future__ import annotations

import json
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb

from icx.errors import NeedsYou
from icx.fields import Catalogue, Field
from icx.store import shared
from icx.store.db import Connection, memory
from icx.store.names import literal, quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ABOUT = "published.json"
TABLES = (
    "profile",
    "icontact_users",
    "icontact_activity",
    "machine_events",
    "lists",
    "subscriptions",
    "messages",
)
KEPT = 24  # answers about events kept in memory: some for each rule on the screen and those of the last edits
PASSING_BYTES = 256 * 2**20  # a byte a person and condition


class Opener(Protocol):
    """What can open a connection's tables: the store, or what a build has published."""

    @contextmanager
    def open(self, schema: str | None = None) -> Iterator[Connection]:
        """Yield a cursor whose search path is the connection's schema."""
        yield ...  # type: ignore[misc]


@dataclass(frozen=True)
class About:
    """What was published: the build, the moment it shows (aware), how many people, and the fields of its profile."""

    build_id: str
    as_of: datetime
    people: int
    catalogue: Catalogue


def write_about(directory: Path, about: About) -> None:
    """Say what the published tables are of; written last, so its being there means the tables are."""
    fields = [asdict(field) for field in about.catalogue.values()]
    said = {
        "build_id": about.build_id,
        "as_of": about.as_of.isoformat(),
        "people": about.people,
        "fields": fields,
    }
    shared.write(directory / ABOUT, json.dumps(said, ensure_ascii=False))


class Published:
    """One published build, opened.

    `open()` gives cursors as `Store.open` does; each is closed with its block, the tables stay files. Answers to
    questions about events are kept, since these read far more rows than there are people: see `keep`.
    """

    def __init__(self, directory: Path, connection: str) -> None:
        """Open what lies in `directory`; raises `profile-missing` when nothing complete is there."""
        self.directory = directory
        self.connection = connection
        self.stamp = stamp(directory)
        if self.stamp is None:
            raise NeedsYou(
                "profile-missing",
                f"There is no published profile of {connection} yet.",
                where=f"{directory}",
                kept="nothing was changed",
                next=[["icx", "build", "--connection", connection]],
            )
        said = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
        fields = Catalogue(Field(**field) for field in said["fields"])
        self.about = About(said["build_id"], datetime.fromisoformat(said["as_of"]), said["people"], fields)
        self._kept: OrderedDict[tuple[str, tuple[Any, ...]], str] = OrderedDict()
        self._passing: OrderedDict[tuple[str, tuple[Any, ...]], NDArray[np.bool_]] = OrderedDict()
        self._made = 0
        self._reading = 0
        self._lock = threading.RLock()
        self._root = [memory()]
        weakref.finalize(self, _end, self._root)  # let go of, or when Python ends
        schema = quoted(connection)
        self._root[0].execute(f"create schema {schema}")
        numbered = literal(str(directory / "profile.parquet"))
        self._root[0].execute(
            f"create view {schema}.numbered as select * from read_parquet({numbered}, file_row_number=true)"
        )
        for table in TABLES:
            source = f"select * from read_parquet({literal(str(directory / f'{table}.parquet'))})"
            kind = "table" if table in {"lists", "messages"} else "view"  # small, and asked for each time
            self._root[0].execute(f"create {kind} {schema}.{table} as {source}")

    def __repr__(self) -> str:
        return f"Published({str(self.directory)!r}, {self.about.build_id})"

    @property
    def current(self) -> bool:
        """Whether no other build has been published since."""
        return stamp(self.directory) == self.stamp

    @contextmanager
    def open(self, schema: str | None = None) -> Iterator[Connection]:
        """Yield a cursor on the tables; another thread may stop its query with `interrupt()`."""
        with self._lock:
            cursor = self._root[0].cursor()
            self._reading += 1
        try:
            cursor.execute(f"set search_path = {literal(quoted(schema or self.connection) + ',main')}")
            yield cursor
        finally:
            cursor.close()
            self._read()

    def keep(self, con: Connection, select: str, params: Sequence[Any]) -> str:
        """Run a select of contact ids once and return the select of its kept rows, good while `con` is open."""
        asked = (select, tuple(params))
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return f"select contact_id from main.{self._kept[asked]}"
            self._made += 1
            fresh = f"kept_{self._made}"
        con.execute(f"create table main.{fresh} as {select}", list(params))
        with self._lock:
            name = self._kept.setdefault(asked, fresh)
        if name != fresh:  # another thread asked the same meanwhile
            con.execute(f"drop table main.{fresh}")
        return f"select contact_id from main.{name}"

    def passing(self, con: Connection, test: str, params: Sequence[Any]) -> NDArray[np.bool_]:
        """Return which rows of the profile's file pass a condition; the answers asked for last are kept."""
        import numpy as np

        asked = (test, tuple(params))
        with self._lock:
            if asked in self._passing:
                self._passing.move_to_end(asked)
                return self._passing[asked]
        rows = con.execute(
            f"select file_row_number as n from numbered where {test}", list(params)
        ).fetchnumpy()
        found = np.zeros(self.about.people, dtype=np.bool_)
        found[np.asarray(rows["n"])] = True
        with self._lock:
            self._passing[asked] = found
            while len(self._passing) * self.about.people > PASSING_BYTES and len(self._passing) > 1:
                self._passing.popitem(last=False)
        return found

    def _read(self) -> None:
        """End one reading; with the last, answers about events beyond `KEPT` go: until then a question may name them."""
        with self._lock:
            self._reading -= 1
            if self._reading or not self._root:
                return
            old = [self._kept.popitem(last=False)[1] for _ in range(len(self._kept) - KEPT)]
            for name in old:
                self._root[0].execute(f"drop table main.{name}")


def _end(root: list[Connection]) -> None:
    root.pop().close()


def stamp(directory: Path) -> tuple[Any, ...] | None:
    """Return what changes with each build published there, or None while something is missing."""
    try:
        found = [(directory / name).stat() for name in (*(f"{table}.parquet" for table in TABLES), ABOUT)]
    except FileNotFoundError:
        return None
    return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in found)


Interrupted = duckdb.InterruptException
__all__ = ["ABOUT", "TABLES", "About", "Interrupted", "Opener", "Published", "stamp", "write_about"]
