"""Why one person is in an audience or out of it: that person's row, lists and events, and the deciding rule."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
    (person,) = load_all(con, people, reading, [contact_id])
    return person


def load_all(
    con: Connection, people: People, reading: Reading, contact_ids: Sequence[int], *, events: bool = True
) -> list[Person]:
    """Return some contacts with everything a rule can ask about, in one pass over each table.

    Without `events` theirs are left out, for rules that ask nothing of them: it is the longest table.
    """
    if not contact_ids:
        return []
    these = f"in ({', '.join(str(int(one)) for one in contact_ids)})"
    cursor = con.execute(f"select * from {quoted(people.profile)} where contact_id {these}")
    names = [column[0] for column in cursor.description or []]
    values = {row[names.index("contact_id")]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
    lists = _lists(con, reading, these)
    happened: dict[int, list[Happened]] = defaultdict(list)
    if not events:
        return _persons(reading, contact_ids, values, lists, happened)
    rows = con.execute(
        f"""
        select e.contact_id, e.event_type, e.event_ts, e.message_id, e.event_url, exists (
          select 1 from machine_events m where m.contact_id = e.contact_id and m.message_id = e.message_id
            and m.event_type = e.event_type and m.event_ts = e.event_ts and m.contact_id {these}
        )
        from (select * from icontact_activity where contact_id {these} and event_ts < ?) e
        order by e.event_ts
        """,
        [reading.now],
    )
    for contact_id, kind, at, message, url, machine in rows.fetchall():
        happened[contact_id].append(Happened(kind, at, message, url, machine))
    return _persons(reading, contact_ids, values, lists, happened)


def _persons(
    reading: Reading,
    contact_ids: Sequence[int],
    values: Mapping[int, dict[str, Any]],
    lists: Mapping[int, dict[int, str]],
    happened: Mapping[int, list[Happened]],
) -> list[Person]:
    about = (reading.catalogue, reading.as_of, reading.lookup)
    return [Person(one, values[one], *about, lists[one], tuple(happened[one])) for one in contact_ids]


def _lists(con: Connection, reading: Reading, these: str) -> Mapping[int, dict[int, str]]:
    """Return everybody's status on each list, for a past profile as it was then; `these` is of whom."""
    rows = con.execute(
        f"select contact_id, list_id, status, add_date from subscriptions where contact_id {these}"
    ).fetchall()
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for contact_id, list_id, status, added in rows:
        if not reading.past or added is None or added < reading.now:
            found[contact_id][list_id] = status
    if not reading.past:
        return found
    later = con.execute(
        "select contact_id, list_id, old from changes where entity = 'subscription' and field = 'status'"
        f" and contact_id {these} and happened_at > ? order by happened_at desc",
        [reading.now],
    ).fetchall()
    for contact_id, list_id, old in later:
        found[contact_id][list_id] = old
    return defaultdict(dict, {who: _known(states) for who, states in found.items()})


def _known(states: dict[int, str]) -> dict[int, str]:
    return {list_id: status for list_id, status in states.items() if status is not None}
