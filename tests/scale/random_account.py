"""A random account in which every field differs from person to person."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from accounts import PULLED, add, contact, event, send
from chance import _subscribe, happen

from icx.store import Connection

TEXTS = ["prefix", "first_name", "last_name", "suffix", "street", "street_line_2", "city", "state", "postal_code",
         "phone", "fax", "business"]  # fmt: skip
WORDS = ["Durham", "O'Brien", 'a"b', "Größe", "İ", "漢字", "\\", "", None]
NUMBERS = ["1,200", " 7.5 ", "1e3", "1d", "0x1F", "1_000", "nan", "-0", "much", None]
DATES = [
    "03/05/2026",
    "2026-03-05",
    "2026-03-05 10:20:30",
    "5 Mar 2026",
    "13/45/2026",
    "2026-03-05T10:20:30+02:00",
    None,
]
PEOPLE = 30


def fill(con: Connection, seed: int) -> None:
    """Fill the tables of one connection; the person with the highest number is gone."""
    rnd = random.Random(seed)
    lists, messages, released = [1, 2, 3], [10, 11, 12, 13], {}
    for number, message in enumerate(messages[:3]):
        at = PULLED - timedelta(days=(1, 20, 89)[number], seconds=rnd.randrange(60))
        released[message] = at
        send(
            con,
            number + 1,
            message,
            at,
            rnd.sample(lists, rnd.randint(1, 2)),
            rnd.sample(lists, rnd.choice([0, 0, 1])),
        )
    for private, kind in (("spent, in $", "number"), ("VIP", "checkbox"), ("born", "date"), ("note", "text")):
        add(con, "custom_fields", private_name=private, field_type=kind)
    for person in range(1, PEOPLE + 1):
        values: dict[str, Any] = {name: rnd.choice(WORDS) for name in TEXTS}
        given = {"spent, in $": rnd.choice(NUMBERS), "VIP": rnd.choice(["yes", "0", "perhaps", None])}
        given |= {"born": rnd.choice(DATES), "note": rnd.choice(WORDS)}
        contact(
            con,
            person,
            email=rnd.choice([f"p{person}@example.com", f"Jo <P{person}@Example.org>", "no address", None]),
            status=rnd.choice(["normal", "bounced"]),
            create_date=PULLED - timedelta(days=rnd.randrange(900)),
            bounce_count=str(rnd.randrange(3)),
            custom={key: value for key, value in given.items() if value},
            **values,
        )
        for list_id in lists:
            _subscribe(con, rnd, list_id, person)
        for _ in range(rnd.choice([0, 0, 1, 5, 12])):
            happen(con, rnd, person, rnd.choice(messages), released)
    for kind, days in (("bounce", 3), ("bounce", 25), ("bounce", 70), ("bounce", 300)):
        event(con, rnd.randrange(1, PEOPLE), kind, PULLED - timedelta(days=days), 10)
    con.execute("update icontact_users set gone_at = ? where id = ?", [PULLED, PEOPLE])
    event(con, 999, "open", PULLED - timedelta(days=2), 10)
