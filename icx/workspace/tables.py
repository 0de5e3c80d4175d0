"""Saving a table as a connection: read once, and kept only when it can be used."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from icx.connections.saved import Connections, SavedConnection
from icx.connections.table import Seen, table
from icx.errors import BadInput
from icx.store.names import check_name

if TYPE_CHECKING:
    from icx.http import Secret


def connect(
    connections: Connections,
    name: str,
    source: str,
    identity: str,
    *,
    email: str | None = None,
    writable: Collection[str] = (),
    description: str | None = None,
    secret: Secret | None = None,
) -> tuple[SavedConnection, Seen, str | None]:
    """Read the table, save it under a name that no account has, and return what was seen and where a password is.

    `source` holds no password; that is `secret`. A file is remembered by its whole path.
    """
    check_name(name)
    old = next((one for one in connections.all() if one.name.casefold() == name.casefold()), None)
    if old is not None and old.pulled:
        raise BadInput(
            "connection-name",
            f"{old.name} is an account here; a table never takes its place.",
            where=f"{old.company} ({old.account_id}) › {old.folder_name} ({old.client_folder_id})",
            kept="nothing was saved; the connection as it was",
            next=[["icx", "connect", f"{name}-table", "--table", source, "--identity", identity]],
        )
    whole = source if "://" in source else str(Path(source).expanduser().absolute())
    there = table(whole, identity, email=email, writable=writable, secret=secret)
    seen = there.verify()
    fresh = SavedConnection(
        name=old.name if old else name,
        kind="table",
        company=source,
        description=description if description is not None else old.description if old else "",
        secret_key=old.secret_key if old else "",
        options={
            "source": whole,
            "identity": identity,
            "email": there.email,
            "writable": "\n".join(sorted(there.writable)),
            "secret": "yes" if secret is not None else "",
        },
    )
    saved, place = connections.save(fresh, secrets={"password": secret} if secret is not None else None)
    return saved, seen, place
