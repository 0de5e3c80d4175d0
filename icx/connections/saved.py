"""Saved connections: one JSON file each, without a secret, under a name that is also its schema."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from icx.connections import secrets as kept
from icx.connections.login import Login
from icx.connections.secrets import Keyring, Place, Secrets
from icx.errors import BadInput, Damaged
from icx.http import Secret
from icx.store import shared
from icx.store.names import check_name

__all__ = ["Connections", "SavedConnection", "Secret", "check_name"]


@dataclass(frozen=True)
class SavedConnection:
    """What is known of a connection besides its secrets. `secret_key` names them in the keyring.

    `options` are what a kind needs beside: of a table its source and columns; never a secret.
    """

    name: str
    kind: str = "icontact"
    base_url: str = ""
    username: str = ""
    account_id: int = 0
    client_folder_id: int = 0
    company: str = ""
    folder_name: str = ""
    contacts_only: bool = False
    description: str = ""
    default: bool = False
    secret_key: str = ""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def pulled(self) -> bool:
        """Whether its people are brought in here; a table is read where it is."""
        return self.kind != "table"

    @property
    def service(self) -> str:
        """What people call the service that its people live at."""
        return "Mailchimp" if self.kind == "mailchimp" else "iContact"

    def __repr__(self) -> str:
        if not self.pulled:
            return f"SavedConnection({self.name}: {self.company})"
        if self.kind == "mailchimp":
            audience = self.options.get("audience", "")
            return (
                f"SavedConnection({self.name}: Mailchimp, {self.company} › {self.folder_name} ({audience}))"
            )
        place = f"{self.company} ({self.account_id}) › {self.folder_name} ({self.client_folder_id})"
        return f"SavedConnection({self.name}: {place}{', contacts only' if self.contacts_only else ''})"

    def _repr_html_(self) -> str:
        from icx.connections.html import saved_html

        return saved_html(self)


class Connections:
    """The connections of a workspace; `data` is its data folder."""

    def __init__(
        self,
        data: Path,
        *,
        keyring: Keyring | None = None,
        environment: Mapping[str, str] | None = None,
        patience: float = kept.PATIENCE,
    ) -> None:
        self.directory = data / "connections"
        self.secrets = Secrets(data / "secrets", keyring=keyring, environment=environment, patience=patience)

    def __repr__(self) -> str:
        return f"Connections({', '.join(self.names()) or 'none'})"

    def names(self) -> list[str]:
        """Return the names of all saved connections, sorted."""
        if not self.directory.is_dir():
            return []
        return sorted(path.stem for path in self.directory.glob("*.json") if not path.name.startswith("."))

    def load(self, name: str) -> SavedConnection:
        """Return a connection by its name (upper and lower case are one), or name those there are."""
        for one in self.names():
            if one.casefold() == name.casefold():
                return self._read(one)
        known = self.names()
        raise BadInput(
            "connection-unknown",
            f"There is no connection `{name}`.",
            where=f"saved are {', '.join(known)}" if known else "none is saved yet",
            kept="nothing was changed",
            next=[["icx", "status"] if known else ["icx", "connect", name]],
        )

    def all(self) -> list[SavedConnection]:
        """Return all connections, by name."""
        return [self._read(name) for name in self.names()]

    def accounts(self) -> list[SavedConnection]:
        """Return the connections whose people are brought in here, by name: all but tables."""
        return [one for one in self.all() if one.pulled]

    def save(
        self,
        connection: SavedConnection,
        login: Login | None = None,
        *,
        secrets: Mapping[str, Secret] | None = None,
    ) -> tuple[SavedConnection, Place | None]:
        """Save a connection and, when given, its login's secrets or those of its kind; return where they are too.

        Nothing is verified here: verify first, since a wrong login must save nothing.
        """
        check_name(connection.name)
        for one in self.names():
            if one.casefold() == connection.name.casefold() and one != connection.name:
                raise _bad_name(connection.name, f"a connection `{one}` exists; upper and lower case are one")
        if not connection.secret_key:
            old = self._read(connection.name) if connection.name in self.names() else None
            connection = replace(connection, secret_key=old.secret_key if old else uuid.uuid4().hex)
        place: Place | None = None
        if login is not None:
            connection = replace(connection, base_url=login.base_url, username=login.username)
            secrets = {"app_id": login.app_id, "password": login.password}
        if secrets:
            place = self.secrets.save(connection.name, connection.secret_key, secrets)
        text = json.dumps(asdict(connection), indent=1, ensure_ascii=False)
        shared.write(self.directory / f"{connection.name}.json", text + "\n")
        return connection, place

    def login(self, connection: SavedConnection) -> Login:
        """Return the login of a saved connection; raise `needs-answer` when a secret is kept nowhere."""
        found = self.secrets.load(connection.name, connection.secret_key)
        absent = [field for field in ("app_id", "password") if field not in found]
        if absent:
            raise kept.missing(connection.name, absent)
        return Login(connection.base_url, found["app_id"], connection.username, found["password"])

    def delete(self, name: str) -> None:
        """Forget a connection and its secrets; what was pulled stays."""
        connection = self.load(name)
        self.secrets.delete(connection.name, connection.secret_key)
        (self.directory / f"{connection.name}.json").unlink(missing_ok=True)

    def _read(self, name: str) -> SavedConnection:
        path = self.directory / f"{name}.json"
        known = {field.name for field in fields(SavedConnection)}
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            # The file's name is the connection's: a copied file is another connection.
            saved = SavedConnection(**{k: v for k, v in values.items() if k in known} | {"name": name})
            if not saved.pulled and not {"source", "identity", "email", "writable"} <= saved.options.keys():
                raise ValueError("not all a table needs")
            return saved
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise Damaged(
                "connection-file",
                f"The saved connection {name} cannot be read.",
                where=f"data/connections/{path.name}: {type(error).__name__}",
                kept="the file as it is",
                next=[["icx", "connect", name]],
            ) from None


def _bad_name(name: str, why: str) -> BadInput:
    return BadInput(
        "connection-name",
        "A connection cannot have this name.",
        where=f"{name}: {why}",
        kept="nothing was saved",
        next=[["icx", "connect", "acme"]],
    )
