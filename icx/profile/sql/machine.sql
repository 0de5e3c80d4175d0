-- Moments at which events are likely a machine's: three or more distinct links of one message clicked within
-- ten seconds, or any open or click within ten seconds of a release (both figures are settings).
-- A click counts when some span of that length holds it and enough distinct links.
with clicks as (
  select contact_id, message_id, event_ts, event_url
  from {activity}
  where event_type = 'click' and event_url is not null and event_ts < $as_of
),
candidates as (
  select contact_id, message_id
  from clicks
  group by contact_id, message_id
  having count(distinct event_url) >= $machine_links
),
ends as (
  select
    c.contact_id, c.message_id, c.event_ts,
    count(distinct c.event_url) over (
      partition by c.contact_id, c.message_id order by c.event_ts
      range between to_seconds($machine_seconds) preceding and current row
    ) >= $machine_links as hot
  from clicks c
  semi join candidates k on k.contact_id = c.contact_id and k.message_id = c.message_id
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
select a.contact_id, a.message_id, a.event_type, a.event_ts
from {activity} a
join (select distinct message_id, released_at from sends where released_at is not null) s
  on s.message_id = a.message_id
where a.event_type in ('open', 'click') and a.event_ts < $as_of
  and a.event_ts >= s.released_at and a.event_ts <= s.released_at + to_seconds($machine_seconds)
