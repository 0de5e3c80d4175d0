"""What every kind of system can do, and the values it speaks in: people, changes, and what became of them.

A connection is opened at one place: a client folder, an audience list, a table. What is said here is what the
conformance suite (tests/connections/conformance.py) tries on every kind; docs/connections.md shows how to write one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, Protocol

# Where iContact's own pages let an application in, and where one is made.
LINK = "https://app.icontact.com/icp/core/externallogin"
PATH = "Settings and Billing › iContact Integrations › Custom API Integrations › Create"

#: How a contact stands, in iContact's words; a system without a word for it says `normal`, and keeps its own in `said`.
STATUSES = ("normal", "pending", "invitable", "bounced", "donotcontact")
#: How a contact stands on one list; who is not on it has no word.
MEMBERSHIPS = ("normal", "pending", "unsubscribed")

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Container:
    """A place that holds people and can be written to: a list, an audience, a table, a static segment.

    `mails` tells whether who is put there is sent a welcome.
    """

    id: int | str
    name: str
    mails: bool = False


@dataclass(frozen=True)
class Column:
    """One thing known of each person there. `writable` ones may be mapped to; `longest` is in characters.

    `type` is text, number, date, yes/no or choice; `choices` are what a choice may be. Values travel as text.
    """

    name: str
    label: str
    required: bool = False
    writable: bool = True
    custom: bool = False
    longest: int | None = None
    type: str = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Person:
    """One contact as every system tells it. `key` is the system's own id; a field that is empty is absent.

    `status` is one of `STATUSES` and `said` the system's own word for it, since no two systems have the same ones.
    `lists` holds list id -> one of `MEMBERSHIPS`. `changed_at` (aware UTC) is None where a system does not tell.
    `trouble` says why this one can be shown only, as `2 rows have this identity`; who has any is written nowhere.
    """

    key: str
    email: str | None
    fields: Mapping[str, str] = field(default_factory=lambda: _NONE)
    status: str = "normal"
    said: str = ""
    lists: Mapping[str, str] = field(default_factory=lambda: _NONE)
    tags: frozenset[str] = frozenset()
    changed_at: datetime | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Change:
    """What is to become of one person there, in one plan row; what is not named stays as it is.

    `key` is None for somebody to be made, who needs an `email`. A field that is "" is emptied. `join` holds
    list id -> `normal` or `pending`; `unsubscribe` cannot be taken back through any service and is never implied.
    """

    row: int
    key: str | None
    email: str | None = None
    fields: Mapping[str, str] = field(default_factory=lambda: _NONE)
    join: Mapping[str, str] = field(default_factory=lambda: _NONE)
    leave: frozenset[str] = frozenset()
    unsubscribe: frozenset[str] = frozenset()
    tag: frozenset[str] = frozenset()
    untag: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Done:
    """What became of one change. `words` are the service's own; `key` is that of somebody made."""

    row: int
    state: Literal["done", "refused", "not_sent"]
    key: str | None = None
    words: str = ""


class Connection(Protocol):
    """A system with people in it. Reading is free; only a plan's apply calls `write`."""

    @property
    def kind(self) -> str:
        """Return the kind of system: icontact, table, mailchimp."""

    @property
    def place(self) -> str:
        """Return what two connections to the same people share, such as `icontact 1/2`: no secret, no address."""

    @property
    def batch(self) -> int:
        """Return how many changes one `write` may take."""

    @property
    def can(self) -> frozenset[str]:
        """Return what it knows: some of lists, tags, status, since (a feed of changes), unsubscribe, make."""

    def verify(self) -> Any:
        """Try the login now; return what it may see, or raise one of the diagnoses."""

    def containers(self) -> list[Container]:
        """Return the lists people can be put on."""

    def schema(self) -> list[Column]:
        """Return what is known of each person beside key, address and status: what `Person.fields` may hold."""

    def read(
        self, since: datetime | None = None, *, lists: Collection[str] | None = None
    ) -> Iterator[Person]:
        """Yield everybody there, or (where `can` has `since`) who changed at that moment or later.

        Somebody may come twice while the service pages; the last one counts. `lists` are those whose members matter
        (None: all; none of them: only who unsubscribed from any): `Person.lists` may then lack the others, where that
        spares calls.
        """

    def people(self, keys: Sequence[str]) -> dict[str, Person | None]:
        """Return some people as they are now; None for whom the system no longer has."""

    def find(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """Return who has each of these addresses now, compared exactly but for upper and lower case."""

    def write(self, changes: Sequence[Change]) -> list[Done]:
        """Carry changes out, at most `batch`, and return what became of each, in their order.

        Raises UnknownOutcome when it is not known what the service took, and another IcxError when it surely took
        nothing.
        """

    def settle(self, changes: Sequence[Change]) -> list[Done]:
        """Find out by reading what became of changes after an UnknownOutcome; `not_sent` ones may be sent again."""

    def calls(self, changes: Sequence[Change]) -> int:
        """Return how many calls `write` makes for these."""
