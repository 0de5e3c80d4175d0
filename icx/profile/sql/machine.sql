-- Moments at which events are likely a machine's: three or more distinct links of one message clicked within
-- ten seconds, or any open or click within ten seconds of a release (both figures are settings).
-- A click counts when some span of that length holds it and enough distinct links. Few messages got that many clicks
-- of one person, so only their clicks are looked at one by one.
with candidates as (
  select contact_id, message_id
  from {events}
  where is_click and link is not null
  group by contact_id, message_id
  having count(*) >= $machine_links
),
clicks as (
  select e.contact_id, e.message_id, e.event_ts, e.link
  from {events} e
  semi join candidates k on k.contact_id = e.contact_id and k.message_id = e.message_id
  where e.is_click and e.link is not null
),
ends as (
  select
    contact_id, message_id, event_ts,
    count(distinct link) over (
      partition by contact_id, message_id order by event_ts
      range between to_seconds($machine_seconds) preceding and current row
    ) >= $machine_links as hot
  from clicks
),
bursts as (
  select
    contact_id, message_id, event_ts,
    bool_or(hot) over (
      partition by contact_id, message_id order by event_ts
      range between current row and to_seconds($machine_seconds) following
    ) as burst
  from ends
)
select contact_id, message_id, 'click' as event_type, event_ts
from bursts
where burst
union
select e.contact_id, e.message_id, case when e.is_open then 'open' else 'click' end as event_type, e.event_ts
from {events} e
join (select distinct message_id, released_at from sends where released_at is not null) s
  on s.message_id = e.message_id
where (e.is_open or e.is_click)
  and e.event_ts >= s.released_at and e.event_ts <= s.released_at + to_seconds($machine_seconds)
