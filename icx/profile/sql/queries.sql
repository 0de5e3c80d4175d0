-- Queries of (contact_id, value), at most one row a contact.

-- name: received_90d
-- type: integer
-- empty: 0
-- estimate: yes
-- description: sends in the 90 days before as_of to lists that held the contact as normal at release; an estimate
select m.contact_id, count(distinct r.send_id) as value
from releases r
join memberships m
  on m.list_id = r.list_id and m.since <= r.released_at and (m.until is null or m.until > r.released_at)
where r.released_at >= $as_of - interval 90 day
  and not exists (
    select 1
    from kept_out k
    join memberships x
      on x.list_id = k.list_id and x.since <= r.released_at and (x.until is null or x.until > r.released_at)
    where k.send_id = r.send_id and x.contact_id = m.contact_id
  )
group by m.contact_id

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
  select contact_id from events
)
