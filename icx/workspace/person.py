"""Everything held about somebody, for the person who asks and the analyst who answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from icx.clock import aware_utc
from icx.errors import BadInput
from icx.functions import email as email_key
from icx.mask import address, plain
from icx.points.ledger import Ledger, of_person
from icx.store import Connection, Store, pushed, quoted
from icx.store.plans import Plans
from icx.triggers import firings
from icx.triggers.firings import Firing
from icx.words import counted, form

LINES = 10  # of the points' ledger; `icx points ledger` has them all
FACTS = {
    "left": "left",
    "donotcontact": "asked never to be contacted",
    "bounced": "bounced",
    "deleted": "deleted there",
    "gone": "no longer listed there",
    "normal": "subscribed again there",
}


@dataclass(frozen=True)
class Push:
    """One row of one plan that concerned this person."""

    plan: str
    happened: datetime
    what: str
    list_name: str
    audience: str
    who: str


@dataclass(frozen=True)
class Person:
    """One contact of one connection, with all that is stored about it. Times are aware, UTC."""

    connection: str
    contact_id: int
    email: str | None
    status: str | None
    created: datetime | None
    gone_at: datetime | None
    lists: Sequence[tuple[str, str, datetime | None]]
    events: Mapping[str, int]
    facts: Sequence[tuple[datetime, str, str, str]]
    pushes: Sequence[Push]
    held: Mapping[str, int]
    attributes: Mapping[str, str] = field(default_factory=dict)
    points: Ledger | None = None
    fired: Sequence[Firing] = ()

    def __repr__(self) -> str:
        return (
            f"contact {self.contact_id} of {self.connection}, {counted(sum(self.held.values()), 'row')} held"
        )

    def as_dict(self, *, show_people: bool = True) -> dict[str, Any]:
        """Return what `icx person --json` prints for one contact; without `show_people` values are masked."""
        return {
            "connection": self.connection,
            "contact_id": self.contact_id,
            "email": self.email if show_people else address(self.email),
            "status": self.status,
            "created": self.created,
            "gone_at": self.gone_at,
            "attributes": dict(self.attributes) if show_people else dict.fromkeys(self.attributes, "…"),
            "lists": [{"list": name, "status": status, "since": since} for name, status, since in self.lists],
            "events": dict(self.events),
            "said_no": [
                {"happened": when, "fact": fact, "list": where, "source": source}
                for when, fact, where, source in self.facts
            ],
            "pushes": [vars(push) for push in self.pushes],
            "points": self.points.as_dict(show_people=show_people) if self.points else None,
            "fired": [one.as_dict() for one in self.fired],
            "held": dict(self.held),
        }

    def lines(self, zone: ZoneInfo, *, show_people: bool = True) -> list[str]:
        """Return the same as text; with `show_people` also the values, as for an address that was typed."""

        def day(moment: datetime | None) -> str:
            return moment.astimezone(zone).strftime("%-d %b %Y") if moment else "an unknown day"

        named = plain(self.email or "no address") if show_people else address(self.email)
        head = f"{named}: contact {self.contact_id} of {self.connection}, {self.status or 'no status'}"
        out = [head + (f", created {day(self.created)}" if self.created else "")]
        if self.gone_at:
            out.append(f"  gone      no longer listed there since {day(self.gone_at)}")
        filled = [f"{plain(name)} {plain(value)}" for name, value in self.attributes.items()]
        if filled and not show_people:
            filled = [
                f"{counted(len(filled), 'field')} {form(len(filled), 'is')} filled; --show-people shows them"
            ]
        out += _block("fields", [" · ".join(filled)] if filled else ["none is filled"])
        lists = [f"{plain(name)}: {status} since {day(since)}" for name, status, since in self.lists]
        out += _block("lists", lists or ["on no list"])
        counts = [f"{n:,} {kind}{'' if n == 1 else 's'}" for kind, n in self.events.items() if n]
        out += _block("mail", [" · ".join(counts) if counts else "no event"])
        out += _block(
            "said no",
            [
                f"{day(when)} {FACTS.get(fact, fact)}, {plain(where)} ({source})"
                for when, fact, where, source in self.facts
            ],
        )
        out += _block(
            "pushes",
            [
                f"{p.plan} {day(p.happened)}: {p.what}, {plain(p.list_name)}, for “{plain(p.audience)}”, by {plain(p.who)}"
                for p in self.pushes
            ],
        )
        if self.points and self.points.lines:
            newest = list(reversed(self.points.lines[-LINES:]))
            more = len(self.points.lines) - len(newest)
            told = [line.text(zone, show_people=show_people) for line in newest]
            told += (
                [f"and {counted(more, 'older award')}: icx points ledger {self.contact_id}"] if more else []
            )
            out += _block("points", [self.points.headline, *told])
        fired = [f"{plain(one.trigger)}: {one.text(zone)}" for one in self.fired[:LINES]]
        out += _block("triggers", fired) if fired else []
        held = [f"{n:,} {what}" for what, n in self.held.items() if n]
        out += _block("held in", [" · ".join(held)])
        return out


def _block(label: str, lines: Sequence[str]) -> list[str]:
    return [f"  {label if i == 0 else '':<9} {text}" for i, text in enumerate(lines)]


def find(
    store: Store,
    connections: Sequence[str],
    who: str,
    pushes: Mapping[tuple[str, int], Sequence[Push]] | None = None,
) -> list[Person]:
    """Return the contacts that an address or a contact id names, in the given connections."""
    people: list[Person] = []
    for connection in connections:
        with store.open(connection) as con:
            for contact_id in ids(con, who):
                people.append(
                    # A mapping that looks rows up one by one has no length, so it is never taken for its truth.
                    _read(
                        con,
                        connection,
                        contact_id,
                        (pushes if pushes is not None else {}).get((connection, contact_id), ()),
                    )
                )
    if people:
        return people
    raise BadInput(
        "person-unknown",
        "Nobody of that address or id is stored.",
        where=f"{', '.join(connections) or 'no connection'}; nothing is held about them here",
        kept="nothing was changed",
        next=[["icx", "pull", connections[0]]] if connections else [["icx", "connect"]],
    )


def ids(con: Connection, who: str) -> list[int]:
    """Return the contacts of a connection that an address or a contact id names."""
    if who.strip().isdigit():
        rows = con.execute("select id from icontact_users where id = ?", [int(who)]).fetchall()
    else:
        key = email_key(who.strip())
        rows = con.execute(
            "select id from icontact_users where email_key = ? or email = ? order by id", [key, who.strip()]
        ).fetchall()
    return [row[0] for row in rows]


def _read(con: Connection, connection: str, contact_id: int, pushes: Sequence[Push]) -> Person:
    row = con.execute(
        "select email, status, create_date, gone_at, email_key, custom from icontact_users where id = ?",
        [contact_id],
    ).fetchall()[0]
    lists = con.execute(
        """select coalesce(l.name, '#' || s.list_id), s.status, s.add_date
             from subscriptions s left join lists l using (list_id) where s.contact_id = ? order by s.add_date""",
        [contact_id],
    ).fetchall()
    events = con.execute(
        "select event_type, count(*) from icontact_activity where contact_id = ? group by 1 order by 2 desc",
        [contact_id],
    ).fetchall()
    facts = con.execute(
        # A subscription found unsubscribed is dated by when it began; when it ended is known from seeing it.
        """select case when f.fact = 'left' and f.source = 'subscription' then f.seen_at else f.happened_at end as day,
                  f.fact, coalesce('list ' || l.name, case when f.list_id is null then 'every list' else 'list #' || f.list_id end), f.source
             from shared.consent_facts f join shared.connections c using (account_id, client_folder_id)
             left join lists l on l.list_id = f.list_id
            where c.name = ? and (f.contact_id = ? or f.email_key = ?) order by day""",
        [connection, contact_id, row[4]],
    ).fetchall()
    said = [one for one in facts if one[1] != "made"]  # that icx made somebody is no word of theirs
    ledger, fired = of_person(con, connection, contact_id), firings.of_person(con, contact_id)
    counted = {
        "events": sum(n for _, n in events),
        "subscriptions": len(lists),
        "consent facts": len(facts),
        "push rows": len(pushes),
        "changes": _count(con, "changes where contact_id = ?", [contact_id]),
        "point awards": len(ledger.lines),
        "firings of triggers": len(fired),
        "snapshots": _count(
            con, "shared.member_snapshots where contact_id = ? and connection = ?", [contact_id, connection]
        ),
    }
    return Person(
        connection=connection,
        contact_id=contact_id,
        email=row[0],
        status=row[1],
        created=aware_utc(row[2]) if row[2] else None,
        gone_at=aware_utc(row[3]) if row[3] else None,
        lists=[(name, status, aware_utc(since) if since else None) for name, status, since in lists],
        events=dict(events),
        facts=[(aware_utc(when), fact, where, source) for when, fact, where, source in said],
        pushes=list(pushes),
        held={"contact row": 1, **counted},
        attributes=_attributes(con, contact_id, row[5]),
        points=ledger,
        fired=fired,
    )


def _attributes(con: Connection, contact_id: int, custom: Mapping[str, str] | None) -> dict[str, str]:
    names = [
        "prefix",
        "first_name",
        "last_name",
        "suffix",
        "street",
        "street_line_2",
        "city",
        "state",
        "postal_code",
        "phone",
        "fax",
        "business",
    ]
    row = con.execute(
        f"select {', '.join(map(quoted, names))} from icontact_users where id = ?", [contact_id]
    ).fetchall()[0]
    return {name: value for name, value in zip(names, row, strict=True) if value} | dict(custom or {})


def _count(con: Connection, clause: str, values: list[Any]) -> int:
    return int(con.execute(f"select count(*) from {clause}", values).fetchall()[0][0])


def pushes_of(plans: Plans, connections: Sequence[str]) -> _Pushes:
    """Return the rows of plans by (connection, contact id), read when asked for."""
    return _Pushes(plans, connections)


class _Pushes(Mapping[tuple[str, int], Sequence[Push]]):
    """Looks a person's rows up in the journal one at a time, so that naming nobody costs nothing."""

    def __init__(self, plans: Plans, connections: Sequence[str]) -> None:
        self._plans = plans
        self._connections = connections

    def __getitem__(self, key: tuple[str, int]) -> Sequence[Push]:
        connection, contact_id = key
        rows = [
            row
            for row in pushed.of_contact(self._plans.journal, contact_id)
            if row["connection"] == connection
        ]
        return [
            Push(
                plan=row["plan"],
                happened=datetime.fromisoformat(row["at"]),
                what=" ".join(
                    filter(
                        None, [row["action"].replace("_", " "), row["state"].replace("_", " "), row["words"]]
                    )
                ),
                list_name=row["list_name"],
                audience=row["audience"],
                who=row["who"],
            )
            for row in rows
        ]

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(())

    def __len__(self) -> int:
        return 0
