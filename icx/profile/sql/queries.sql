-- Queries of (contact_id, value), at most one row a contact.

-- name: received_90d
-- type: integer
-- empty: 0
-- estimate: yes
-- description: sends in the 90 days before as_of to lists that held the contact as normal at release; an estimate
with recent as (
  select send_id, list_id, released_at, count(*) over (partition by send_id) as lists
  from releases
  where released_at >= $as_of - interval 90 day
),
reached as (
  -- A send to one list reaches a person once; only sends to several lists need to be told apart.
  select m.contact_id, r.send_id
  from (select * from recent where lists = 1 and send_id not in (select send_id from kept_out)) r
  join memberships m
    on m.list_id = r.list_id and m.since <= r.released_at and (m.until is null or m.until > r.released_at)
  union all
  select distinct m.contact_id, r.send_id
  from (select * from recent where lists > 1 or send_id in (select send_id from kept_out)) r
  join memberships m
    on m.list_id = r.list_id and m.since <= r.released_at and (m.until is null or m.until > r.released_at)
  anti join (
    select k.send_id, x.contact_id
    from kept_out k
    join recent t on t.send_id = k.send_id
    join memberships x
      on x.list_id = k.list_id and x.since <= t.released_at and (x.until is null or x.until > t.released_at)
  ) o on o.send_id = r.send_id and o.contact_id = m.contact_id
)
select contact_id, count(*) as value
from reached
group by contact_id

-- name: ever_mailed
-- type: boolean
-- empty: false
-- estimate: yes
-- description: a send has reached a list while it held the contact as normal, or there is an event; an estimate
select distinct contact_id, true as value
from (
  select m.contact_id
  from memberships m
  join (select list_id, max(released_at) as latest from releases group by list_id) r on r.list_id = m.list_id
  where m.until is null and m.since <= r.latest
  union all
  select m.contact_id
  from memberships m
  join releases r on r.list_id = m.list_id and m.since <= r.released_at and m.until > r.released_at
  union all
  select contact_id from {activity} where event_ts < $as_of
)
