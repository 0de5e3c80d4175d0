"""What icx knows of consent in a client folder beside what iContact says today: facts that survive a pull and a reset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from icx.clock import Clock
from icx.functions import email as email_key
from icx.plan import facts
from icx.plan.decide import CONTACTS, HAVE, WANT, decide
from icx.plan.policy import Policy
from icx.settings import Settings
from icx.store import Store, pushed
from icx.store.journal import Journal
from icx.store.plans import Place
from icx.sync.hand import Known

NO_LIST = 0  # iContact counts its lists from 1: what was said to no list in particular, and nothing else
_PEOPLE = pa.schema([("contact_id", pa.int64()), ("email_key", pa.string())])


@dataclass(frozen=True)
class FolderWatch:
    """The consent facts of one connection to iContact, asked through the table and the facts that plans are made with."""

    store: Store
    journal: Journal
    settings: Settings
    clock: Clock
    connection: str
    account_id: int
    client_folder_id: int

    def refused(self, people: Sequence[Known], list_id: str | None) -> Mapping[Known, str]:
        """Return who is refused by what is known of them, and the reason's code."""
        if not people:
            return {}
        place = self._place(list_id)
        asked = list(dict.fromkeys(one for one in people if one[0] is not None or one[1] is not None))
        rows = [
            {"contact_id": int(key) if key is not None else None, "email": address, "email_key": address}
            for key, address in asked
        ]
        want = pa.Table.from_pylist(rows, schema=WANT)
        known = facts.known(
            self.store,
            self.connection,
            place,
            want.select(_PEOPLE.names).cast(_PEOPLE),
            one_sender=self.settings.one_sender,
        )
        # How they stand today is read elsewhere and right before the write: here only what is remembered counts.
        there = [one | {"status": "normal"} for one in rows if one["contact_id"] is not None]
        unique = list({one["contact_id"]: one for one in there}.values())
        found = decide(
            want,
            HAVE.empty_table(),
            pa.Table.from_pylist(unique, schema=CONTACTS),
            known.facts,
            pushed.own_writes(self.journal, place),
            policy=Policy(create_contacts=True),
            now=self.clock.now(),
        )
        refused: dict[Known, str] = {}
        for row in found.rows.select(["place", "action", "reason"]).to_pylist():
            if row["place"] is not None and row["action"] == "refuse" and row["reason"] != "no_address":
                refused[asked[row["place"]]] = row["reason"]
        return refused

    def joined(self, list_id: str, keys: Sequence[str]) -> None:
        """Learn whom icx put on a list: it was not their own coming back."""
        facts.wrote(self.store, self._place(list_id), [int(key) for key in keys if key], self.clock.now())

    def made(self, people: Sequence[tuple[str, str]]) -> None:
        """Learn whom icx made, (key, address) each: a pull that never finds them learns that somebody deleted them."""
        rows = [(int(key), email_key(address)) for key, address in people]
        facts.made(self.store, self._place(None), rows, self.clock.now())

    def check(self, step: Sequence[str]) -> None:
        """Raise `restored-unread` while who said no since a backup was brought back is not known."""
        facts.check_read(self.store, self.connection, self.settings.one_sender, step)

    def _place(self, list_id: str | None) -> Place:
        return Place(self.account_id, self.client_folder_id, int(list_id) if list_id else NO_LIST)
