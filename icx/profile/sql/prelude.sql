-- What the field queries read: the events up to $as_of, and when people held which list as normal.

-- Offsets of the workspace's zone. Clocks change on whole quarters of an hour of UTC, so one look-up for each
-- quarter that has an event is enough; asking the zone for each event is slow.
quarters as materialized (
  select quarter, timezone($zone, timezone('UTC', quarter)) - quarter as shift
  from (select distinct time_bucket(interval 15 minute, event_ts) as quarter from {activity} where event_ts < $as_of)
),

-- Each event once, with what the fields ask of it. Hours of the week count from Sunday 0:00.
-- Machine moments are few, so marking them is a join with a small table.
events as (
  select
    a.contact_id, a.event_type, a.event_ts, a.message_id, a.event_url, p.url_key,
    m.contact_id is not null as machine,
    a.event_type = 'open' as is_open,
    a.event_type = 'click' as is_click,
    a.event_type = 'bounce' as is_bounce,
    a.event_type = 'unsubscribe' as is_unsubscribe,
    a.event_ts >= $as_of - interval 7 day as in_7d,
    a.event_ts >= $as_of - interval 30 day as in_30d,
    a.event_ts >= $as_of - interval 90 day as in_90d,
    a.event_ts >= $as_of - interval 365 day as in_365d,
    (dayofweek(a.event_ts) * 24 + date_part('hour', a.event_ts))::utinyint as hour_of_week,
    (dayofweek(a.event_ts + q.shift) * 24 + date_part('hour', a.event_ts + q.shift))::utinyint as hour_of_week_local
  from {activity} a
  join quarters q on q.quarter = time_bucket(interval 15 minute, a.event_ts)
  left join {machine} m
    on m.contact_id = a.contact_id and m.message_id = a.message_id
    and m.event_type = a.event_type and m.event_ts = a.event_ts
  left join (select event_url, any_value(url_key) as url_key from urls where url_key is not null group by event_url) p
    on p.event_url = a.event_url
  where a.event_ts < $as_of
),

releases as materialized (
  select distinct s.send_id, s.message_id, unnest(s.include_list_ids) as list_id, s.released_at
  from sends s
  where s.released_at < $as_of
),

kept_out as materialized (
  select distinct send_id, unnest(exclude_list_ids) as list_id
  from sends
  where released_at < $as_of and len(exclude_list_ids) > 0
),

-- When somebody left a list, as far as unsubscribe events tell: each counts for the lists its message went to,
-- and for every list when that is unknown.
farewells as materialized (
  select e.contact_id, r.list_id, max(e.event_ts) as left_at
  from (select * from {activity} where event_type = 'unsubscribe' and event_ts < $as_of) e
  left join (select distinct message_id, list_id from releases) r on r.message_id = e.message_id
  group by all
),

-- What is known of each subscription's status over time: the changes seen by pulls, and before them the state
-- the first change started from; without changes the state of today, since the day of subscribing.
steps as materialized (
  select
    list_id, contact_id, happened_at as changed_at, new as status,
    row_number() over (partition by list_id, contact_id order by happened_at) as step,
    old
  from changes
  where entity = 'subscription' and field = 'status'
),

states as materialized (
  select list_id, contact_id, changed_at, status from steps where old is not null or step > 1
  union all
  select
    t.list_id, t.contact_id, coalesce(s.add_date, timestamp '1970-01-01'), coalesce(t.old, t.status)
  from steps t
  left join subscriptions s on s.list_id = t.list_id and s.contact_id = t.contact_id
  where t.step = 1
),

-- Spans in which a list held a contact as normal; `until` is null while it still does.
memberships as materialized (
  select list_id, contact_id, changed_at as since, until
  from (
    select *, lead(changed_at) over (partition by list_id, contact_id order by changed_at) as until from states
  )
  where status = 'normal'
  union all
  select s.list_id, s.contact_id, coalesce(s.add_date, timestamp '1970-01-01'), null
  from subscriptions s
  where s.status = 'normal'
    and not exists (select 1 from steps t where t.list_id = s.list_id and t.contact_id = s.contact_id)
  union all
  select s.list_id, s.contact_id, coalesce(s.add_date, timestamp '1970-01-01'), max(f.left_at)
  from subscriptions s
  join farewells f on f.contact_id = s.contact_id and (f.list_id = s.list_id or f.list_id is null)
  where s.status = 'unsubscribed'
    and not exists (select 1 from steps t where t.list_id = s.list_id and t.contact_id = s.contact_id)
  group by all
)
