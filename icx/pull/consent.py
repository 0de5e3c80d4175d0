"""Consent facts: what was learned about who said no, appended once and never taken back.

Facts are kept by account and folder, outside a connection's schema, so they outlive a reset. Each is found by
contact id and by normalised address; a person whose address changed gets the fact under the new one too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from icx.store import Connection

# What the service says of a contact and must not be forgotten when the contact is deleted and made again.
STATUSES = ("bounced", "donotcontact", "deleted")


@dataclass(frozen=True)
class Folder:
    """Whose facts these are, and when the pull that learns them began (naive UTC)."""

    account_id: int
    client_folder_id: int
    now: datetime

    @property
    def values(self) -> dict[str, object]:
        return {"account": self.account_id, "folder": self.client_folder_id, "now": self.now}


_SAME = "f.account_id = $account and f.client_folder_id = $folder and f.contact_id = n.contact_id"


def statuses(con: Connection, folder: Folder, people: str) -> None:
    """Note everybody in `people` (id, email_key, status) whom the service itself holds back."""
    con.execute(
        f"""
        insert into shared.consent_facts
        select $account, $folder, n.contact_id, n.email_key, null, n.status, $now, $now, 'contact status', null
        from (select id as contact_id, email_key, status from {people}) n
        where n.status in ('bounced', 'donotcontact', 'deleted') and not exists (
          from shared.consent_facts f
          where {_SAME} and f.fact = n.status and f.source = 'contact status'
            and f.email_key is not distinct from n.email_key)
        """,
        folder.values,
    )


def gone(con: Connection, folder: Folder) -> None:
    """Note everybody the service stopped to list with this pull."""
    con.execute(
        f"""
        insert into shared.consent_facts
        select $account, $folder, n.contact_id, n.email_key, null, 'gone', $now, $now, 'contact status', null
        from (select id as contact_id, email_key from icontact_users where gone_at = $now) n
        where not exists (
          from shared.consent_facts f where {_SAME} and f.fact = 'gone' and f.happened_at = $now)
        """,
        folder.values,
    )


def made_and_gone(con: Connection, folder: Folder, contacts: str) -> None:
    """Note as gone whom icx had made and `contacts` does not list: somebody deleted the contact before any pull.

    `contacts` is a verified reading of all contacts, with those that are not kept, such as people without a tagged
    message. Without this a person deleted by hand within the day would be made anew.
    """
    con.execute(
        f"""
        insert into shared.consent_facts
        select distinct $account, $folder, n.contact_id, n.email_key, null::bigint, 'gone', $now, $now,
          'contact status', null::bigint
        from shared.consent_facts n
        where n.account_id = $account and n.client_folder_id = $folder and n.fact = 'made' and n.happened_at < $now
          and n.contact_id not in (select id from {contacts})
          and not exists (from shared.consent_facts f where {_SAME} and f.fact = 'gone')
        """,
        folder.values,
    )


def left_lists(con: Connection, folder: Folder, subscriptions: str) -> None:
    """Note every `unsubscribed` subscription, with its date as the time known."""
    con.execute(
        f"""
        insert into shared.consent_facts
        select $account, $folder, n.contact_id, n.email_key, n.list_id, 'left',
          coalesce(n.add_date, $now), $now, 'subscription', null
        from (
          select s.contact_id, s.list_id, s.add_date, u.email_key
          from {subscriptions} s left join icontact_users u on u.id = s.contact_id
          where s.status = 'unsubscribed') n
        where not exists (
          from shared.consent_facts f
          where {_SAME} and f.list_id = n.list_id and f.fact = 'left' and f.source = 'subscription'
            and f.email_key is not distinct from n.email_key
            and (n.add_date is null or f.happened_at >= n.add_date)
            and not exists (
              from shared.consent_facts later
              where later.account_id = $account and later.client_folder_id = $folder
                and later.contact_id = n.contact_id and later.list_id = n.list_id
                and later.fact = 'normal' and later.source = 'subscription' and later.seen_at > f.seen_at))
        """,
        folder.values,
    )


def left_by_event(con: Connection, folder: Folder, message_id: int | None = None) -> None:
    """Note every unsubscribe event, against each list its message's sends included (all lists when unknown).

    A send to a segment names no list, so it counts against all.
    """
    con.execute(
        f"""
        insert into shared.consent_facts
        select distinct $account, $folder, n.contact_id, n.email_key, n.list_id, 'left',
          n.event_ts, $now, 'unsubscribe event', n.message_id
        from (
          select e.contact_id, e.event_ts, e.message_id, u.email_key, l.list_id
          from icontact_activity e
          left join icontact_users u on u.id = e.contact_id
          left join (
            select message_id, unnest(include_list_ids) as list_id from sends
            union all
            select message_id, null from sends
            where len(include_segment_ids) > 0 or len(coalesce(include_list_ids, [])) = 0
          ) l on l.message_id = e.message_id
          where e.event_type = 'unsubscribe' and ($message is null or e.message_id = $message)) n
        where not exists (
          from shared.consent_facts f
          where {_SAME} and f.list_id is not distinct from n.list_id and f.fact = 'left'
            and f.source = 'unsubscribe event' and f.message_id = n.message_id
            and f.happened_at = n.event_ts and f.email_key is not distinct from n.email_key)
        """,
        folder.values | {"message": message_id},
    )


def came_back(con: Connection, folder: Folder) -> None:
    """Note each `normal` subscription of somebody who had left that list, newly seen and not written by icx.

    It counts when it is dated after the leaving, or when this pull saw it turn from unsubscribed. Where the record of
    what icx sent was lost with a restore, a subscription of those days may be icx's own and does not count.
    """
    con.execute(
        f"""
        with left_at as (
          select f.contact_id, s.list_id, s.add_date, u.email_key, max(f.happened_at) as at
          from shared.consent_facts f
          join subscriptions s on s.contact_id = f.contact_id and s.status = 'normal'
            and (f.list_id = s.list_id or f.list_id is null)
          left join icontact_users u on u.id = s.contact_id
          where f.account_id = $account and f.client_folder_id = $folder and f.fact = 'left'
          group by all),
        turned as (
          select contact_id, list_id, bool_or(old is not null) as was_there from changes
          where entity = 'subscription' and field = 'status' and happened_at = $now and new = 'normal'
            and (old is null or old = 'unsubscribed')
          group by all)
        insert into shared.consent_facts
        select $account, $folder, n.contact_id, n.email_key, n.list_id, 'normal',
          case when n.add_date > n.at then n.add_date else $now end, $now, 'subscription', null
        from left_at n
        left join turned t on t.contact_id = n.contact_id and t.list_id = n.list_id
        where (n.add_date > n.at or t.was_there or (t.contact_id is not null and n.add_date is null))
          and (t.was_there or not exists (
            from shared.restores r where r.journal_too
              and (n.add_date is null or n.add_date between r.made_at and r.restored_at)))
          and not exists (
            from shared.consent_facts f
            where {_SAME} and f.list_id = n.list_id and f.fact = 'normal'
              and (f.happened_at > n.at or (f.source = 'apply' and f.happened_at = n.at)))
        """,
        folder.values,
    )
