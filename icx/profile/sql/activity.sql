-- Aggregates over the events of one contact up to $as_of, all computed in one pass.
-- Every event counts, not every message. `machine` marks opens and clicks that are likely a machine's.

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

-- name: {kind}s_{days}d
-- each: kind = open, click, bounce
-- each: days = 7, 30, 90, 365
-- type: integer
-- description: {kind}s in the {days} days before as_of
count(*) filter (is_{kind} and in_{days}d)

-- name: messages_{done}_90d
-- each: done, kind = opened open, clicked click
-- type: integer
-- description: different messages {done} in the 90 days before as_of
list_unique(list(message_id) filter (is_{kind} and in_90d))

-- name: likely_machine_{kind}s
-- each: kind = open, click
-- type: integer
-- description: {kind}s that a machine probably made: many links at once, or right after the release
count(*) filter (is_{kind} and machine)

-- name: email_{kind}_ct_human
-- each: kind = open, click
-- type: integer
-- description: {kind}s without likely machine ones
count(*) filter (is_{kind} and not machine)

-- name: {kind}s_{days}d_human
-- each: kind = open, click
-- each: days = 7, 30, 90, 365
-- type: integer
-- description: {kind}s in the {days} days before as_of, without likely machine ones
count(*) filter (is_{kind} and not machine and in_{days}d)

-- name: messages_{done}_90d_human
-- each: done, kind = opened open, clicked click
-- type: integer
-- description: different messages {done} in the 90 days before as_of, without likely machine {kind}s
list_unique(list(message_id) filter (is_{kind} and not machine and in_90d))

-- name: last_engaged_ts
-- type: time
-- description: latest open or click that is likely a person's
max(event_ts) filter ((is_open or is_click) and not machine)
