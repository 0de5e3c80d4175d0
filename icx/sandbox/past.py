"""The history that a generated account already has: who was added, stopped, left or bounced, and when."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

import numpy as np

from icx.sandbox.traits import BOUNCED, DONOTCONTACT, Ints, Traits

CHUNK = 100_000


@dataclass(frozen=True)
class Past:
    """Writes rows of contact history for one folder."""

    con: sqlite3.Connection
    folder_id: int

    def write(self, who: Ints, when: Ints, action: str, *, actor: str, details: str = "[]") -> None:
        """One row a contact id and time."""
        for begin in range(0, len(who), CHUNK):
            part = slice(begin, begin + CHUNK)
            self.con.executemany(
                "insert into actions (folder_id, contact_id, action_type, action_time, actor, details)"
                " values (?, ?, ?, ?, ?, ?)",
                (
                    (self.folder_id, contact, action, moment, actor, details)
                    for contact, moment in zip(who[part].tolist(), when[part].tolist(), strict=True)
                ),
            )

    def left(self, who: Ints, when: Ints, list_id: int, *, actor: str) -> None:
        """These contacts left this list."""
        details = {"listId": str(list_id), "newStatus": "unsubscribed"}
        self.write(who, when, "EditSubscription", actor=actor, details=json.dumps(details))

    def created_and_stopped(self, traits: Traits) -> None:
        """Everybody's first line, and the last one of those who bounced or asked not to be contacted."""
        self.write(traits.ids, traits.created, "AddContact", actor="admin")
        for status, name, actor in (
            (BOUNCED, "bounced", "system"),
            (DONOTCONTACT, "donotcontact", "contact"),
        ):
            mine = traits.status == status
            details = json.dumps({"status": name})
            self.write(traits.ids[mine], traits.ends[mine], "EditStatus", actor=actor, details=details)


def write_bounce_counts(con: sqlite3.Connection, traits: Traits) -> None:
    """The service's own counts, which for one in fifty differ from the bounce events it shows."""
    some = np.flatnonzero(traits.bounces > 0)
    counts = traits.bounces[some] + (traits.ids[some] % 50 == 0)
    con.executemany(
        "update contacts set bounce_count = ? where contact_id = ?",
        zip(counts.tolist(), traits.ids[some].tolist(), strict=True),
    )
