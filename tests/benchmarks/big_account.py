"""Big accounts made by SQL alone, in the database, in seconds to minutes: no row ever becomes a Python object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

AS_OF = datetime(2026, 3, 10, 12, 0, 0)  # noqa: DTZ001 (the store's times are naive UTC)
VERSION = 3  # of what is made here: a data set kept from another version is made anew
LINKS_A_MESSAGE = 12
HOURS = 26_280  # three years, over which the messages went out


@dataclass(frozen=True)
class Size:
    """How much of each; `giant` events more belong to one contact, `custom` is how many custom fields there are.

    With `own_links` every click has a link nobody else has, half of them to a page nobody else has.
    """

    name: str
    contacts: int
    events: int
    messages: int = 2_000
    links: int = 24_000
    lists: int = 12
    custom: int = 3
    giant: int = 0
    own_links: bool = False

    @property
    def people(self) -> str:
        return f"{self.contacts:,} contacts, {self.events + self.giant:,} events"


XS = Size("XS", 2_000, 20_000, messages=60, links=720)
S1 = Size("S1", 1_000_000, 10_000_000)
S2 = Size("S2", 10_000_000, 100_000_000)
HARD = Size(
    "hard", 1_000_000, 10_000_000, messages=50_000, links=600_000, custom=200, giant=1_000_000, own_links=True
)
SIZES = {size.name: size for size in (XS, S1, S2, HARD)}


def fill(con: Any, size: Size) -> None:
    """Fill the tables of one connection; everything follows from row numbers, so each run is the same.

    A contact's share of the events falls with its rank to the power of -1/3 (at ten events a contact: half have nine
    or fewer, one in a hundred has 32 or more). Messages went out over three years, to one or two lists each; opens
    and clicks follow their release, most within days. Of 100 events 75 are opens, 18 clicks, 5 bounces, 2
    unsubscribes; they lie in the order in which a pull reads them, by message and kind. The mail of every fiftieth
    contact is opened by a machine first, which follows all links at once.
    """
    run = _Run(con, size)
    run("insert into pulls (pull_id, started_at, began_at, state) values ('p-1', $as_of, $as_of, 'complete')")
    run("""
        insert into custom_fields (private_name, public_name, field_type)
        select 'f' || i, 'Field ' || i, ['text', 'number', 'date'][1 + i % 3] from range($custom) r(i)
    """)
    # Of many custom fields a contact has some twenty filled in.
    run("""
        insert into icontact_users (
          id, email, first_name, last_name, city, state, postal_code, phone, business, status, create_date, bounce_count,
          custom, email_key, email_domain, first_seen
        )
        select
          i + 1, 'p' || i || '@' || domain, 'Jo ' || i % 900, 'Doe ' || hash(i, 1) % 40000, 'City ' || hash(i, 2) % 300,
          'S' || hash(i, 3) % 50, lpad((hash(i, 2) % 90000)::varchar, 5, '0'),
          case when i % 3 = 0 then '919-555-' || lpad((hash(i, 4) % 10000)::varchar, 4, '0') end,
          case when i % 5 = 0 then 'Firm ' || hash(i, 5) % 20000 end,
          case hash(i, 6) % 40 when 0 then 'bounced' when 1 then 'donotcontact' else 'normal' end,
          $as_of - to_days(1100 + (i % 400)::int), (hash(i, 7) % 3)::varchar,
          map_from_entries(list_transform(
            list_filter(range($custom), lambda f: hash(i, f) % greatest($custom // 20, 1) = 0),
            lambda f: {'k': 'f' || f, 'v': case f % 3
              when 0 then ['gold', 'silver', 'none'][1 + (hash(i, f) % 3)::int]
              when 1 then (hash(i, f) % 10000 / 10)::varchar
              else strftime($as_of - to_days((hash(i, f) % 20000)::int), '%m/%d/%Y') end}
          )),
          'p' || i || '@' || domain, domain, $as_of
        from (select i, 'mail' || hash(i, 8) % 500 || '.example.com' as domain from range($contacts) r(i))
    """)
    run("insert into lists (list_id, name) select l + 1, 'List ' || l from range($lists) r(l)")
    run("""
        insert into messages (message_id, message_type, subject, create_date)
        select i + 1, 'normal', 'News ' || i, $as_of - to_hours(2 + (i * $hours // $messages)::int)
        from range($messages) r(i)
    """)
    run("""
        insert into sends (send_id, message_id, status, released_at, include_list_ids, exclude_list_ids)
        select
          i + 1, i + 1, 'released', $as_of - to_hours(1 + (i * $hours // $messages)::int),
          case when i % 3 = 0 then [i % $lists + 1, (i + 5) % $lists + 1] else [i % $lists + 1] end,
          case when i % 50 = 0 then [(i + 3) % $lists + 1] else [] end
        from range($messages) r(i)
    """)
    run("""
        insert into subscriptions
        select l + 1, i + 1, case when hash(i, l) % 20 = 0 then 'unsubscribed' else 'normal' end,
          $as_of - to_days((i % 1100)::int), null
        from range($contacts) c(i), range($lists) l(l)
        where hash(i, l, 1) % 4 = 0
    """)
    if not size.own_links:
        # Every third link differs from another one only in what follows its path.
        run(f"insert into urls select {_url('i')}, {_page('i')}, {_key(_page('i'))} from range($links) r(i)")
    _events(
        run,
        "range($events)",
        "i * $messages // $events",
        "i % ($events // $messages) * 100 // ($events // $messages)",
    )
    if size.giant:
        _events(run, "range($events, $events + $giant)", "hash(i, 6) % $messages", "i % 100", contact="1")
    if size.own_links:
        run(f"""
            insert into urls
            select event_url, page, {_key("page")}
            from (
              select distinct event_url, case when contact_id % 2 = 0
                then regexp_replace(substr(event_url, 8), '[?].*$', '') else substr(event_url, 8) end as page
              from icontact_activity where event_url is not null
            )
        """)
    con.execute("checkpoint")


def grow(con: Any, size: Size, step: int, *, since: datetime, days: int, share: float = 0.01) -> datetime:
    """Add what the pull of `days` after the moment `since` brings: a message a day, `share` of the events.

    `step` numbers such pulls, so that each brings other rows. Returns the moment that pull began.
    """
    now = since + timedelta(days=days)
    later = replace(size, messages=days, events=int(size.events * share) // days * days)
    run = _Run(con, later, as_of=now, step=step, first=size.messages * 2 + step * 100)
    run(
        "insert into pulls (pull_id, started_at, began_at, state)"
        " values ('p-' || ($step + 1), $as_of, $as_of, 'complete')"
    )
    run("""
        insert into sends (send_id, message_id, status, released_at, include_list_ids, exclude_list_ids)
        select $first + i, $first + i, 'released', $as_of - to_hours(20 + 24 * i::int), [i % $lists + 1], []
        from range($messages) r(i)
    """)
    _events(
        run,
        "range($step * 1000000000::bigint, $step * 1000000000::bigint + $events)",
        "(i % $events) * $messages // $events",
        "i % 100",
        released_at="$as_of - to_hours(20 + 24 * message::int)",
        message_id="$first + message",
    )
    return now


def _events(
    run: _Run,
    rows: str,
    message: str,
    kind: str,
    *,
    contact: str = "least(floor(pow(place, 1.5) * $contacts)::bigint, $contacts - 1) * 7919 % $contacts + 1",
    released_at: str = "$as_of - to_hours(1 + (message * $hours // $messages)::int)",
    message_id: str = "message + 1",
) -> None:
    link = f"(message * {LINKS_A_MESSAGE} + link) % $links"
    url = _url(link)
    if run.size.own_links:
        url = f"'http://shop.example.com/p/' || {link} || case when contact_id % 2 = 0 then '?c=' else '/' end || contact_id"
    run(f"""
        insert into icontact_activity
        with drawn as (
          select
            {message} as message, {kind} as kind, hash(i, 3) / pow(2, 64) as place,
            -172800 * ln(1 - hash(i, 4) / pow(2, 64) * 0.9999) as delay, (hash(i, 5) % {LINKS_A_MESSAGE})::int as link
          from {rows} r(i)
        ),
        whose as (select *, {contact} as contact_id, {released_at} as released_at from drawn),
        timed as (
          select *,
            case when contact_id % 50 = 0 and kind < 93 then 3 + link // 4
              else least(delay, delay / 864000 * epoch($as_of - released_at)) end as late
          from whose
        )
        select
          contact_id,
          case when kind < 75 then 'open' when kind < 93 then 'click' when kind < 98 then 'bounce' else 'unsubscribe' end,
          released_at + to_seconds(floor(late)::bigint),
          {message_id},
          case when kind between 75 and 92 then {url} end
        from timed
        where released_at + to_seconds(floor(late)::bigint) < $as_of
    """)


def _url(i: str) -> str:
    return f"'http://shop.example.com/p/' || {i} || '?m=' || ({i}) % 7"


def _page(i: str) -> str:
    return f"'shop.example.com/p/' || {i} // 3"


def _key(page: str) -> str:
    return f"(hash({page}) // 2)::bigint::varchar"


class _Run:
    """Runs SQL with those of the sizes bound that it names."""

    def __init__(self, con: Any, size: Size, **more: Any) -> None:
        self.con = con
        self.size = size
        self.known = {"as_of": AS_OF, "hours": HOURS, **vars(size), **more}

    def __call__(self, sql: str) -> None:
        self.con.execute(sql, {k: v for k, v in self.known.items() if f"${k}" in sql})
