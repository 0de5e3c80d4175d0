"""What is known about consent: today's statuses and the facts that never go away, for one target list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from icx.clock import aware_utc, naive_utc
from icx.errors import NeedsYou
from icx.plan.decide import CONTACTS, FACTS
from icx.store import Store, quoted, restoring
from icx.store.plans import Place


@dataclass(frozen=True)
class Known:
    """Contacts and facts that concern the people given, and what the folder held when.

    `read_at` is the start of the last complete pull (aware UTC), None when there was none; `folder_size` how
    many contacts it left.
    """

    contacts: pa.Table
    facts: pa.Table
    read_at: datetime | None
    folder_size: int


def known(
    store: Store,
    connection: str,
    place: Place,
    people: pa.Table,
    *,
    one_sender: Sequence[Sequence[str]] = (),
    parked: Mapping[int, int] | None = None,
    parking_list: int | None = None,
) -> Known:
    """Return what the store knows about `people` (contact_id, email_key; wanted and members together).

    Their contacts, and those under their addresses who are not to be contacted. Facts of the folder that concern this list: those without a list, those of the list itself, and of those
    `parked` from it by icx, what they did on the parking list. Do-not-contact is also taken from the folders
    that `one_sender` names as one sender with this connection, by address.
    """
    group = sorted({name for names in one_sender if connection in names for name in names} - {connection})
    with store.open(connection) as con:
        con.register("people", people)
        away = parked or {}
        lists = {"contact_id": pa.array(away, pa.int64()), "list_id": pa.array(away.values(), pa.int64())}
        con.register("parked", pa.table(lists))
        contacts = con.sql(_CONTACTS).to_arrow_table()
        con.register("concerned", contacts)
        facts = con.sql(
            _FACTS,
            params={
                "account": place.account_id,
                "folder": place.client_folder_id,
                "list": place.list_id,
                "parking": parking_list,
                "others": group,
            },
        ).to_arrow_table()
        ((read_at, size),) = con.execute(_FRESHNESS).fetchall()
        for name in ("people", "parked", "concerned"):
            con.unregister(name)
    return Known(contacts.cast(CONTACTS), facts.cast(FACTS), aware_utc(read_at) if read_at else None, size)


_FRESHNESS = """
select (select max(started_at) from pulls where state = 'complete'),
       (select count(*) from icontact_users where gone_at is null)
"""

# Of others under the same address only this one word counts for the people asked for.
_CONTACTS = """
with asked as materialized (
  select id, email, email_key, status, gone_at from icontact_users semi join people on contact_id = id
)
select id as contact_id, email, email_key,
       case when gone_at is not null then 'gone' else coalesce(status, 'unknown') end as status
