-- What the fields read beside the events: pages' keys, and when people held which list as normal.

-- Pages' keys in the order of their numbers.
page_keys as materialized (
  select list_transform(list_sort(list({'page': page, 'key': url_key})), lambda p: p.key) as keys
  from (select distinct page, url_key from {links} where page is not null)
),

-- The last year's events, with the windows they fall into.
recent_events as not materialized (
  select
    *,
    event_ts >= $as_of - interval 7 day as in_7d,
    event_ts >= $as_of - interval 30 day as in_30d,
    event_ts >= $as_of - interval 90 day as in_90d,
    true as in_365d
  from {events}
  where event_ts >= $as_of - interval 365 day
),

-- All events of the people who have likely machine events, with those no longer opens or clicks.
human_events as not materialized (
  select
    e.contact_id, e.event_ts, e.message_id, e.is_bounce, e.is_unsubscribe,
    e.is_open and m.contact_id is null as is_open,
    e.is_click and m.contact_id is null as is_click,
    e.event_ts >= $as_of - interval 7 day as in_7d,
    e.event_ts >= $as_of - interval 30 day as in_30d,
    e.event_ts >= $as_of - interval 90 day as in_90d,
    e.event_ts >= $as_of - interval 365 day as in_365d
  from {events} e
  semi join {machine} k on k.contact_id = e.contact_id
  left join {machine} m
    on m.contact_id = e.contact_id and m.message_id = e.message_id and m.event_ts = e.event_ts
    and m.event_type = case when e.is_open then 'open' when e.is_click then 'click' end
),

releases as materialized (
  select distinct s.send_id, s.message_id, unnest(s.include_list_ids) as list_id, s.released_at
  from sends s
  where s.released_at < $as_of
),

kept_out as materialized (
  select distinct send_id, unnest(exclude_list_ids) as list_id
  from sends
  where released_at < $as_of and array_length(exclude_list_ids) > 0
),

-- When somebody left a list, as far as unsubscribe events tell: each counts for the lists its message went to,
-- and for every list when that is unknown.
farewells as materialized (
  select e.contact_id, r.list_id, max(e.event_ts) as left_at
  from (
    select contact_id, message_id, event_ts
    from {activity}
    where event_type = 'unsubscribe' and event_ts < $as_of and {mine}
  ) e
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
  where entity = 'subscription' and field = 'status' and {mine}
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
  where s.status = 'normal' and {mine}
    and not exists (select 1 from steps t where t.list_id = s.list_id and t.contact_id = s.contact_id)
  union all
  select s.list_id, s.contact_id, coalesce(s.add_date, timestamp '1970-01-01'), max(f.left_at)
  from (select * from subscriptions where status = 'unsubscribed' and {mine}) s
  join farewells f on f.contact_id = s.contact_id and (f.list_id = s.list_id or f.list_id is null)
  where not exists (select 1 from steps t where t.list_id = s.list_id and t.contact_id = s.contact_id)
  group by all
)
