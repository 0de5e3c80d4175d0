-- Whom a refresh computes anew: who is new or gone, whose contact or events are not what they were, whose events pass
-- the edge of a window between $since and $as_of, and whose messages were released at another moment than was known.
select distinct contact_id
from (
  select u.id as contact_id
  from (select id, hash(u) as person_mark from {users} u) u
  left join {marks} m on m.contact_id = u.id
  left join {kept} k on k.contact_id = u.id
  where k.contact_id is null or k.row_mark is distinct from hash(u.person_mark, m.events_mark)
  union all
  select contact_id from {kept} k anti join {users} u on u.id = k.contact_id
  union all
  select contact_id
  from {activity}
  where event_ts >= $since - interval 7 day and event_ts < $as_of - interval 7 day
    or event_ts >= $since - interval 30 day and event_ts < $as_of - interval 30 day
    or event_ts >= $since - interval 90 day and event_ts < $as_of - interval 90 day
    or event_ts >= $since - interval 365 day and event_ts < $as_of - interval 365 day
  union all
  select contact_id
  from {activity}
  where message_id in (
    select message_id
    from (
      select true as known, message_id, released_at from profile_releases
      union
      select false, message_id, released_at from sends where released_at is not null
    )
    group by message_id, released_at
    having count(*) = 1
  )
)
