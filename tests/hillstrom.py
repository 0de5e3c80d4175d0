"""Turns the MineThatData e-mail test (Hillstrom, 64,000 customers) into a directory the sandbox can load.

The file is not part of this project; ICX_HILLSTROM is its path (CSV, plain or gzipped, columns `recency` to `spend`):

    ICX_HILLSTROM=hillstrom.csv.gz python -m tests.hillstrom DIRECTORY
    icx sandbox --load DIRECTORY --as-of 2008-03-31T12:00:00Z

Every row becomes a contact with an address at example.com and the row's attributes as custom fields, on the list of
its treatment group. Each of the two e-mails is a message sent to its group's list, a visit is a click of that message
within the two weeks that were watched. The visits of the group that got no e-mail are clicks of a third message,
"site visit, no e-mail", which was never sent.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

RELEASED = datetime(2008, 3, 6, 15, 0, tzinfo=UTC)
TWO_WEEKS = 14 * 86_400
FIRST_CONTACT = 100_001
ATTRIBUTES = {
    "recency": "number",
    "history_segment": "text",
    "history": "decimalTwo",
    "mens": "number",
    "womens": "number",
    "zip_code": "text",
    "newbie": "number",
    "channel": "text",
    "treatment": "text",
    "conversion": "number",
    "visit": "number",
    "spend": "decimalTwo",
}


@dataclass(frozen=True)
class Group:
    """One treatment group: its list, and the message its visits are clicks of."""

    treatment: str
    list_id: int
    message_id: int
    subject: str
    mailed: bool


GROUPS = {
    group.treatment: group
    for group in (
        Group("Mens E-Mail", 3001, 501, "Mens E-Mail", True),
        Group("Womens E-Mail", 3002, 502, "Womens E-Mail", True),
        Group("No E-Mail", 3003, 503, "site visit, no e-mail", False),
    )
}


@dataclass
class Counts:
    """What was written, by treatment group."""

    people: Counter[str] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)


def convert(source: Path, directory: Path) -> Counts:
    """Write contacts, subscriptions, events and the small files of `source` into `directory`, made when missing."""
    directory.mkdir(parents=True, exist_ok=True)
    counts = Counts()
    with ExitStack() as stack:

        def table(name: str, *header: str) -> Any:
            file = stack.enter_context((directory / f"{name}.csv").open("w", encoding="utf-8", newline=""))
            writer = csv.writer(file)
            writer.writerow(header)
            return writer

        contacts = table("contacts", "contact_id", "email", "create_date", *ATTRIBUTES)
        subscriptions = table("subscriptions", "list_id", "contact_id", "status", "add_date")
        events = table("events", "message_id", "kind", "contact_id", "event_time", "url")
        created = (RELEASED - timedelta(days=30)).isoformat()
        for number, row in enumerate(_rows(source)):
            contact_id, group = FIRST_CONTACT + number, GROUPS[row["treatment"]]
            address = f"customer{number + 1:05d}@example.com"
            contacts.writerow([contact_id, address, created, *(row[name] for name in ATTRIBUTES)])
            subscriptions.writerow([group.list_id, contact_id, "normal", created])
            counts.people[group.treatment] += 1
            if row["visit"] == "1":
                counts.visits[group.treatment] += 1
                when = RELEASED + timedelta(seconds=60 + number * 7_919 % (TWO_WEEKS - 120))
                url = f"https://www.example.com/visit?from={group.message_id}"
                events.writerow([group.message_id, "click", contact_id, when.isoformat(), url])
        _small_tables(table, counts)
    return counts


def _rows(source: Path) -> Iterator[dict[str, str]]:
    opened = gzip.open if source.suffix == ".gz" else open
    with opened(source, "rt", encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text)
        missing = [name for name in ATTRIBUTES if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{source.name} has no column {missing[0]}")
        yield from reader


def _small_tables(table: Any, counts: Counts) -> None:
    fields = table("custom_fields", "private_name", "field_type", "public_name")
    for name, kind in ATTRIBUTES.items():
        fields.writerow([name, kind, name.replace("_", " ").capitalize()])
    lists = table("lists", "list_id", "name", "description")
    messages = table("messages", "message_id", "subject", "create_date", "html_body", "delivered")
    sends = table("sends", "message_id", "include_list_ids", "released_time", "recipient_count", "status")
    written = (RELEASED - timedelta(days=2)).isoformat()
    for group in GROUPS.values():
        people = counts.people[group.treatment]
        lists.writerow([group.list_id, group.treatment, f"Treatment group {group.treatment}"])
        link = f"https://www.example.com/visit?from={group.message_id}"
        body = f'<html><body><a href="{link}">Visit</a></body></html>'
        messages.writerow([group.message_id, group.subject, written, body, people if group.mailed else ""])
        if group.mailed:
            sends.writerow([group.message_id, group.list_id, RELEASED.isoformat(), people, "released"])


def main() -> None:
    source = os.environ.get("ICX_HILLSTROM")
    if not source or len(sys.argv) != 2:
        sys.exit("usage: ICX_HILLSTROM=hillstrom.csv.gz python -m tests.hillstrom DIRECTORY")
    counts = convert(Path(source), Path(sys.argv[1]))
    for name in GROUPS:
        print(f"{name}: {counts.people[name]:,} people, {counts.visits[name]:,} visits")


if __name__ == "__main__":
    main()
