-- What everybody's events are, as one number each: it is another one when an event came, went or changed.
select
  contact_id,
  sum((hash(event_type, message_id, event_ts, event_url) >> 1)::bigint) as events_mark
from {activity}
where event_ts < $as_of
group by contact_id
