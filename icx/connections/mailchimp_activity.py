"""What people did with one campaign, read once for opens, clicks and bounces together, and handed out by kind."""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from icx.errors import IcxError, Refused
from icx.mailchimp import Client, ids
from icx.mailchimp.answers import read_moment

ACTION = {"opens": "open", "clicks": "click", "bounces": "bounce"}
PAGE = 500  # at 1,000 recipients a page Mailchimp's own gateway is known to give up (504)
SMALLEST = 60
TRIES = 3
IN_A_ROW = 3  # campaigns that cannot be read one after the other, and it is no longer the campaigns
KEPT = 8  # campaigns whose activity is held at once; a pull reads the kinds of one right after each other
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = "emails.email_id,emails.activity,total_items"


class Activity:
    """The events of a campaign in the order of its recipients: 24 bytes each, and each link's text once."""

    def __init__(self) -> None:
        self.people = {kind: array("q") for kind in ACTION}
        self.times = {kind: array("q") for kind in ACTION}  # microseconds since 1970, UTC
        self.links = array("q")
        self.urls: dict[str, int] = {}
        self.unread = 0  # events without a readable time, which are no events that icx can keep
        self._texts: list[str] = []

    def add(self, email_id: str, did: Mapping[str, Any]) -> None:
        """Take one event in; an action that icx does not know is none of its kinds."""
        kind = next((kind for kind, action in ACTION.items() if action == did.get("action")), None)
        at = read_moment(did.get("timestamp"))
        if kind is None:
            return
        if at is None:
            self.unread += 1
            return
        self.people[kind].append(ids.person(email_id))
        self.times[kind].append((at - _EPOCH) // timedelta(microseconds=1))
        if kind == "clicks":
            url = str(did.get("url") or "")
            if url not in self.urls:
                self.urls[url] = len(self._texts)
                self._texts.append(url)
            self.links.append(self.urls[url])

    def count(self, kind: str) -> int:
        """Return how many events of a kind there are."""
        return len(self.people[kind])

    def rows(self, kind: str, offset: int, limit: int) -> list[dict[str, Any]]:
        """Return some events as iContact's rows are: `contactId`, `openTime` and its like, `clickLink`."""
        key = f"{ACTION[kind]}Time"
        part = slice(offset, offset + limit)
        rows: list[dict[str, Any]] = [
            {"contactId": person, key: _EPOCH + timedelta(microseconds=at)}
            for person, at in zip(self.people[kind][part], self.times[kind][part], strict=True)
        ]
        if kind == "clicks":
            for row, link in zip(rows, self.links[part], strict=True):
                row["clickLink"] = self._texts[link] or None
        return rows


class Activities:
    """The activity of the campaigns a pull is at; several threads may ask for one at the same time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: OrderedDict[str, Activity] = OrderedDict()
        self._reading: dict[str, threading.Lock] = {}
        self._failed: dict[str, Refused] = {}
        self._bad = 0
        self._lock = threading.Lock()

    def of(self, campaign: str, *, fresh: bool, tries: int | None = None) -> Activity:
        """Return a campaign's activity; `fresh` when a kind is read anew after all its rows were handed out."""
        with self._lock:
            reading = self._reading.setdefault(campaign, threading.Lock())
        with reading:
            with self._lock:
                found, failed = self._known.get(campaign), self._failed.get(campaign)
            if failed is not None:
                raise failed  # what three kinds share is asked for once
            if found is None or fresh:
                found = self._read(campaign, tries)
                with self._lock:
                    self._known[campaign] = found
                    while len(self._known) > KEPT:
                        self._known.popitem(last=False)
        return found

    def _read(self, campaign: str, tries: int | None) -> Activity:
        """Read a campaign; one that cannot be read stops no pull, several in a row do."""
        try:
            found = read(self._client, campaign, tries)
        except IcxError as error:
            if error.code not in ("answer-unreadable", "service-refused"):
                raise
            with self._lock:
                self._bad += error.code == "answer-unreadable"
                if self._bad >= IN_A_ROW:
                    raise
                refused = self._failed[campaign] = _refused(campaign, error.message)
            raise refused from None
        with self._lock:
            self._bad = 0
        return found


def read(client: Client, campaign: str, tries: int | None = None) -> Activity:
    """Read all recipients' activity; again when recipients came or went meanwhile.

    Raises `service-refused` when they always do. Every recipient comes, also who did nothing, so a campaign to 100,000 people costs 200 calls.
    """
    path = f"/reports/{campaign}/email-activity"
    size = PAGE
    for _ in range(TRIES):
        found, seen, total = Activity(), set[int](), None
        offset, whole = 0, True
        while whole and (total is None or offset < total):
            try:
                page = client.page(path, "emails", {"fields": _FIELDS}, offset, count=size, tries=tries)
            except IcxError as error:
                if error.code != "answer-unreadable" or size <= SMALLEST:
                    raise
                size //= 2  # the page was too much for Mailchimp
                continue
            whole = total is None or page.total == total
            total = page.total or 0
            if not page.rows:
                break
            for row in page.rows:
                who = str(row.get("email_id") or "")
                seen.add(ids.person(who) if who else -1)
                for did in row.get("activity") or ():
                    found.add(who, did)
            offset = page.end
        if whole and len(seen) == total:
            return found
    raise _refused(campaign, f"recipients came and went while it was read, {TRIES} times")


def _refused(campaign: str, why: str) -> Refused:
    return Refused(
        "service-refused",
        f"Mailchimp did not give this campaign's activity whole: {why.rstrip('.')}.",
        where=f"reports/{campaign}/email-activity",
        kept="what was stored of it before; the other campaigns",
        next=["later: the same command"],
    )
