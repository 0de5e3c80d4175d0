-- Queries of (contact_id, k, n): each becomes one map from k to the sum of n, or null when there is no row.

-- name: hashedurls
-- type: text→integer
-- description: how often each page was clicked, by the hash of its host and path
select e.contact_id, u.url_key as k, count(*) as n
from events e
join urls u on u.event_url = e.event_url
where u.url_key is not null
group by e.contact_id, u.url_key

-- name: {kind}s_by_message
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by message id
select contact_id, message_id::varchar as k, count(*) as n
from events
where event_type = '{kind}'
group by contact_id, message_id

-- name: {kind}_hours
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of day, UTC
select contact_id, hour::varchar as k, sum(n) as n
from hours
where event_type = '{kind}'
group by contact_id, hour

-- name: {kind}_hours_of_week
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of week, UTC; Sunday 0:00 is hour 0
select contact_id, hour_of_week::varchar as k, sum(n) as n
from hours
where event_type = '{kind}'
group by contact_id, hour_of_week

-- name: {kind}_hours_local
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of day in the workspace's zone
select contact_id, hour_local::varchar as k, sum(n) as n
from hours
where event_type = '{kind}'
group by contact_id, hour_local

-- name: {kind}_hours_of_week_local
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of week in the workspace's zone; Sunday 0:00 is hour 0
select contact_id, hour_of_week_local::varchar as k, sum(n) as n
from hours
where event_type = '{kind}'
group by contact_id, hour_of_week_local
