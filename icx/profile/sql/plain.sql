-- The events up to $as_of as counts read them, each once.
select
  a.contact_id, a.event_ts, a.message_id, l.link, l.page,
  a.event_type = 'open' as is_open,
  a.event_type = 'click' as is_click,
  a.event_type = 'bounce' as is_bounce,
  a.event_type = 'unsubscribe' as is_unsubscribe
from {activity} a
left join {links} l on l.event_url = a.event_url
where a.event_ts < $as_of and {mine}
