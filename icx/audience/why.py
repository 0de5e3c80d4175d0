"""Why one person is in an audience or out of it: that person's row, lists and events, and the deciding rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from icx.audience.audience import Audience
from icx.audience.people import People, as_audience
from icx.errors import BadInput
from icx.functions import email
from icx.rules import Happened, Person, Reading, Reason, Rule, reason
from icx.store import Connection, quoted


@dataclass(frozen=True)
class Why:
    """The answer about one person; `who` is how they were named.

    A typed address is shown again, since whoever typed it knows it; a person named by id stays an id.
    """

    audience: str
    contact_id: int
    who: str
    reason: Reason

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from icx import mask
        from icx.look import page

        shown = (lambda words: words) if "@" in self.who else mask.addresses_in
        rows = []
        for row in self.reason.rows:
            words = page.tag("span", shown(row.english), style=f"padding-left:{20 * row.depth}px")
            decides = page.pill("", "decides", "arrow") if row.decides else ""
            verdict = page.icon("ok", "yes") if row.holds else page.icon("bad", "no")
            rows.append(
                (
                    verdict,
                    page.tag("b", words) if row.decides else words,
                    shown(self.reason.detail(row)),
                    decides,
                )
            )
        head = page.head(
            f"{self.who} is {'in' if self.reason.inside else 'out'}",
            "",
            self.audience,
            self.reason.headline(self.who),
        )
        return page.root(
            head, page.tag("div", page.table(("", "Rule", "This person", ""), rows), cls="why"), name="Why"
        )

    def text(self, *, show_people: bool = False) -> str:
        return self.reason.text(self.who, show_people=show_people or "@" in self.who)

    def as_dict(self, *, show_people: bool = False) -> dict[str, Any]:
        return {"audience": self.audience} | self.reason.as_dict(show_people=show_people)


def why(
    people: People,
    audience: Audience | Rule,
    who: str | int,
    running: Callable[[Connection], None] | None = None,
) -> Why:
    """Return why a person (an address or a contact id) is in or out; `running` hears of the cursor to interrupt.

    Raises `contact-unknown` when nobody here has the address or id, `shared-address` with all ids when
    several contacts have the address.
    """
    named = as_audience(audience)
    with people.open(audience) as (con, reading, rule):
        if running is not None:
            running(con)
        contact_id = find(con, people, who, named.name)
        person = load(con, people, reading, contact_id)
    shown = f"{str(who).strip()} ({contact_id})" if "@" in str(who) else f"#{contact_id}"
    return Why(named.name, contact_id, shown, reason(rule, person))


def find(con: Connection, people: People, who: str | int, audience: str = "") -> int:
    """Return the contact id of an address or id, as the profile has it."""
    text = str(who).strip()
    profile = quoted(people.profile)
    if re.fullmatch(r"#?\d{1,18}", text):
        sql, values = f"select contact_id from {profile} where contact_id = ?", [int(text.lstrip("#"))]
    else:
        sql = (
            f"select p.contact_id from {profile} p join icontact_users u on u.id = p.contact_id"
            " where u.email_key = ? or lower(u.email) = ? order by 1"
        )
        key = email(text) or text.lower()
        values = [key, text.lower()]  # type: ignore[list-item]
    found = [int(row[0]) for row in con.execute(sql, values).fetchall()]
    if len(found) == 1:
        return found[0]
    command = ["icx", "audience", "why", audience or "NAME"]
    if found:
        raise BadInput(
            "shared-address",
            f"{len(found)} contacts of {people.connection} have that address.",
            where=", ".join(f"#{one}" for one in found[:9]),
            kept="nothing was changed",
            next=[[*command, str(one)] for one in found[:3]],
        )
    raise BadInput(
        "contact-unknown",
        f"Nobody in the profile of {people.connection} has that {'address' if '@' in text else 'id'}.",
        where=f"{people.connection}.{people.profile}; people iContact no longer lists are not in it",
        kept="nothing was changed",
        next=[["icx", "person", text]]
        if "@" not in text
        else ["icx person - asks for the address and looks everywhere"],
    )


def load(con: Connection, people: People, reading: Reading, contact_id: int) -> Person:
    """Return one contact with everything a rule can ask about."""
    cursor = con.execute(f"select * from {quoted(people.profile)} where contact_id = ?", [contact_id])
    names = [column[0] for column in cursor.description or []]
    row = cursor.fetchone()
    assert row is not None
    lists = _lists(con, reading, contact_id)
    events = con.execute(
        """
        select e.event_type, e.event_ts, e.message_id, e.event_url, exists (
          select 1 from machine_events m where m.contact_id = e.contact_id and m.message_id = e.message_id
            and m.event_type = e.event_type and m.event_ts = e.event_ts
        )
        from icontact_activity e
        where e.contact_id = ? and e.event_ts < ?
        order by e.event_ts
        """,
        [contact_id, reading.now],
    ).fetchall()
    return Person(
        contact_id,
        dict(zip(names, row, strict=True)),
        reading.catalogue,
        reading.as_of,
        reading.lookup,
        lists,
        tuple(Happened(kind, at, message, url, machine) for kind, at, message, url, machine in events),
    )


def _lists(con: Connection, reading: Reading, contact_id: int) -> dict[int, str]:
    """Return somebody's status on each list, for a past profile as it was then."""
    rows = con.execute(
        "select list_id, status, add_date from subscriptions where contact_id = ?", [contact_id]
    ).fetchall()
    if not reading.past:
        return {list_id: status for list_id, status, _ in rows}
    states = {list_id: status for list_id, status, added in rows if added is None or added < reading.now}
    later = con.execute(
        "select list_id, old from changes where entity = 'subscription' and field = 'status'"
        " and contact_id = ? and happened_at > ? order by happened_at desc",
        [contact_id, reading.now],
    ).fetchall()
    for list_id, old in later:
        states[list_id] = old
    return {list_id: status for list_id, status in states.items() if status is not None}
