-- Aggregates over the events of one contact in the 365 days before $as_of: a third of three years' events, so a
-- pass of their own is cheaper than one over all.

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
