"""iContact as a connection: the client of a saved login, and the five verbs every kind of system has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from icx.clock import SYSTEM, Clock
from icx.connections.base import Column, Container
from icx.connections.diagnosis import Step, Verified, verify
from icx.connections.login import Login
from icx.connections.saved import SavedConnection
from icx.http import Pace, Tape
from icx.icontact import Client, Waiting, Written

__all__ = ["IContact", "Login", "Step", "Verified", "client_for", "verify"]

_OWN = (
    "email",
    "prefix",
    "firstName",
    "lastName",
    "suffix",
    "street",
    "street2",
    "city",
    "state",
    "postalCode",
    "phone",
    "fax",
    "business",
)


def client_for(
    saved: SavedConnection,
    login: Login,
    *,
    page_size: int = 1000,
    pace: Pace | None = None,
    tape: Tape | None = None,
    clock: Clock = SYSTEM,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Client:
    """Return the client of a saved connection."""
    return Client(
        saved.base_url,
        login.app_id,
        login.username,
        login.password,
        account_id=saved.account_id,
        client_folder_id=saved.client_folder_id,
        page_size=page_size,
        pace=pace,
        tape=tape,
        clock=clock,
        on_wait=on_wait,
    )


@dataclass(frozen=True)
class IContact:
    """A saved iContact connection as the five verbs every kind of system has."""

    saved: SavedConnection
    login: Login
    client: Client

    @property
    def kind(self) -> str:
        return "icontact"

    def verify(self) -> Verified:
        """Try the saved login now; see `verify`."""
        saved = self.saved
        return verify(
            self.login,
            account=saved.account_id,
            folder=saved.client_folder_id,
            contacts_only=saved.contacts_only,
            name=saved.name,
            clock=self.client.clock,
        )

    def containers(self) -> list[Container]:
        """Return the lists of the folder."""
        return [Container(row["listId"], row["name"] or "") for row in self.client.rows("lists")]

    def schema(self) -> list[Column]:
        """Return the fields of a contact: iContact's own, then the custom ones by their private names."""
        longest = {"state": 10}  # by iContact's articles
        own = [
            Column(name, name, required=name == "email", writable=name != "status", longest=longest.get(name))
            for name in (*_OWN, "status")
        ]
        custom = [
            Column(row["privateName"], row["publicName"] or row["privateName"], custom=True)
            for row in self.client.rows("customfields")
        ]
        return own + custom

    def read(self, container: int | str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the contacts of the folder, or the subscriptions of a list."""
        if container is None:
            return self.client.rows("contacts")
        wanted = int(container)
        rows = self.client.rows("subscriptions", listId=wanted)
        return (row for row in rows if row["listId"] == wanted)  # a filter is a hint

    def write(self, container: int | str, people: Sequence[tuple[int, str]]) -> Written:
        """Subscribe contacts, (contact id, status) each, to a list in one call."""
        return self.client.subscribe([(contact, int(container), status) for contact, status in people])
