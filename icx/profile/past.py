"""People as they were: today's rows with the changes since a moment taken back."""

from __future__ import annotations

from datetime import datetime

from icx.functions import email, emaildomain
from icx.store.db import Connection, literal, quoted

TEXTS = (
    "email", "prefix", "first_name", "last_name", "suffix", "street", "street_line_2", "city", "state",
    "postal_code", "phone", "fax", "business", "status", "bounce_count",
)  # fmt: skip


def users_then(con: Connection, table: str, moment: datetime) -> str:
    """Make the temporary table `table`: the people listed at `moment` (naive UTC), as they were then.

    Returns "then", or "today" when the moment lies before the first pull, so that no change is known of it.
    A change counts as happened when the pull that noticed it began.
    """
    con.execute(
        """
        create or replace temp table undo as
        select contact_id, map_from_entries(list({'k': field, 'v': old})) as was
        from (
          select contact_id, field, arg_min({'v': old}, happened_at).v as old
          from changes
          where entity = 'contact' and happened_at > $moment
          group by contact_id, field
        )
        group by contact_id
        """,
        {"moment": moment},
    )
    texts = ",\n".join(
        f"case when map_contains(c.was, {literal(name)}) then c.was[{literal(name)}] else u.{name} end as {name}"
        for name in TEXTS
    )
    con.execute(
        f"""
        create or replace temp table {quoted(table)} as
        select
          u.id, {texts}, u.create_date, u.create_date_text,
          case when c.contact_id is null then u.custom else map_from_entries(
            list_concat(
              list_filter(map_entries(u.custom), lambda e: not map_contains(c.was, 'cf_' || e.key)),
              list_transform(
                list_filter(map_entries(c.was), lambda e: starts_with(e.key, 'cf_') and e.value is not null),
                lambda e: {{'key': substr(e.key, 4), 'value': e.value}}
              )
            )
          ) end as custom,
          u.email_key, u.email_domain, u.first_seen, cast(null as timestamp) as gone_at
        from icontact_users u
        left join undo c on c.contact_id = u.id
        where coalesce(u.create_date, u.first_seen) < $moment
          and case
            when u.first_seen > $moment then true  -- seen later for the first time, but created by then
            when map_contains(c.was, 'exists') then c.was['exists'] is not null
            else u.gone_at is null or u.gone_at > $moment
          end
        """,
        {"moment": moment},
    )
    _read_addresses(con, table)
    row = con.execute(
        "select min(started_at) from pulls where state = 'complete' and only_unit is null"
    ).fetchone()
    return "today" if row is None or row[0] is None or moment < row[0] else "then"


def _read_addresses(con: Connection, table: str) -> None:
    """Read the addresses that were other ones then; there are as many as changes, so a few."""
    changed = con.execute(
        f"select distinct t.email from {quoted(table)} t join icontact_users u on u.id = t.id"
        " where t.email is distinct from u.email"
    ).fetchall()
    for (address,) in changed:
        con.execute(
            f"update {quoted(table)} set email_key = ?, email_domain = ?"
            " where email is not distinct from ? and id in"
            f" (select t.id from {quoted(table)} t join icontact_users u on u.id = t.id"
            "  where t.email is distinct from u.email)",
            [email(address), emaildomain(address), address],
        )
