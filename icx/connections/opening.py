"""Opening a saved connection of any kind: the one place that knows which kinds there are.

A kind is a line in `KINDS`: its name, what people call it and search it by, and how it is opened; see
docs/connections.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from icx import mailchimp
from icx.clock import SYSTEM, Clock
from icx.connections.base import Connection
from icx.connections.icontact import IContact
from icx.connections.login import Login
from icx.connections.mailchimp import Mailchimp
from icx.connections.saved import SavedConnection
from icx.connections.table import table
from icx.errors import BadInput
from icx.http import Secret
from icx.icontact import Client
from icx.icontact.paging import Erased


@dataclass(frozen=True)
class Means:
    """What a workspace gives to open a connection with; each is asked for only where a kind needs it.

    `client` is iContact's, paced by the shared budget and taped, `mailchimp` is Mailchimp's, taped; `secrets` are those kept for the connection.
    """

    login: Callable[[], Login]
    client: Callable[[], Client]
    secrets: Callable[[], Mapping[str, Secret]]
    mailchimp: Callable[[], mailchimp.Client]
    erased: Callable[[], Erased | None] = lambda: None
    clock: Clock = SYSTEM


@dataclass(frozen=True)
class Kind:
    """One kind of system: `words` are what a search finds it by, beside its label."""

    name: str
    label: str
    words: str
    opened: Callable[[SavedConnection, Means], Connection]


def opened(saved: SavedConnection, means: Means) -> Connection:
    """Return a saved connection opened at its place; raise BadInput `connection-kind` for a kind this icx lacks."""
    kind = KINDS.get(saved.kind)
    if kind is None:
        raise BadInput(
            "connection-kind",
            f"{saved.name} is a connection to {saved.kind}, which this icx does not know.",
            where=f"known are {', '.join(KINDS)}",
            kept="nothing was read or written",
            next=["install the icx that made it"],
        )
    return kind.opened(saved, means)


def _icontact(saved: SavedConnection, means: Means) -> Connection:
    parking, message = (saved.options.get(name, "") for name in ("parking", "confirmation"))
    return IContact(
        saved,
        means.login(),
        means.client(),
        parking=int(parking) if parking else None,
        confirmation=int(message) if message else None,
    )


def _table(saved: SavedConnection, means: Means) -> Connection:
    options = saved.options
    hidden = options.get("secret") == "yes"
    return table(
        options["source"],
        options["identity"],
        email=options["email"],
        writable=[column for column in options.get("writable", "").split("\n") if column],
        secret=means.secrets().get("password") if hidden else None,
    )


def _mailchimp(saved: SavedConnection, means: Means) -> Connection:
    erased = means.erased()
    return Mailchimp(
        means.mailchimp(),
        saved.options["audience"],
        saved.folder_name,
        erased=lambda address: (
            erased is not None and erased.names(saved.account_id, saved.client_folder_id, {"email": address})
        ),
    )


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("icontact", "iContact", "e-mail marketing service; its API 2.x", _icontact),
        Kind("sandbox", "A simulated iContact", "on this machine, with made-up people", _icontact),
        Kind("mailchimp", "Mailchimp", "e-mail marketing service; Marketing API 3.0", _mailchimp),
        Kind("table", "A table", "CSV, Parquet, DuckDB, SQL database, pandas", _table),
    )
}
