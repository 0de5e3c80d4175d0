"""A system in memory: the copy that a simulation writes to, with everything a connection can do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from icx.connections.base import Change, Column, Container, Done, Person

EVERYTHING = frozenset({"lists", "tags", "status", "unsubscribe", "make"})


MADE = "new-"  # how the key of somebody begins who was made on a copy


@dataclass
class Copy:
    """People by key, who are read and written here alone; a status is never raised and nobody is ever deleted."""

    place: str
    columns: Sequence[Column]
    lists: Sequence[Container] = ()
    can: frozenset[str] = EVERYTHING
    kind: str = "copy"
    batch: int = 100
    held: dict[str, Person] = field(default_factory=dict, repr=False)
    written: int = 0

    @classmethod
    def of(cls, people: Iterable[Person], columns: Sequence[Column], **more: object) -> Copy:
        """Return a copy that holds these people."""
        made = cls(columns=columns, **more)  # type: ignore[arg-type]
        made.held = {person.key: person for person in people}
        return made

    def verify(self) -> None:
        return None

    def containers(self) -> list[Container]:
        return list(self.lists)

    def schema(self) -> list[Column]:
        return list(self.columns)

    def read(
        self, since: datetime | None = None, *, lists: Collection[str] | None = None
    ) -> Iterator[Person]:
        yield from list(self.held.values())

    def people(self, keys: Sequence[str]) -> dict[str, Person | None]:
        return {key: self.held.get(key) for key in keys}

    def find(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        wanted = {email.strip().lower(): email for email in emails}
        found: dict[str, list[Person]] = {email: [] for email in emails}
        for person in self.held.values():
            if person.email and (asked := wanted.get(person.email.strip().lower())) is not None:
                found[asked].append(person)
        return found

    def write(self, changes: Sequence[Change]) -> list[Done]:
        return [self._one(change) for change in changes]

    def settle(self, changes: Sequence[Change]) -> list[Done]:
        return [self._became(change) for change in changes]

    def calls(self, changes: Sequence[Change]) -> int:
        return 1 if changes else 0

    # -- one change

    def _one(self, change: Change) -> Done:
        if change.key is None:
            if not change.email or self.find([change.email])[change.email]:
                return Done(change.row, "refused", None, "somebody has this address")
            key = f"{MADE}{len(self.held) + 1}"
            self.held[key] = _changed(Person(key, change.email), change)
        elif change.key not in self.held:
            return Done(change.row, "refused", None, "there is no such contact")
        else:
            key = change.key
            self.held[key] = _changed(self.held[key], change)
        self.written += 1
        return Done(change.row, "done", key)

    def _became(self, change: Change) -> Done:
        found = (
            self.held.get(change.key)
            if change.key
            else next(iter(self.find([change.email or ""]).popitem()[1]), None)
        )
        if found is None:
            return Done(change.row, "not_sent")
        same = _changed(found, change) == found
        return Done(change.row, "done" if same else "not_sent", found.key)


def _changed(person: Person, change: Change) -> Person:
    fields = {name: value for name, value in {**person.fields, **change.fields}.items() if value}
    lists: Mapping[str, str] = {
        **{name: status for name, status in person.lists.items() if name not in change.leave},
        **{name: person.lists.get(name, status) for name, status in change.join.items()},
        **{name: "unsubscribed" for name in change.unsubscribe if name in person.lists},
    }
    return replace(person, fields=fields, lists=lists, tags=(person.tags | change.tag) - change.untag)
