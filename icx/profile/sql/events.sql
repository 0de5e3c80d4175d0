-- The events up to $as_of as the fields read them, each once, those of one contact together: grouping them is twice
-- as fast so. `mark` is what the maps by message and by hour are made from.
select
  a.contact_id, a.event_ts, a.message_id, l.link, l.page,
  a.event_type = 'open' as is_open,
  a.event_type = 'click' as is_click,
  a.event_type = 'bounce' as is_bounce,
  a.event_type = 'unsubscribe' as is_unsubscribe,
  a.message_id * 65536 + q.hours as mark
from {activity} a
join {quarters} q on q.quarter = time_bucket(interval 15 minute, a.event_ts)
left join {links} l on l.event_url = a.event_url
where a.event_ts < $as_of and {mine}
order by a.contact_id
