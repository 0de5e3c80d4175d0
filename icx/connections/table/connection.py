"""A table as a connection: rows are people, one column tells them apart, another holds their addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from icx.connections.base import Change, Column, Container, Done, Person
from icx.connections.table.source import Row, Source
from icx.connections.table.values import TYPES, DoesNotFit, Known, Rejected, same, text_of, value_of
from icx.functions import email as address_in
from icx.words import counted

if TYPE_CHECKING:
    pass

REMEMBERED = 100_000  # rows, as they were when asked for
GUESSED = 200  # rows looked at to find the column of addresses


@dataclass(frozen=True)
class Seen:
    """What a table is, counted when it was connected: its rows, and those a sync can do nothing with.

    `guessed` is whether the column of addresses was found and not named.
    """

    name: str
    rows: int
    identity: str
    email: str
    guessed: bool
    no_identity: int
    twice: Mapping[str, int]
    no_address: int

    def text(self) -> str:
        """Return it as people read it."""
        lines = [
            f"{self.name}: {counted(self.rows, 'row')}, told apart by `{self.identity}`, addresses in `{self.email}`"
            + (" (guessed; --email names another)" if self.guessed else "")
        ]
        if self.twice:
            rows = sum(self.twice.values())
            lines.append(
                f"  {counted(rows, 'row')} share {counted(len(self.twice), 'identity')}: shown, written nowhere"
            )
        if self.no_identity:
            lines.append(f"  {counted(self.no_identity, 'row')} without an identity: left alone")
        if self.no_address:
            lines.append(f"  {counted(self.no_address, 'row')} without an address: matched with nobody")
        return "\n".join(lines)


@dataclass(frozen=True)
class Table:
    """A table whose rows are people. Only the columns in `writable` are ever written; `*` are all.

    Whoever is made there gets a row of their own; where the identity is a number it is the one after the highest,
    where it is text, one nobody else has. Rows are never deleted.
    """

    source: Source = field(repr=False)
    identity: str
    email: str
    writable: frozenset[str] = frozenset()
    guessed: bool = field(default=False, compare=False)
    # Rows as they were last asked for by identity: what somebody else changed since is not written over.
    _read: dict[str, Row] = field(default_factory=dict, compare=False, repr=False)

    @property
    def kind(self) -> str:
        return "table"

    @property
    def place(self) -> str:
        return f"table {self.source.place}"

    @property
    def batch(self) -> int:
        return self.source.batch

    @property
    def can(self) -> frozenset[str]:
        return frozenset({"make"} if self.email in self.writable else ())

    def verify(self) -> Seen:
        """Read the table once and return what it holds."""
        at, mail = self._at[self.identity], self._at[self.email]
        rows = no_identity = no_address = 0
        for row in self.source.rows():
            rows += 1
            no_identity += not text_of(row[at])
            no_address += _address(row[mail]) is None
        return Seen(
            self.source.name, rows, self.identity, self.email, self.guessed, no_identity,
            self.source.twice(self.identity), no_address,
        )  # fmt: skip

    def containers(self) -> list[Container]:
        """Return the table itself: people in it are on no list."""
        return [Container(self.source.name, self.source.name)]

    def schema(self) -> list[Column]:
        """Return the columns beside identity and address."""
        return [
            Column(
                one.name, one.name, required=not (one.empty or one.given),
                writable=one.name in self.writable and one.kind != "other", longest=one.longest,
                type=TYPES[one.kind], choices=one.choices,
            )
            for one in self._known.values()
            if one.name not in {self.identity, self.email}
        ]  # fmt: skip

    def read(
        self, since: datetime | None = None, *, lists: Collection[str] | None = None
    ) -> Iterator[Person]:
        """Yield everybody in the table once; of rows that share an identity the first, with its `trouble`."""
        twice = self.source.twice(self.identity)
        told: set[str] = set()
        for row in self.source.rows():
            one = self._person(row, twice)
            if one is not None and one.key not in told:
                if one.trouble:
                    told.add(one.key)
                yield one

    def people(self, keys: Sequence[str]) -> dict[str, Person | None]:
        """Return some rows as they are now."""
        found: dict[str, Person | None] = dict.fromkeys(keys)
        for key, rows in self._rows_of(keys).items():
            found[key] = self._person(rows[0], {key: len(rows)} if len(rows) > 1 else {})
            self._read[key] = rows[0]
        if len(self._read) > REMEMBERED:
            self._read.clear()
        return found

    def find(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """Return who has each address now."""
        wanted: dict[str, list[str]] = {}
        for email in emails:
            wanted.setdefault(email.strip().lower(), []).append(email)
        keys: dict[str, list[str]] = {email: [] for email in emails}
        mail, at = self._at[self.email], self._at[self.identity]
        for row in self.source.with_text(self.email, wanted):
            for email in wanted.get((_address(row[mail]) or "").lower(), ()):
                keys[email].append(text_of(row[at]))
        there = self.people([key for some in keys.values() for key in some if key])
        return {
            email: [one for key in dict.fromkeys(some) if key and (one := there[key]) is not None]
            for email, some in keys.items()
        }

    def write(self, changes: Sequence[Change]) -> list[Done]:
        """Carry changes out, all those that fit at once: the table then holds every one of them, or none.

        Raises `table-changed` when somebody else changed the table since it was last read here.
        """
        if not changes:
            return []
        try:
            with self.source.writing():
                done = self._write(changes)
        except Rejected as why:
            if len(changes) == 1:
                return [Done(changes[0].row, "refused", words=str(why))]
            # Nothing was kept: each alone tells which it was.
            return [done for one in changes for done in self.write([one])]
        for one in changes:
            self._read.pop(one.key or "", None)
        return done

    def settle(self, changes: Sequence[Change]) -> list[Done]:
        """Compare what is there now with what was to become."""
        made = self.find([one.email for one in changes if one.key is None and one.email])
        keys = {
            one.row: made[one.email][0].key
            for one in changes
            if one.key is None and one.email and made[one.email]
        }
        now = self.people([key for one in changes if (key := one.key or keys.get(one.row))])
        return [
            Done(
                one.row,
                "done" if self._is(one, now.get(one.key or keys.get(one.row) or "")) else "not_sent",
                keys.get(one.row),
            )
            for one in changes
        ]

    def calls(self, changes: Sequence[Change]) -> int:
        """Return 0: no service is asked."""
        return 0

    # --- plumbing

    @cached_property
    def _known(self) -> dict[str, Known]:
        return {one.name: one for one in self.source.columns()}

    @cached_property
    def _at(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self._known)}

    def _person(self, row: Row, twice: Mapping[str, int]) -> Person | None:
        texts = {name: text_of(value) for name, value in zip(self._known, row, strict=True)}
        key = texts.pop(self.identity)
        if not key:
            return None
        address = _address(texts.pop(self.email, key))
        trouble = f"{twice[key]} rows have this identity" if key in twice else ""
        return Person(key, address, {name: text for name, text in texts.items() if text}, trouble=trouble)

    def _rows_of(self, keys: Collection[str]) -> dict[str, list[Row]]:
        cells = []
        for key in dict.fromkeys(keys):
            try:
                cells.append(value_of(key, self._known[self.identity]))
            except DoesNotFit:
                continue  # no row can have it
        at, found = self._at[self.identity], dict[str, list[Row]]()
        for row in self.source.rows(self.identity, cells):
            found.setdefault(text_of(row[at]), []).append(row)
        return {key: found[key] for key in keys if key in found}

    def _write(self, changes: Sequence[Change]) -> list[Done]:
        there = self._rows_of([one.key for one in changes if one.key])
        holders = self._holders(changes)
        refused: dict[int, str] = {}
        edits: dict[Any, dict[str, Any]] = {}
        new: list[tuple[Change, dict[str, Any]]] = []
        identity = self._known[self.identity]
        for one in changes:
            try:
                cells = self._cells(one)
                key = one.key
                if key is None:
                    new.append((one, self._new_row(one, cells, holders)))
                    continue
                self._as_read(key, there.get(key, []))
                others = holders.get((one.email or "").strip().lower(), set()) - {key}
                if one.email and others:
                    raise DoesNotFit("another row has this address")
                if cells:
                    edits.setdefault(value_of(key, identity), {}).update(cells)
            except DoesNotFit as why:
                refused[one.row] = str(why)
        keys = self.source.save(self.identity, edits, [cells for _, cells in new])
        made = {one.row: text_of(key) for (one, _), key in zip(new, keys, strict=True)}
        return [
            Done(
                one.row,
                "refused" if one.row in refused else "done",
                made.get(one.row),
                refused.get(one.row, ""),
            )
            for one in changes
        ]

    def _as_read(self, key: str, rows: Sequence[Row]) -> None:
        """Raise DoesNotFit unless a row is there once, and as it was when it was last asked for."""
        if not rows:
            raise DoesNotFit("no row has this identity any more")
        if len(rows) > 1:
            raise DoesNotFit(f"{len(rows)} rows have this identity")
        before = self._read.get(key)
        if before is not None and [text_of(cell) for cell in before] != [text_of(cell) for cell in rows[0]]:
            del self._read[key]
            raise DoesNotFit("somebody else changed this row since it was read; it is taken anew next time")

    def _holders(self, changes: Sequence[Change]) -> dict[str, set[str]]:
        """Return who has each of the addresses these changes give to somebody: address -> identities."""
        wanted = {one.email.strip().lower() for one in changes if one.email}
        held: dict[str, set[str]] = {}
        mail, at = self._at[self.email], self._at[self.identity]
        for row in self.source.with_text(self.email, wanted) if wanted else ():
            held.setdefault((_address(row[mail]) or "").lower(), set()).add(text_of(row[at]))
        return held

    def _cells(self, change: Change) -> dict[str, Any]:
        """Return the cells a change sets; raise DoesNotFit for what a table cannot do."""
        for words, asked in (
            ("a table has no lists", change.join or change.leave or change.unsubscribe),
            ("a table has no tags: set a field instead", change.tag or change.untag),
        ):
            if asked:
                raise DoesNotFit(words)
        cells = {}
        for name, text in change.fields.items():
            known = self._known.get(name)
            if known is None:
                raise DoesNotFit(f"there is no column `{name}`")
            if name == self.identity:
                raise DoesNotFit(f"`{name}` tells the rows apart and is never changed")
            if name not in self.writable:
                raise DoesNotFit(f"`{name}` may not be written: --writable names the columns that may")
            cells[name] = value_of(text, known)
        if change.email is not None and change.key is not None:
            if self.email == self.identity:
                raise DoesNotFit("the address tells the rows apart here and is never changed")
            if self.email not in self.writable:
                raise DoesNotFit(f"`{self.email}` may not be written: --writable names the columns that may")
            cells[self.email] = value_of(change.email, self._known[self.email])
        return cells

    def _new_row(self, one: Change, cells: dict[str, Any], holders: dict[str, set[str]]) -> dict[str, Any]:
        address = (one.email or "").strip()
        if not address:
            raise DoesNotFit("nobody can be made without an address")
        if self.email not in self.writable:
            raise DoesNotFit(f"nobody can be made: `{self.email}` may not be written")
        if address.lower() in holders:
            raise DoesNotFit("somebody has this address by now")
        row = cells | {self.email: value_of(address, self._known[self.email])}
        for known in self._known.values():
            if known.name not in row and not known.empty and not known.given and known.name != self.identity:
                row[known.name] = value_of("", known)
        identity = self._known[self.identity]
        if self.identity not in row and not identity.given and identity.kind == "text" and not self._numbers:
            row[self.identity] = value_of(uuid4().hex, identity)
        holders[address.lower()] = {""}
        return row

    @cached_property
    def _numbers(self) -> bool:
        """Whether the first identities are numbers, though the column is text, as it always is in a CSV file."""
        at = self._at[self.identity]
        return all(text_of(row[at]).strip().isdecimal() for row in islice(self.source.rows(), GUESSED))

    def _is(self, change: Change, person: Person | None) -> bool:
        return person is not None and (
            all(
                name in self._known and same(person.fields.get(name, ""), text, self._known[name])
                for name, text in change.fields.items()
            )
            and (change.email is None or (person.email or "").lower() == change.email.strip().lower())
            and not (change.join or change.leave or change.unsubscribe or change.tag or change.untag)
        )


def _address(value: Any) -> str | None:
    """Return a cell's address as it is written there; None where it is none."""
    text = text_of(value).strip()
    read = address_in(text) if text else None
    return text if read == text.lower() else read
