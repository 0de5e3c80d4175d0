"""The tables a build has published, read beside the database: no lock is taken and nobody is kept waiting.

A view that lives as long as a notebook may not hold the database file, and opening it for every edit costs more
than the question. So each build writes its tables as Parquet; here they are views of a private database in memory.
"""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import duckdb

from icx.ctrl_c import interruptible
from icx.errors import NeedsYou
from icx.fields import Catalogue, Field
from icx.store import shared
from icx.store.bits import bits, from_bitstring
from icx.store.db import Connection, memory
from icx.store.each import READ, different_each, rows_each
from icx.store.names import literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa

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
BY_ROW = (
    "by row"  # the schema in which a person's id is the row in profile.parquet; no connection is called so
)
WHOLE = "by row, whole"  # the schema of the profile by row with the fields that are made on reading
EVENT = "event_type, event_ts, message_id, event_url, machine"
KEPT_BYTES = 256 * 2**20  # of answers: a bit a person and condition, one to four bytes a person and count

Stamp = tuple[int, int, int]
Kept = TypeVar("Kept", bound="Sized")


class Sized(Protocol):
    """An answer that says how much memory it takes."""

    @property
    def nbytes(self) -> int: ...


class Opener(Protocol):
    """What can open a connection's tables: the store, or what a build has published."""

    @contextmanager
    def open(self, schema: str | None = None) -> Iterator[Connection]:
        """Yield a cursor whose search path is the connection's schema."""
        yield ...  # type: ignore[misc]


@dataclass(frozen=True)
class About:
    """What was published: the build, the moment it shows (aware), how many people, and the fields of its profile.

    `made` is the SQL of those fields that profile.parquet does not have, from columns it has.
    """

    build_id: str
    as_of: datetime
    people: int
    catalogue: Catalogue
    made: Mapping[str, str] = field(default_factory=dict)


def write_about(directory: Path, about: About) -> None:
    """Say what the published tables are of; written last, so its being there means the tables are."""
    fields = [asdict(one) for one in about.catalogue.values()]
    said = {
        "build_id": about.build_id,
        "as_of": about.as_of.isoformat(),
        "people": about.people,
        "fields": fields,
        "made": dict(about.made),
    }
    shared.write(directory / ABOUT, json.dumps(said, ensure_ascii=False))


