"""Units: what is read and verified as a whole; a collection, or one kind of event of one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

KINDS = ("opens", "clicks", "bounces", "unsubscribes")
EVENT_TYPE = {"opens": "open", "clicks": "click", "bounces": "bounce", "unsubscribes": "unsubscribe"}
SMALL = ("customfields", "lists", "campaigns", "messages", "sends")  # the first two belong to contacts
PEOPLE = ("contacts", "subscriptions")
COLLECTIONS = SMALL + PEOPLE
TABLE = {
    "customfields": "custom_fields",
    "contacts": "icontact_users",
    **{name: name for name in ("lists", "campaigns", "messages", "sends", "subscriptions")},
}
# Rows of these have an identity, so a reading is whole when as many different ones came as the service counts.
KEYS = {
    "customfields": ("private_name",),
    "lists": ("list_id",),
    "campaigns": ("campaign_id",),
    "messages": ("message_id",),
    "sends": ("send_id",),
    "contacts": ("id",),
    "subscriptions": ("list_id", "contact_id"),
}


@dataclass(frozen=True, order=True)
class Unit:
    """A collection (`message_id` None), or one kind of event of a message.

    >>> Unit("opens", 88104).name
    '88104/opens'
    """

    collection: str
    message_id: int | None = None

    @property
    def name(self) -> str:
        return self.collection if self.message_id is None else f"{self.message_id}/{self.collection}"

    @property
    def is_events(self) -> bool:
        return self.collection in KINDS

    @property
    def staged(self) -> str:
        return "staged_activity" if self.is_events else f"staged_{self.collection}"


class AsideLike(Protocol):
    """A row the client could not read."""

    @property
    def position(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def raw(self) -> str: ...


class PageLike(Protocol):
    """An answer of the service, as icx.icontact gives it."""

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def total(self) -> int | None: ...
    @property
    def set_aside(self) -> Sequence[AsideLike]: ...


class PaceLike(Protocol):
    """Who knows what calls are left and how long we wait."""

    @property
    def waiting_until(self) -> datetime | None: ...
    def left(self) -> int | None: ...


class Source(Protocol):
    """What a pull asks of a client (icx.icontact.Client)."""

    account_id: int | None
    client_folder_id: int | None
    custom_names: frozenset[str] | None

    def sent(
        self,
        resource: str,
        *,
        parent: int | None = None,
        offset: int = 0,
        limit: int | None = None,
        tries: int | None = None,
    ) -> PageLike: ...
    def statistics(self, message_id: int) -> Mapping[str, Any]: ...
    def get(self, resource: str, id: int) -> Mapping[str, Any]: ...
