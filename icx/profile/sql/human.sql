-- Fields of activity.sql and recent.sql without likely machine events. Only people who have such events are
-- counted again; for everybody else these are the very same values.

-- name: email_{kind}_ct_human
-- each: kind = open, click
-- type: integer
-- description: {kind}s without likely machine ones
email_{kind}_ct

-- name: {kind}s_{days}d_human
-- each: kind = open, click
-- each: days = 7, 30, 90, 365
-- type: integer
-- description: {kind}s in the {days} days before as_of, without likely machine ones
{kind}s_{days}d

-- name: messages_{done}_90d_human
-- each: done, kind = opened open, clicked click
-- type: integer
-- description: different messages {done} in the 90 days before as_of, without likely machine {kind}s
messages_{done}_90d

-- name: last_engaged_ts
-- type: time
-- description: latest open or click that is likely a person's
greatest(email_last_open_ts, email_last_click_ts)
