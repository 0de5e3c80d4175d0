"""Who is on which list of a folder, held small enough for ten million subscriptions."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from icx.connections.base import MEMBERSHIPS


class Memberships:
    """Subscriptions as three columns in the order of their contacts: 17 bytes each.

    >>> rows = [{"contactId": 2, "listId": 7, "status": "normal"}, {"contactId": 1, "listId": 7, "status": "odd"}]
    >>> known = Memberships(rows)
    >>> known.of(1), known.of(2), known.of(3)
    ({'7': 'unsubscribed'}, {'7': 'normal'}, {})
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        contacts, lists, statuses = array("q"), array("q"), array("b")
        places = {word: place for place, word in enumerate(MEMBERSHIPS)}
        for row in rows:
            contacts.append(row["contactId"])
            lists.append(row["listId"])
            statuses.append(places.get(row["status"], places["unsubscribed"]))
        order = np.argsort(np.asarray(contacts), kind="stable")
        self._contacts = np.asarray(contacts)[order]
        self._lists = np.asarray(lists)[order]
        self._statuses = np.asarray(statuses)[order]

    def of(self, contact: int) -> dict[str, str]:
        """Return list id -> membership of a contact."""
        start, end = np.searchsorted(self._contacts, [contact, contact + 1])
        return {str(self._lists[at]): MEMBERSHIPS[self._statuses[at]] for at in range(int(start), int(end))}