class Published:
    """One published build, opened.

    `open()` gives cursors as `Store.open` does; each is closed with its block, the tables stay files. `by_row` opens
    the same tables with every person's id replaced by the row they have in the profile's file, so that an answer
    about everybody is an array and nobody is looked up; see `passing` and `counts`. `keep` remembers such answers.
    """

    def __init__(self, directory: Path, connection: str) -> None:
        """Open what lies in `directory`; raises `profile-missing` when nothing complete is there."""
        self.directory = directory
        self.connection = connection
        found = stamp(directory)
        if found is None or not all((directory / f"{table}.parquet").exists() for table in TABLES):
            raise _missing(directory, connection)
        self.stamp = found
        said = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
        fields = Catalogue(Field(**one) for one in said["fields"])
        moment = datetime.fromisoformat(said["as_of"])
        self.about = About(said["build_id"], moment, said["people"], fields, said.get("made", {}))
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._lock = threading.RLock()
        self._root = [memory()]
        weakref.finalize(self, _end, self._root)  # let go of, or when Python ends
        self._make_views(self._root[0])

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
        try:
            cursor.execute(f"set search_path = {literal(quoted(schema or self.connection) + ',main')}")
            with interruptible(cursor.interrupt):
                yield cursor
        finally:
            cursor.close()

    @property
    def by_row(self) -> Opener:
        """What opens the tables in which a person's id is the row of the profile's file.

        The profile lacks the fields that are made on reading until `make` is asked for one of them.
        """
        return _ByRow(self)

    def make(self, con: Connection, names: Iterable[str]) -> None:
        """Give a cursor of `by_row` the fields that are made on reading, if it needs any; planning each query takes twice as long then."""
        if not self.about.made.keys().isdisjoint(names):
            con.execute(f"set search_path = {literal(f'{quoted(WHOLE)},{quoted(BY_ROW)},main')}")

    def passing(self, con: Connection, test: str, params: Sequence[Any]) -> pa.BooleanArray:
        """Return which rows of the profile's file pass a condition, a bit each; `con` is one of `by_row`."""
        return self.named(con, f"select contact_id from profile where {test}", params)

    def named(self, con: Connection, rows: str, params: Sequence[Any]) -> pa.BooleanArray:
        """Return which rows of the profile's file a select names, a bit each, in any order and however often.

        The select's first column is a person's id in `by_row`, which `con` is one of.
        """
        # Bits are set where rows are read, on all cores: nothing but these leaves the database.
        people = self.about.people
        found = con.execute(
            f"select bitstring_agg(contact_id, 0, {bits(people) - 1})::blob from ({rows})", list(params)
        ).fetchone()
        return from_bitstring(found[0] if found else None, people)

    def counts(self, con: Connection, rows: str, params: Sequence[Any], *, once: bool = False) -> Any:
        """Return how many rows a select has of each row of the profile's file, as an array of numbers.

        The select's first column is a person's id in `by_row`, which `con` is one of. With `once` it has a second
        column of numbers, and equal rows count once: all of them are in memory then, eight bytes each.
        """
        reading = con.sql(rows, params=list(params)).to_arrow_reader(READ)
        try:
            return (different_each if once else rows_each)(reading, self.about.people)
        finally:
            reading.close()  # an unfinished result would bar this cursor from the next query

    def known(self, asked: Any) -> bool:
        """Return whether the answer to something is kept."""
        with self._lock:
            return asked in self._kept

    def keep(self, asked: Any, ask: Callable[[], Kept]) -> Kept:
        """Return the answer to something asked before, or ask and keep it; the ones asked for last stay in memory.

        An answer has `nbytes`.
        """
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return cast("Kept", self._kept[asked][0])
        found = ask()
        with self._lock:
            self._kept[asked] = found, found.nbytes
            while sum(size for _, size in self._kept.values()) > KEPT_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return found

    def _make_views(self, con: Connection) -> None:
        own, rows = quoted(self.connection), quoted(BY_ROW)
        con.execute(f"create schema {own}; create schema {rows}; create schema {quoted(WHOLE)}")
        for table in TABLES[1:]:
            source = f"select * from read_parquet({literal(str(self.directory / f'{table}.parquet'))})"
            kind = "table" if table in {"lists", "messages"} else "view"  # small, and asked for each time
            con.execute(f"create {kind} {own}.{table} as {source}")
        con.execute(
            f"create view {rows}.lists as from {own}.lists; create view {rows}.messages as from {own}.messages"
        )
        file = f"read_parquet({literal(str(self.directory / 'profile.parquet'))}"
        made = "".join(f", {sql}" for sql in self.about.made.values())
        numbered = f"from {file}, file_row_number = true)"
        by_row = "file_row_number::integer as contact_id, * exclude (contact_id, file_row_number)"
        try:
            con.execute(f"create view {own}.profile as select *{made} from {file})")
            con.execute(f"create view {own}.numbered as select *{made} {numbered}")
            con.execute(f"create view {rows}.profile as select {by_row} {numbered}")
            con.execute(f"create view {quoted(WHOLE)}.profile as select {by_row}{made} {numbered}")
            for table, columns in (("icontact_activity", EVENT), ("subscriptions", "list_id, status")):
                con.execute(
                    f"create view {rows}.{table} as select profile_row as contact_id, {columns}"
                    f" from {own}.{table} where profile_row is not null"
                )
        except duckdb.BinderException:  # of an icx before rows were numbered, or fields made on reading
            raise _missing(self.directory, self.connection) from None


@dataclass(frozen=True)
class _ByRow:
    published: Published

    @contextmanager
    def open(self, schema: str | None = None) -> Iterator[Connection]:
        with self.published.open(BY_ROW) as con:
            yield con


def _missing(directory: Path, connection: str) -> NeedsYou:
    return NeedsYou(
        "profile-missing",
        f"There is no published profile of {connection} yet.",
        where=f"{directory}",
        kept="nothing was changed",
        next=[["icx", "build", "--connection", connection]],
    )


def _end(root: list[Connection]) -> None:
    root.pop().close()


def stamp(directory: Path) -> Stamp | None:
    """Return what changes with each build published there, or None while one is being put in place.

    What the tables are of is taken away before the first is replaced, and said anew after the last.
    """
    try:
        found = os.stat(os.path.join(directory, ABOUT))
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


Interrupted = duckdb.InterruptException
__all__ = ["ABOUT", "TABLES", "About", "Interrupted", "Opener", "Published", "Stamp", "stamp", "write_about"]
