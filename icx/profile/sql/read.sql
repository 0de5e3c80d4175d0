-- Computed when the profile is read, not stored, so that a day's passing changes no row.

-- name: days_since_last_open
-- type: integer
-- description: whole days of 24 hours from the latest open to as_of
(epoch($as_of) - epoch(email_last_open_ts))::bigint // 86400

-- name: days_since_last_active
-- type: integer
-- description: whole days of 24 hours from the latest open, click or unsubscribe to as_of
(epoch($as_of) - epoch(last_active_ts))::bigint // 86400
