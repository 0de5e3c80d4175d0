"""What the overview asks of a connection's tables; `$since` is the Monday of its first week, naive UTC."""

from __future__ import annotations

TABLES = "select table_name from information_schema.tables where table_schema = ?"

# Each contact once, under what decides first; the sum is every contact still listed.
STATES = """
    select
      case
        when coalesce(u.status, '') <> 'normal' then coalesce(u.status, 'no status')
        when s.best = 3 then 'mailable'
        when s.best = 2 then 'asked'
        when s.best = 1 then 'unsubscribed'
        else 'on no list'
      end, count(*)
    from icontact_users u
    left join (
      select contact_id,
        max(case status when 'normal' then 3 when 'pending' then 2 when 'unsubscribed' then 1 else 0 end) as best
      from subscriptions group by contact_id
    ) s on s.contact_id = u.id
    where u.gone_at is null
    group by 1
"""
BEFORE = """
    select count(*) filter (create_date is null or create_date < $since) - count(*) filter (gone_at < $since)
    from icontact_users
"""
COMING_AND_GOING = """
    select date_trunc('week', create_date)::date, 'joined', count(*) from icontact_users
    where create_date >= $since group by 1
    union all
    select date_trunc('week', gone_at)::date, 'gone', count(*) from icontact_users
    where gone_at >= $since group by 1
"""
EVENTS = """
    select date_trunc('week', event_ts)::date, event_type, count(*) from icontact_activity
    where event_ts >= $since group by all
    union all
    select date_trunc('week', event_ts)::date, 'leavers', count(distinct contact_id) from icontact_activity
    where event_ts >= $since and event_type = 'unsubscribe' group by 1
"""
MACHINES = """
    select date_trunc('week', a.event_ts)::date, 'machine ' || a.event_type, count(*)
    from icontact_activity a
    semi join machine_events m on m.contact_id = a.contact_id and m.message_id = a.message_id
      and m.event_type = a.event_type and m.event_ts = a.event_ts
    where a.event_ts >= $since group by all
"""
TIERS = "select coalesce(engagement_tier, 'never_mailed'), count(*) from profile group by 1"
DOMAINS = """
    select email_domain, count(*), null from icontact_users
    where gone_at is null and email_domain is not null
    group by 1 having count(*) >= ? order by 2 desc, 1 limit ?
"""
DOMAINS_OPENED = """
    select email_domain, count(*), count(*) filter (messages_opened_90d_human > 0) from profile
    where email_domain is not null
    group by 1 having count(*) >= ? order by 2 desc, 1 limit ?
"""
LISTS = """
    select list_id, coalesce(nullif(name, ''), 'list ' || list_id),
      count(*) filter (s.status = 'normal'), count(*) filter (s.status = 'pending'),
      count(*) filter (s.status = 'unsubscribed'), coalesce(welcome_on_manual_add, false)
    from lists left join subscriptions s using (list_id)
    where gone_at is null
    group by list_id, name, welcome_on_manual_add
    order by 3 desc, 1 limit ?
"""
CHECKS = """
    select suite, max_by(judged, ran_at), max(ran_at), max_by(ok, ran_at) from checks group by suite order by suite
"""
