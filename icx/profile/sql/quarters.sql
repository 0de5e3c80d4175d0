-- The hours of the week, from Sunday 0:00, in UTC and in the workspace's zone, for each quarter of an hour that has an
-- event. Clocks change on whole quarters of UTC, and asking the zone for each event is slow.
select
  quarter,
  (dayofweek(quarter) * 24 + date_part('hour', quarter)) * 256
    + dayofweek(there) * 24 + date_part('hour', there) as hours
from (
  select quarter, timezone($zone, timezone('UTC', quarter)) as there
  from (select distinct time_bucket(interval 15 minute, event_ts) as quarter from {activity} where event_ts < $as_of and {mine})
)
