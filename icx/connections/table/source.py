"""Where a table's rows lie: what every source must do, and what all that lie in a file have in common."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock

from icx.connections.table.values import Known, text_of
from icx.errors import BadInput, Damaged, TryLater

Row = tuple[Any, ...]  # cells in the order of `columns`
Stamp = tuple[int, int, int, int]


class Source(Protocol):
    """The rows of one table. `name` is what people call it, `place` tells it from every other, without a secret."""

    @property
    def name(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def batch(self) -> int:
        """Return how many rows one save should take."""

    def columns(self) -> list[Known]:
        """Return the columns in their order."""

    def rows(self, column: str | None = None, cells: Collection[Any] = ()) -> Iterator[Row]:
        """Yield all rows as they are now, or those whose `column` holds one of `cells`."""

    def with_text(self, column: str, texts: Collection[str]) -> Iterator[Row]:
        """Yield the rows whose text, without blanks around it and in lower case, is one of these; or holds a `<`,
        as `Bob <bob@example.com>` does: whose address it is, is read from what comes."""

    def twice(self, column: str) -> Mapping[str, int]:
        """Return the values, as text, that several rows have in a column, and how many have each."""

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the table: what is saved meanwhile is there when the block ends, all of it or nothing.

        Raises `table-changed` when somebody else has changed it since it was last read here.
        """

    def save(
        self, column: str, edits: Mapping[Any, Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
    ) -> list[Any]:
        """Set cells of the rows with these values in `column`, add rows, and return the new ones' values in it.

        A new row that names no value there gets one from the source, or the number after the highest.
        """


class InFile(ABC):
    """A table that is a file: read whole when it has changed, and replaced at once."""

    batch = 10_000  # one rewriting of the file each

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()  # a link stays a link
        self.name = path.name
        self.place = f"{self.name} {hashlib.sha256(str(self.path).encode()).hexdigest()[:12]}"
        self._seen: Stamp | None = None
        self._held = False
        self._dirty = False
        self._index: tuple[int, dict[str, list[int]]] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    # --- what a kind of file says

    @abstractmethod
    def _read(self) -> None:
        """Read the file into memory."""

    @abstractmethod
    def _parts(self) -> Iterable[bytes]:
        """Yield the file as it is to be."""

    @abstractmethod
    def _all(self) -> Iterator[Row]:
        """Yield the rows that were read."""

    @abstractmethod
    def _at(self, place: int) -> Row:
        """Return one of the rows that were read."""

    @abstractmethod
    def _known(self) -> list[Known]:
        """Return the columns that were read."""

    @abstractmethod
    def _set(self, place: int, cells: Mapping[str, Any]) -> None:
        """Set cells of a row in memory."""

    @abstractmethod
    def _add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows in memory."""

    # --- what all have in common

    def columns(self) -> list[Known]:
        self._fresh()
        return self._known()

    def rows(self, column: str | None = None, cells: Collection[Any] = ()) -> Iterator[Row]:
        self._fresh()
        if column is None:
            yield from self._all()
            return
        places = self._places(column)
        for text in dict.fromkeys(text_of(cell) for cell in cells):
            for place in places.get(text, ()):
                yield self._at(place)

    def with_text(self, column: str, texts: Collection[str]) -> Iterator[Row]:
        self._fresh()
        at = self._column(column)
        for row in self._all():
            if may_be(text_of(row[at]), texts):
                yield row

    def twice(self, column: str) -> Mapping[str, int]:
        self._fresh()
        at = self._column(column)
        counts = Counter(text_of(row[at]) for row in self._all())
        return {text: count for text, count in counts.items() if count > 1 and text}

    @contextmanager
    def writing(self) -> Iterator[None]:
        with _alone(self.place.rpartition(" ")[2]):
            if self._seen is not None and self._stamp() != self._seen:
                self._seen = None  # what is read next is the table as it is now
                raise changed(self.name)
            self._fresh()
            self._held, self._dirty = True, False
            try:
                yield
                if self._dirty:
                    self._replace()
            except BaseException:
                self._seen = None  # what is in memory is not what is in the file
                raise
            finally:
                self._held = False

    def save(
        self, column: str, edits: Mapping[Any, Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
    ) -> list[Any]:
        places = self._places(column)
        for key, cells in edits.items():
            [place] = places[text_of(key)]
            self._set(place, cells)
            self._dirty = True
        given = self._numbered(column, new)
        if given:
            self._add(given)
            self._dirty = True
        self._index = None
        return [row[column] for row in given]

    def _numbered(self, column: str, new: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        rows = [dict(row) for row in new]
        if any(row.get(column) is None for row in rows):
            at = self._column(column)
            text = self._known()[at].kind == "text"
            highest = max((whole(row[at]) for row in self._all()), default=0)
            for row in rows:
                if row.get(column) is None:
                    highest += 1
                    row[column] = str(highest) if text else highest
        return rows

    def _column(self, name: str) -> int:
        return [column.name for column in self._known()].index(name)

    def _places(self, column: str) -> dict[str, list[int]]:
        at = self._column(column)
        if self._index is None or self._index[0] != at:
            places: dict[str, list[int]] = {}
            for place, row in enumerate(self._all()):
                places.setdefault(text_of(row[at]), []).append(place)
            self._index = (at, places)
        return self._index[1]

    def _fresh(self) -> None:
        if self._held:
            return
        stamp = self._stamp()
        if stamp == self._seen:
            return
        for _ in range(3):
            self._index = None
            self._read()
            after = self._stamp()
            if after == stamp:
                self._seen = stamp
                return
            stamp = after  # it was written while it was read
        raise changed(self.name)

    def _stamp(self) -> Stamp:
        try:
            there = self.path.stat()
        except OSError as error:
            raise unreadable(f"There is no file {self.name}.", f"{self.path}: {error.strerror}") from None
        return there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns

    def _replace(self) -> None:
        """Put the file there at once, with the rights and the owner of the one before."""
        before = self.path.stat()
        temporary = None
        try:
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".icx-", suffix=".tmp")
            with os.fdopen(handle, "wb") as file:
                for part in self._parts():
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            with suppress(OSError, AttributeError):  # only root may give a file away
                os.chown(temporary, before.st_uid, before.st_gid)
            Path(temporary).chmod(before.st_mode & 0o7777)
            if self._stamp() != self._seen:
                raise changed(self.name)
            Path(temporary).replace(self.path)
            temporary = None
        except OSError as error:
            raise unwritten(error, self.path) from None
        finally:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
        self._seen = self._stamp()


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Keep other processes of this user that write the same file waiting; others are noticed by what they change."""
    user = getattr(os, "getuid", int)()
    folder = Path(tempfile.gettempdir()) / f"icx-tables-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    there = folder.lstat()
    if not stat.S_ISDIR(there.st_mode) or there.st_uid != user:
        yield  # somebody else made it, to have us write where they want
        return
    with FileLock(folder / f"{name}.lock", mode=0o600):
        yield


def may_be(text: str, addresses: Collection[str]) -> bool:
    """Tell whether a text may be one of these addresses."""
    return "<" in text or text.strip().lower() in addresses


def whole(value: Any) -> int:
    """Return a cell as a whole number, 0 for whatever is none.

    >>> whole("0012"), whole(7.0), whole(None), whole("A-7")
    (12, 7, 0, 0)
    """
    text = text_of(value).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def changed(name: str) -> TryLater:
    """Return that somebody else has changed the table since it was read."""
    return TryLater(
        "table-changed",
        f"{name} was changed by somebody else since it was read, so nothing was written over it.",
        where=name,
        kept="the table as they left it",
        next=["the same command, which reads it anew; close the table elsewhere if it happens again"],
    )


def unreadable(message: str, where: str) -> BadInput:
    """Return that a table cannot be read."""
    return BadInput(
        "table-source",
        message,
        where=where,
        kept="nothing was saved or changed",
        next=[["icx", "connect", "--help"]],
    )


def unwritten(error: OSError, path: Path) -> Damaged:
    """Return that a file could not be replaced."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return Damaged(
            "disk-full",
            "The disk has no room for the table as it is to be.",
            where=f"{path.parent}",
            kept=f"{path.name} as it was",
            next=["free some room, then the same command"],
        )
    return Damaged(
        "read-only",
        "The folder of this table cannot be written to.",
        where=f"{path.parent}: {error.strerror}",
        kept=f"{path.name} as it was",
        next=["let yourself write in that folder, then the same command"],
    )
