"""History: what differs between two readings of contacts, subscriptions, lists and custom fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from icx.pull.columns import COLUMNS
from icx.store import Connection, literal, one_row

_PLAIN = [c.name for c in COLUMNS["contacts"] if c.name not in ("id", "custom")]


@dataclass(frozen=True)
class Counted:
    """How many rows a reading brought, altered, and found missing."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    opted_out: int = 0


def contacts(
    con: Connection, people: str, source: str, now: datetime, *, verified: bool, touched_only: bool
) -> Counted:
    """Bring icontact_users to what `read_contacts` gave, its table `people`, and write what differs into `changes`.

    Only a verified reading may call a contact gone. With `touched_only` just people with an event are kept.
    """
    if touched_only:
        untouched = "where id not in (select contact_id from icontact_activity)"
        for table in {people, "icontact_users"}:
            con.execute(f"delete from {table} {untouched}")
    if people == "icontact_users":
        return Counted(new=_one(con, "select count(*) from icontact_users"))
    _note_contacts(con, now)
    con.execute("delete from icontact_users where id in (select id from reading where differs or is_back)")
    row = one_row(
        con.execute(
            "select count(*) filter (is_new or is_back), count(*) filter (differs and not is_new) from reading"
        )
    )
    new, changed = row or (0, 0)
    con.execute(
        """
        insert into icontact_users by name
        select r.* exclude (is_new, is_back, differs), null::timestamp as gone_at
        from reading r where is_new or is_back or differs
        """
    )
    gone = 0
    if verified:
        missing = f"gone_at is null and id not in (select id from {source})"
        con.execute(
            f"insert into changes select $now, 'contact', id, null, 'exists', '1', null "
            f"from icontact_users where {missing}",
            {"now": now},
        )
        con.execute(f"update icontact_users set gone_at = $now where {missing}", {"now": now})
        gone = _one(con, "select count(*) from icontact_users where gone_at = $now", {"now": now})
    con.execute("drop table reading")
    return Counted(new=new, changed=changed, gone=gone)


def read_contacts(
    con: Connection, source: str, now: datetime, gone_fields: list[str], *, unique: bool = False
) -> str:
    """Return the table that has everybody in `source` with keys, once each (`unique`: as they stand there).

    It is icontact_users itself where that was empty; else the temporary table `reading`, with what is new about them.
    Values of custom fields the service no longer has (`gone_fields`) are carried on from what is stored.
    """
    _odd_addresses(con, source)
    everybody = f"select * from {source}" + (
        "" if unique else " qualify row_number() over (partition by id) = 1"
    )
    keys = f"""
        case when {_plain_address("s.email")} then lower(s.email) else k.email_key end as email_key,
        case when {_plain_address("s.email")} then split_part(lower(s.email), '@', 2) else k.email_domain end as email_domain
    """
    if not _one(con, "select count(*) from (from icontact_users limit 1)"):
        con.execute(
            f"""
            insert into icontact_users by name
            select s.* exclude (custom), {keys}, coalesce(s.custom, map {{}}) as custom,
              $now as first_seen, null::timestamp as gone_at
            from ({everybody}) s left join odd_addresses k on k.email = s.email
            """,
            {"now": now},
        )
        return "icontact_users"
    same = ", ".join(f"s.{name}" for name in _PLAIN)
    was = ", ".join(f"u.{name}" for name in _PLAIN)
    con.execute(
        f"""
        create or replace temp table reading as
        with s as ({everybody}),
        merged as (
          select s.* exclude (custom), {keys},
            coalesce(u.first_seen, $now) as first_seen,
            case when len($gone_fields::varchar[]) = 0 or u.custom is null then coalesce(s.custom, map {{}})
              else map_concat(
                map_from_entries(list_filter(
                  map_entries(u.custom), lambda e: list_contains($gone_fields::varchar[], e.key))),
                coalesce(s.custom, map {{}})) end as custom,
            u.id is null as is_new,
            u.gone_at is not null as is_back,
            u.custom as old_custom,
            row({same}) is distinct from row({was}) as plain_differs
          from s
          left join icontact_users u on u.id = s.id
          left join odd_addresses k on k.email = s.email)
        select * exclude (old_custom, plain_differs),
          not is_new and (plain_differs or list_sort(map_entries(custom))
            is distinct from list_sort(map_entries(coalesce(old_custom, map {{}})))) as differs
        from merged
        """,
        {"now": now, "gone_fields": gone_fields},
    )
    return "reading"


def _plain_address(address: str) -> str:
    from icx.functions.address import PLAIN

    return f"regexp_full_match({address}, {literal(PLAIN)})"


def _odd_addresses(con: Connection, source: str) -> None:
    """Make a table of the addresses that take reading; each that was never stored before is read once."""
    import pyarrow as pa

    from icx.functions import email, emaildomain

    con.execute(
        f"""
        create or replace temp table odd_addresses as
        select email, any_value(email_key) as email_key, any_value(email_domain) as email_domain
        from icontact_users where not {_plain_address("email")} group by email
        """
    )
    con.execute(
        f"select distinct s.email from {source} s anti join odd_addresses k on k.email = s.email "
        f"where not {_plain_address('s.email')}"
    )
    read = []
    while batch := con.fetchmany(50_000):
        texts = [text for (text,) in batch]
        read.append(
            pa.table(
                {
                    "email": pa.array(texts, pa.string()),
                    "email_key": pa.array([email(text) for text in texts], pa.string()),
                    "email_domain": pa.array([emaildomain(text) for text in texts], pa.string()),
                }
            )
        )
    for page in read:
        con.register("read_page", page)
        con.execute("insert into odd_addresses select * from read_page")
        con.unregister("read_page")