from asked
union all
select id, email, email_key, status
from icontact_users
anti join asked using (id)
semi join (select email_key from people union all select email_key from asked) using (email_key)
where status = 'donotcontact' and gone_at is null
"""

# A subscription found unsubscribed carries the date it began, not the date it ended: it counts from when it
# was seen. What icx itself subscribed is no coming back.
_FACTS = """
with folder_facts as (
  select contact_id, email_key, list_id, fact, source, message_id,
         case when fact = 'left' and source = 'subscription' then seen_at else happened_at end as happened_at
  from shared.consent_facts
  where account_id = $account and client_folder_id = $folder
    and not (fact = 'normal' and source = 'apply')
),
here as materialized (
  select * from folder_facts
  where fact not in ('left', 'normal', 'made') or list_id = $list or (list_id is null and fact = 'left')
  union all
  select f.* from folder_facts f join parked using (contact_id, list_id) where f.fact = 'left'
  union all
  select * replace ('left_parking' as fact)
  from folder_facts where fact = 'left' and (list_id = $parking or list_id is null)
  union all
  select null, f.email_key, null, f.fact, 'same sender', null, f.happened_at
  from shared.consent_facts f
  join shared.connections c using (account_id, client_folder_id)
  where list_contains($others::varchar[], c.name) and f.fact = 'donotcontact'
)
select contact_id, email_key, fact, happened_at, source, message_id
from here semi join people using (contact_id)
union all
select contact_id, email_key, fact, happened_at, source, message_id
from here anti join people using (contact_id)
semi join (select email_key from people union all select email_key from concerned) using (email_key)
"""


def wrote(store: Store, place: Place, contacts: Sequence[int], now: datetime) -> None:
    """Note which of these contacts, subscribed by icx just now, had ever left: it was not their own coming back."""
    if not contacts:
        return
    with store.open() as con:
        con.register("joined", pa.table({"contact_id": pa.array(contacts, pa.int64())}))
        con.execute(
            """
            insert into shared.consent_facts
            select distinct $account, $folder, contact_id, f.email_key, $list, 'normal', $now, $now, 'apply', null
            from shared.consent_facts f join joined using (contact_id)
            where f.account_id = $account and f.client_folder_id = $folder and f.fact = 'left'
            """,
            {
                "account": place.account_id,
                "folder": place.client_folder_id,
                "list": place.list_id,
                "now": naive_utc(now),
            },
        )
        con.unregister("joined")


def made(store: Store, place: Place, people: Sequence[tuple[int, str | None]], now: datetime) -> None:
    """Note whom icx made here, (contact id, email key) each; a contact that is noted stays as it is.

    It says nothing about consent: a pull that never finds the contact learns from it that somebody deleted it.
    """
    if not people:
        return
    contacts = pa.table(
        {
            "contact_id": pa.array([contact for contact, _ in people], pa.int64()),
            "email_key": pa.array([key for _, key in people], pa.string()),
        }
    )
    with store.open() as con:
        con.register("new", contacts)
        con.execute(
            """
            insert into shared.consent_facts
            select $account, $folder, contact_id, email_key, null, 'made', $now, $now, 'apply', null
            from new where not exists (
              from shared.consent_facts f
              where f.account_id = $account and f.client_folder_id = $folder and f.contact_id = new.contact_id
                and f.fact = 'made')
            """,
            {"account": place.account_id, "folder": place.client_folder_id, "now": naive_utc(now)},
        )
        con.unregister("new")


def freshness(store: Store, connection: str) -> tuple[datetime | None, int]:
    """Return the start of the last complete pull (aware UTC), and how many contacts the folder then held."""
    with store.open(connection) as con:
        ((read_at, size),) = con.execute(_FRESHNESS).fetchall()
    return (aware_utc(read_at) if read_at else None), size


def check_read(
    store: Store, connection: str, one_sender: Sequence[Sequence[str]], step: Sequence[str]
) -> None:
    """Raise `restored-unread` while the database came from a backup and the service was not read in full since.

    Who said no after the backup was made is not in it, neither in this folder nor in those named as one sender with it.
    """
    group = {connection, *(name for names in one_sender if connection in names for name in names)}
    with store.open() as con:
        known = {name for (name,) in con.execute("select name from shared.connections").fetchall()}
        for name in [connection, *sorted(group & known - {connection})]:
            found = restoring.unread(con, name)
            if found is None:
                continue
            restored_at, made_at = found
            raise NeedsYou(
                "restored-unread",
                "The database came from a backup, and who said no since the backup is not known yet.",
                where=f"{name}: restored {restored_at:%Y-%m-%d %H:%M} UTC, of {made_at:%Y-%m-%d %H:%M} UTC",
                kept="nothing was sent",
                next=[["icx", "pull", name], list(step)],
            )


def unread(
    store: Store, connection: str, place: Place, have: pa.Table, want: pa.Table
) -> dict[int, str | None]:
    """Return the contacts that no pull has seen: members just read, and those icx made of whom is wanted by address.

    Each comes with the address key icx made it with, None for others. Who is known to be gone is left out.
    """
    with store.open(connection) as con:
        con.register("have", have)
        con.register("wanted", want.select(["contact_id", "email_key"]))
        found = con.execute(
            """
            with made as (
              select f.contact_id, f.email_key from shared.consent_facts f
              semi join (from wanted where contact_id is null) using (email_key)
              where f.account_id = $account and f.client_folder_id = $folder and f.fact = 'made'
                and not exists (
                  from shared.consent_facts g
                  where g.account_id = $account and g.client_folder_id = $folder
                    and g.contact_id = f.contact_id and g.fact = 'gone'))
            select contact_id, any_value(email_key)
            from (select contact_id, null as email_key from have union all from made)
            where contact_id not in (select id from icontact_users) group by contact_id order by contact_id
            """,
            {"account": place.account_id, "folder": place.client_folder_id},
        ).fetchall()
        con.unregister("wanted")
        con.unregister("have")
    return {int(contact): key for contact, key in found}


def remember(store: Store, place: Place, have: pa.Table, now: datetime) -> None:
    """Note everybody who is unsubscribed on the list just read and was not known to have left it.

    The row may be moved away before the next pull sees it; the fact stays.
    """
    if place.list_id is None:
        return
    with store.open() as con:
        schema = con.execute(
            "select name from shared.connections where account_id = ? and client_folder_id = ? limit 1",
            [place.account_id, place.client_folder_id],
        ).fetchall()
        con.register("have", have)
        users = f"{quoted(schema[0][0])}.icontact_users" if schema else "(select 0 as id, '' as email_key)"
        con.execute(
            f"""
            insert into shared.consent_facts
            select $account, $folder, h.contact_id, u.email_key, $list, 'left', $now, $now, 'subscription', null
            from have h left join {users} u on u.id = h.contact_id
            where h.status = 'unsubscribed' and not exists (
              from shared.consent_facts f
              where f.account_id = $account and f.client_folder_id = $folder and f.list_id = $list
                and f.contact_id = h.contact_id and f.fact = 'left' and not exists (
                  from shared.consent_facts n
                  where n.account_id = $account and n.client_folder_id = $folder and n.list_id = $list
                    and n.contact_id = h.contact_id and n.fact = 'normal' and n.happened_at > f.happened_at))
            """,
            {
                "account": place.account_id,
                "folder": place.client_folder_id,
                "list": place.list_id,
                "now": naive_utc(now),
            },
        )
        con.unregister("have")


def append(store: Store, place: Place, facts: Sequence[tuple[int, str | None, str]], now: datetime) -> None:
    """Note what an apply saw: (contact id, email key, `left` or `donotcontact`) each, as facts that stay.

    What is known already and stands is not noted again: an apply that goes on sees the same people once more.
    """
    if not facts:
        return
    contacts, keys, names = zip(*facts, strict=True)
    said = {
        "contact_id": pa.array(contacts, pa.int64()),
        "email_key": pa.array(keys, pa.string()),
        "fact": pa.array(names, pa.string()),
    }
    with store.open() as con:
        con.register("said", pa.table(said))
        con.execute(
            """
            insert into shared.consent_facts
            select distinct $account, $folder, contact_id, email_key, case when fact = 'left' then $list end, fact,
              $now, $now, 'apply', null
            from said where not exists (
              from shared.consent_facts f
              where f.account_id = $account and f.client_folder_id = $folder and f.contact_id = said.contact_id
                and f.email_key is not distinct from said.email_key and f.fact = said.fact
                and (f.fact <> 'left' or f.list_id = $list)
                and not exists (
                  from shared.consent_facts n
                  where n.account_id = $account and n.client_folder_id = $folder and n.list_id = $list
                    and n.contact_id = f.contact_id and n.fact = 'normal' and f.fact = 'left'
                    and n.happened_at > f.happened_at))
            """,
            {
                "account": place.account_id,
                "folder": place.client_folder_id,
                "list": place.list_id,
                "now": naive_utc(now),
            },
        )
        con.unregister("said")
