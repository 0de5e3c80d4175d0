-- Queries of (contact_id, value), at most one row a contact.

-- name: received_90d
-- type: integer
-- empty: 0
-- estimate: yes
-- description: sends in the 90 days before as_of to lists that held the contact as normal at release; an estimate
-- People who were on the same lists for the same releases got the same sends, so sends are counted once for each such
-- set of stays, which goes by the sum of its stays' hashes: making lists of them would take longer than all the rest,
-- and one of 64 bits is as good as never another set's. A stay is a list, and which of its releases a membership spans: those after the first `skipped` ones,
-- up to number `passed`. Who stays where is materialized: DuckDB would count each person's spans before joining them, in vain.
with board as (
  select send_id, list_id, released_at, false as is_out
  from releases
  where released_at >= $as_of - interval 90 day
  union all
  select k.send_id, k.list_id, r.released_at, true
  from kept_out k
  join (select distinct send_id, released_at from releases) r on r.send_id = k.send_id
  where r.released_at >= $as_of - interval 90 day
),
places as (
  select *, row_number() over (partition by list_id order by released_at, send_id, is_out) as place from board
),
timetable as (
  select list_id, list_sort(list(released_at)) as moments, min(released_at) as opening
  from board
  group by list_id
),
spans as (
  select
    m.contact_id, m.list_id, greatest(m.since, t.opening) as since,
    coalesce(m.until, timestamp '9999-12-31') as until
  from memberships m
  join timetable t on t.list_id = m.list_id
),
stays as materialized (
  select list_id, since, until, skipped, passed, dense_rank() over (order by list_id, skipped, passed) as stay
  from (
    select
      s.list_id, s.since, s.until,
      array_length(list_filter(t.moments, lambda moment: moment < s.since)) as skipped,
      array_length(list_filter(t.moments, lambda moment: moment < s.until)) as passed
    from (select distinct list_id, since, until from spans) s
    join timetable t on t.list_id = s.list_id
  )
  where skipped < passed
),
staying as materialized (
  select s.contact_id, y.stay
  from spans s
  join stays y on y.list_id = s.list_id and y.since = s.since and y.until = s.until
),
holders as materialized (
  select contact_id, sum(hash(stay)) as held
  from staying
  group by contact_id
),
reached as (
  select h.held, p.send_id, bool_or(p.is_out) as is_out, bool_or(not p.is_out) as is_in
  from (
    select o.held, s.stay
    from (select held, min(contact_id) as contact_id from holders group by held) o
    join staying s on s.contact_id = o.contact_id
  ) h
  join (select distinct stay, list_id, skipped, passed from stays) y on y.stay = h.stay
  join places p on p.list_id = y.list_id and p.place > y.skipped and p.place <= y.passed
  group by h.held, p.send_id
)
select h.contact_id, r.value
from holders h
join (select held, count(*) as value from reached where is_in and not is_out group by held) r on r.held = h.held

-- name: ever_mailed
-- type: boolean
-- empty: false
-- estimate: yes
-- description: a send has reached a list while it held the contact as normal, or there is an event; an estimate
select contact_id, true as value
from (
  select m.contact_id
  from memberships m
  join (select list_id, max(released_at) as latest from releases group by list_id) r on r.list_id = m.list_id
  where m.until is null and m.since <= r.latest
  union all
  select m.contact_id
  from memberships m
  join (select list_id, list(distinct released_at) as moments from releases group by list_id) r
    on r.list_id = m.list_id
  where m.until is not null
    and array_length(list_filter(r.moments, lambda moment: moment >= m.since and moment < m.until)) > 0
  union all
  select contact_id from {marks} where {mine}
)
group by contact_id