def _note_contacts(con: Connection, now: datetime) -> None:
    pairs = ", ".join(
        f"{{'field': '{name}', 'old': u.{name}::varchar, 'new': r.{name}::varchar}}"
        for name in _PLAIN
        if name != "create_date_text"
    )
    con.execute(
        f"""
        insert into changes
        select $now, 'contact', r.id, null, c.field, c.old, c.new
        from reading r join icontact_users u on u.id = r.id,
          unnest([{pairs}]) as t(c)
        where r.differs and c.old is distinct from c.new
        """,
        {"now": now},
    )
    con.execute(
        """
        insert into changes
        select $now, 'contact', id, null, 'cf_' || name, old[name], new[name]
        from (
          select r.id, coalesce(u.custom, map {}) as old, r.custom as new,
            unnest(list_distinct(list_concat(map_keys(coalesce(u.custom, map {})), map_keys(r.custom)))) as name
          from reading r join icontact_users u on u.id = r.id where r.differs)
        where old[name] is distinct from new[name]
        """,
        {"now": now},
    )
    con.execute(
        "insert into changes select $now, 'contact', id, null, 'exists', null, '1' "
        "from reading where is_new or is_back",
        {"now": now},
    )


def subscriptions(
    con: Connection, source: str, now: datetime, *, verified: bool, touched_only: bool, unique: bool = False
) -> Counted:
    """Bring subscriptions to the reading in `source`, write status changes into `changes`."""
    keep = "contact_id in (select id from icontact_users)" if touched_only else "true"
    read = f"select * from {source} where {keep}" + (
        "" if unique else " qualify row_number() over (partition by list_id, contact_id) = 1"
    )
    if not _one(con, "select count(*) from (from subscriptions limit 1)"):
        con.execute(f"insert into subscriptions {read}")
        return Counted(new=_one(con, "select count(*) from subscriptions"))
    con.execute(f"create or replace temp table reading as {read}")
    con.execute(
        """
        create or replace temp table differing as
        select coalesce(r.list_id, s.list_id) as list_id, coalesce(r.contact_id, s.contact_id) as contact_id,
          s.status as old, r.status as new
        from reading r full join subscriptions s using (list_id, contact_id)
        where row(r.status, r.add_date, r.confirmation_message_id)
          is distinct from row(s.status, s.add_date, s.confirmation_message_id)
        """
    )
    if not verified:
        con.execute("delete from differing where new is null")
    con.execute(
        "insert into changes select $now, 'subscription', contact_id, list_id, 'status', old, new "
        "from differing where old is distinct from new",
        {"now": now},
    )
    row = one_row(
        con.execute(
            """
            select count(*) filter (old is null), count(*) filter (old is not null and new is not null),
              count(*) filter (new is null),
              count(distinct contact_id) filter (new = 'unsubscribed' and old is distinct from new)
            from differing
            """
        )
    )
    con.execute(
        "delete from subscriptions using differing d "
        "where subscriptions.list_id = d.list_id and subscriptions.contact_id = d.contact_id"
    )
    con.execute(
        "insert into subscriptions select r.* from reading r semi join differing using (list_id, contact_id)"
    )
    con.execute("drop table differing")
    con.execute("drop table reading")
    return Counted(*row) if row else Counted()


def named(con: Connection, table: str, key: str, source: str, now: datetime, *, verified: bool) -> Counted:
    """Bring lists or custom_fields to the reading; one the service no longer has is kept and marked gone."""
    entity = {"lists": "list", "custom_fields": "custom_field"}[table]
    first = _one(con, f"select count(*) from {table}") == 0
    list_id = key if table == "lists" else "null"
    label = "'exists'" if table == "lists" else f"'cf_' || {key}"
    new = _one(
        con,
        f"select count(*) from {source} s where not exists "
        f"(from {table} t where t.{key} = s.{key} and t.gone_at is null)",
    )
    if not first:
        con.execute(
            f"insert into changes select $now, '{entity}', null, {list_id}, {label}, null, '1' from {source} s "
            f"where not exists (from {table} t where t.{key} = s.{key} and t.gone_at is null)",
            {"now": now},
        )
    gone = 0
    if verified:
        con.execute(
            f"insert into changes select $now, '{entity}', null, {list_id}, {label}, '1', null from {table} "
            f"where gone_at is null and {key} not in (select {key} from {source})",
            {"now": now},
        )
        con.execute(
            f"update {table} set gone_at = $now "
            f"where gone_at is null and {key} not in (select {key} from {source})",
            {"now": now},
        )
        gone = _one(con, f"select count(*) from {table} where gone_at = $now", {"now": now})
    con.execute(f"delete from {table} where {key} in (select {key} from {source})")
    con.execute(
        f"insert into {table} by name select * from {source} qualify row_number() over (partition by {key}) = 1"
    )
    return Counted(new=new, gone=gone)


def _one(con: Connection, sql: str, values: dict[str, object] | None = None) -> int:
    row = one_row(con.execute(sql, values or {}))
    assert row is not None
    return int(row[0])
