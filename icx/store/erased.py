"""Who was erased here: keyed hashes that recognise a person when a reading brings them again, and tell nobody who it is.

The hashes are in `data/erased.json`, beside the database, so that neither a restore nor a reset loses them; the key is
kept with the secrets and is in no backup. An address is hashed as iContact compares it: in lower case, plus signs and
dots being letters like any other. A contact's id is hashed with its account and folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icx.errors import Damaged, NeedsYou
from icx.functions import email as email_key
from icx.store import shared

NAME = "erased.json"


@dataclass(frozen=True)
class Erased:
    """The people erased in a workspace: `known` maps a hash to the day (UTC, ISO). `met` are those a reading brought.

    >>> erased = Erased(b"k" * 32, {}).with_people([(1, 2, 70233)], ["jo@example.com"], "2026-11-03")
    >>> erased.names(1, 2, {"contactId": 70233}), erased.names(1, 2, {"email": "Jo@Example.com "})
    (True, True)
    >>> erased.names(1, 3, {"contactId": 70233}), erased.names(1, 2, {"email": "jo+news@example.com"})
    (False, False)
    >>> erased.met
    {70233: '2026-11-03'}
    """

    key: bytes = field(repr=False)
    known: Mapping[str, str] = field(repr=False)
    met: dict[int, str] = field(default_factory=dict, repr=False)

    def names(self, account: int | None, folder: int | None, row: Mapping[str, Any]) -> bool:
        """Tell whether a row of the service (a contact, or something of one) is about somebody who was erased."""
        contact = row.get("contactId")
        day = None if contact is None else self.known.get(self.contact(account, folder, contact))
        if day is None and row.get("email"):
            day = self.known.get(self.address(str(row["email"])))
        if day is None:
            return False
        if contact is not None:
            self.met[int(contact)] = day
        return True

    def contact(self, account: int | None, folder: int | None, contact: int) -> str:
        """Return the hash of a contact."""
        return self._hash(f"contact {account} {folder} {contact}")

    def address(self, text: str) -> str:
        """Return the hash of an address."""
        return self._hash(f"address {normal(text)}")

    def with_people(
        self, contacts: Iterable[tuple[int, int, int]], addresses: Iterable[str], day: str
    ) -> Erased:
        """Return these and more people; contacts are (account, folder, id)."""
        hashes = [self.contact(*one) for one in contacts] + [self.address(one) for one in addresses]
        return Erased(self.key, dict.fromkeys(hashes, day) | dict(self.known))

    def _hash(self, text: str) -> str:
        return hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), key=self.key, digest_size=16
        ).hexdigest()


def normal(address: str) -> str:
    """Return an address as iContact compares it.

    >>> normal(" Jo@Example.com"), normal("Jo <jo@example.com>"), normal("no address")
    ('jo@example.com', 'jo@example.com', 'no address')
    """
    return email_key(address.strip()) or address.strip().lower()


def read(data: Path) -> tuple[str, dict[str, str]]:
    """Return the name of the key and the hashes of a workspace's data folder; ('', {}) when nobody was erased."""
    path = data / NAME
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return str(told["key"]), {str(one): str(day) for one, day in told["erased"].items()}
    except FileNotFoundError:
        return "", {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Damaged(
            "erased-file",
            "The list of who was erased here cannot be read, so nobody of it would be recognised.",
            where=f"{path}",
            kept="everything as it was; nothing was asked of iContact",
            next=["bring the file back from version control or a backup, then the same command"],
        ) from None


def write(data: Path, key_name: str, known: Mapping[str, str]) -> None:
    """Keep the hashes, whole or as they were."""
    told = {"key": key_name, "erased": dict(sorted(known.items()))}
    shared.write(data / NAME, json.dumps(told, indent=1) + "\n")


def key_is_missing(data: Path, count: int) -> NeedsYou:
    """Return that erased people cannot be recognised."""
    return NeedsYou(
        "erased-key",
        f"{count:,} hashes of people erased here cannot be compared: their key is not on this machine.",
        where=f"{data / NAME}; the key is in the keyring, or in data/secrets/_erased.json, where they were erased",
        kept="nothing was asked of iContact, nobody was brought back",
        next=[
            "bring the key here",
            f"or move {NAME} away, pull, which brings back whom iContact still has, and erase them again",
        ],
    )
