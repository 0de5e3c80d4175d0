-- Aggregates over the events of one contact up to $as_of, all computed in one pass.
-- Every event counts, not every message.

-- name: email_bouncect
-- type: integer
-- description: bounces
count(*) filter (is_bounce)

-- name: email_click_ct
-- type: integer
-- description: clicks
count(*) filter (is_click)

-- name: email_open_ct
-- type: integer
-- description: opens
count(*) filter (is_open)

-- name: email_unsubscribect
-- type: integer
-- description: unsubscribes
count(*) filter (is_unsubscribe)

-- name: email_last_click_ts
-- type: time
-- description: latest click
max(event_ts) filter (is_click)

-- name: email_last_open_ts
-- type: time
-- description: latest open
max(event_ts) filter (is_open)

-- name: email_lastbounce_ts
-- type: time
-- description: latest bounce
max(event_ts) filter (is_bounce)

-- name: email_lastunsubscribe_ts
-- type: time
-- description: latest unsubscribe
max(event_ts) filter (is_unsubscribe)

-- name: email_first_click_ts
-- type: time
-- description: first click
min(event_ts) filter (is_click)

-- name: email_first_open_ts
-- type: time
-- description: first open
min(event_ts) filter (is_open)

-- name: email_firstbounce_ts
-- type: time
-- description: first bounce
min(event_ts) filter (is_bounce)

-- name: email_firstunsubscribe_ts
-- type: time
-- description: first unsubscribe
min(event_ts) filter (is_unsubscribe)
