-- Expressions over the columns above, and over the ones before them in this file.

-- name: last_active_ts
-- type: time
-- description: latest open, click or unsubscribe
greatest(email_last_open_ts, email_last_click_ts, email_lastunsubscribe_ts)

-- name: hashedurls
-- type: text→integer
-- description: how often each page was clicked, by the hash of its host and path
map(list_select((select keys from page_keys), map_keys(click_pages)), map_values(click_pages)::bigint[])

-- name: likely_machine_{kind}s
-- each: kind = open, click
-- type: integer
-- description: {kind}s that a machine probably made: many links at once, or right after the release
email_{kind}_ct - email_{kind}_ct_human

-- name: open_rate_90d
-- type: number
-- estimate: yes
-- description: different messages opened / received in 90 days; empty when nothing was received
messages_opened_90d / nullif(received_90d, 0)

-- name: click_rate_90d
-- type: number
-- estimate: yes
-- description: different messages clicked / received in 90 days; empty when nothing was received
messages_clicked_90d / nullif(received_90d, 0)

-- name: click_to_open_90d
-- type: number
-- description: different messages clicked / opened in 90 days; empty when nothing was opened
messages_clicked_90d / nullif(messages_opened_90d, 0)

-- name: engagement_tier
-- type: text
-- description: engaged_30, engaged_60, engaged_90, lapsed, never_engaged or never_mailed, from likely human events
case
  when last_engaged_ts >= $as_of - interval 30 day then 'engaged_30'
  when last_engaged_ts >= $as_of - interval 60 day then 'engaged_60'
  when last_engaged_ts >= $as_of - interval 90 day then 'engaged_90'
  when last_engaged_ts is not null then 'lapsed'
  when ever_mailed then 'never_engaged'
  else 'never_mailed'
end
