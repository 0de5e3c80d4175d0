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
from icx.store.bits import packed
from icx.store.db import Connection, memory
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
BATCH = 1_000_000  # rows counted at a time, or as many as there are people
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
        import numpy as np

        # By number, not by place in the answer: with a join in it (of five values in an `in`, too) rows come in any order.
        found = con.execute(f"select contact_id from profile where {test}", list(params)).fetchnumpy()
        passes = np.zeros(self.about.people, dtype=np.bool_)
        passes[np.asarray(found["contact_id"])] = True
        return packed(passes)

    def counts(self, con: Connection, rows: str, params: Sequence[Any], *, once: bool = False) -> Any:
        """Return how many rows a select has of each row of the profile's file, as an array of numbers.

        The select's first column is a person's id in `by_row`, which `con` is one of. With `once` it has a second
        column of numbers, and equal rows count once: all of them are in memory then, 20 bytes each.
        """
        import numpy as np

        people = self.about.people
        found = None
        reading = con.sql(rows, params=list(params)).to_arrow_reader(BATCH)
        try:
            for some in [_different(reading)] if once else _several(reading, max(people, BATCH)):
                counted = np.bincount(some, minlength=people)
                found = counted if found is None else np.add(found, counted, out=found)
        finally:
            reading.close()  # an unfinished result would bar this cursor from the next query
        if found is None:
            return np.zeros(people, dtype=np.uint8)
        return found.astype(np.min_scalar_type(int(found.max(initial=0))))

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


def _several(reading: pa.RecordBatchReader, rows: int) -> Iterator[Any]:
    """Yield the first column of a result in arrays of at least so many rows: counting costs as much as there are people."""
    import numpy as np

    waiting: list[Any] = []
    for batch in reading:
        waiting.append(batch.column(0).to_numpy(zero_copy_only=False))
        if sum(map(len, waiting)) >= rows:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _different(reading: pa.RecordBatchReader) -> Any:
    """Return the first column of the different rows of two columns of numbers."""
    import numpy as np

    first, second = (column.to_numpy() for column in reading.read_all().columns)
    if not len(first):
        return first
    second = second - second.min()
    room, people = int(second.max()).bit_length(), int(first.max()).bit_length()
    if room + people > 63:
        second = np.unique(second, return_inverse=True)[1]
        room = len(second).bit_length()
    # In place: of millions of pairs, memory asked for anew takes longer than the sorting.
    pairs = first.astype(np.uint32 if room + people <= 32 else np.int64)
    pairs <<= room
    pairs |= second.astype(pairs.dtype, copy=False)
    pairs.sort()  # several times as quick as looking each up in a table
    new = np.ones(len(pairs), dtype=np.bool_)
    np.not_equal(pairs[1:], pairs[:-1], out=new[1:])
    found = pairs[new]
    found >>= room
    return found


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
