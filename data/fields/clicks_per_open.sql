-- name: clicks_per_open
-- type: number
-- description: clicks for each open, over the whole history; empty without an open
-- pii: no
email_click_ct / nullif(email_open_ct, 0)
