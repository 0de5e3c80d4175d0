"""Where secrets live: the system keyring, else the environment, else a file only its owner can read."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from icx.errors import Damaged, NeedsYou
from icx.http import Secret
from icx.store import shared

SERVICE = "icx"
PATIENCE = 5.0  # seconds; a keyring that asks on a screen nobody sees never answers

Place = Literal["keyring", "environment", "file"]


class Keyring(Protocol):
    """What is used of the `keyring` library; tests give another."""

    def get_password(self, service: str, username: str, /) -> str | None: ...
    def set_password(self, service: str, username: str, password: str, /) -> None: ...
    def delete_password(self, service: str, username: str, /) -> None: ...


class SystemKeyring:
    """The keyring of this machine's user; imported late because that alone may talk to the desktop."""

    def get_password(self, service: str, username: str, /) -> str | None:
        import keyring

        found: str | None = keyring.get_password(service, username)
        return found

    def set_password(self, service: str, username: str, password: str, /) -> None:
        import keyring

        keyring.set_password(service, username, password)

    def delete_password(self, service: str, username: str, /) -> None:
        import keyring

        keyring.delete_password(service, username)


class Secrets:
    """The secrets of a workspace. `directory` is its `data/secrets`; `environment` is usually `os.environ`."""

    def __init__(
        self,
        directory: Path,
        *,
        keyring: Keyring | None = None,
        environment: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.directory = directory
        self._keyring = keyring or SystemKeyring()
        self._environment = os.environ if environment is None else environment
        self._patience = patience

    def __repr__(self) -> str:
        return f"Secrets({str(self.directory)!r})"

    def save(self, name: str, key: str, values: Mapping[str, Secret]) -> Place:
        """Keep values under a key, in the keyring if it works and else in a 0600 file; return where.

        A keyring counts as working when it gives back what it was given: some take everything and keep nothing.
        """
        text = json.dumps({field: secret.reveal() for field, secret in values.items()})

        def keep() -> bool:
            self._keyring.set_password(SERVICE, key, text)
            return self._keyring.get_password(SERVICE, key) == text

        if self._ask(keep):
            self._file(name).unlink(missing_ok=True)
            return "keyring"
        self._write(name, key, text)
        return "file"

    def load(self, name: str, key: str) -> dict[str, Secret]:
        """Return what is kept, each value from the first place that has it: keyring, environment, file.

        The environment's names are `ICX_PASSWORD`, `ICX_APP_ID` and `ICX_MAILCHIMP_KEY`.
        """
        found = _values(self._ask(lambda: self._keyring.get_password(SERVICE, key)))
        for field in ("password", "app_id", "mailchimp_key"):
            given = self._environment.get(f"ICX_{field.upper()}")
            if given and field not in found:
                found[field] = Secret(given)
        return self._read(name, key) | found

    def delete(self, name: str, key: str) -> None:
        """Forget what is kept under a key, wherever it is."""
        self._ask(lambda: self._keyring.delete_password(SERVICE, key))
        self._file(name).unlink(missing_ok=True)

    def works(self) -> bool:
        """Tell whether the keyring keeps things; for `icx doctor`."""

        def trial() -> bool:
            self._keyring.set_password(SERVICE, "trial", "trial")
            kept = self._keyring.get_password(SERVICE, "trial") == "trial"
            self._keyring.delete_password(SERVICE, "trial")
            return kept

        return bool(self._ask(trial))

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Return the keyring's answer, or None when it fails or does not answer in time.

        A thread, and a daemon one, because a backend without a desktop may wait for ever and must not keep the
        process alive either.
        """
        answer: list[Any] = []

        def run() -> None:
            # Backends raise whatever their system library raises; every failure means the same to us.
            with contextlib.suppress(Exception):
                answer.append(question())

        thread = threading.Thread(target=run, name="icx-keyring", daemon=True)
        thread.start()
        thread.join(self._patience)
        return answer[0] if answer else None

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.json"

    def _write(self, name: str, key: str, text: str) -> None:
        ignore = self.directory / ".gitignore"
        if not ignore.exists():
            shared.write(ignore, "*\n")
        shared.write(self._file(name), json.dumps({"key": key, "values": json.loads(text)}))

    def _read(self, name: str, key: str) -> dict[str, Secret]:
        path = self._file(name)
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(0o600)  # copied or unpacked with wider rights; narrowed before it is used
            kept = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, OSError):
            raise Damaged(
                "connection-file",
                "The file with this connection's password cannot be read.",
                where=f"data/secrets/{name}.json",
                kept="nothing was sent",
                next=[["icx", "connect", name, "--update"]],
            ) from None
        # A file of an older connection of the same name is not this connection's.
        same = isinstance(kept, dict) and kept.get("key") == key
        return _values(json.dumps(kept["values"])) if same else {}


def _values(text: object) -> dict[str, Secret]:
    try:
        kept = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    if not isinstance(kept, dict):
        return {}
    return {field: Secret(value) for field, value in kept.items() if isinstance(value, str) and value}


def missing(name: str, fields: list[str]) -> NeedsYou:
    """Return the error of secrets that are kept nowhere."""
    names = {"password": "ICX_PASSWORD", "app_id": "ICX_APP_ID"}
    return NeedsYou(
        "needs-answer",
        "A password is needed, and none is kept for this connection.",
        where=" · ".join(f"`{names[field]}` is not set" for field in fields),
        kept="nothing was sent",
        next=[["icx", "connect", name, "--update"]],
        data={"missing": fields},
    )
