-- Computed when the profile is read, not stored: what one step makes of stored columns, because it is sooner made than
-- read; days, so that a day's passing changes no row; maps, because DuckDB takes longer to make one than to read ten
-- lists of numbers, and few readers ask for all of them.

-- name: last_active_ts
-- type: time
-- description: latest open, click or unsubscribe
greatest(email_last_open_ts, email_last_click_ts, email_lastunsubscribe_ts)

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

-- name: days_since_last_open
-- type: integer
-- description: whole days of 24 hours from the latest open to as_of
(epoch_us($as_of) - epoch_us(email_last_open_ts)) // 86400000000

-- name: days_since_last_active
-- type: integer
-- description: whole days of 24 hours from the latest open, click or unsubscribe to as_of
(epoch_us($as_of) - epoch_us(last_active_ts)) // 86400000000

-- name: last_channel_activities
-- type: text→time
-- description: latest open, click or unsubscribe, under the key email
case when last_active_ts is not null then map(['email'], [last_active_ts]) end

-- name: channels
-- type: text list
-- description: email, when the contact has opened, clicked or unsubscribed
case when last_active_ts is not null then ['email'] end

-- name: {kind}s_by_message
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by message id
list_aggregate(list_transform({kind}_marks, lambda mark: mark >> 16), 'histogram')

-- name: {kind}_hours
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of day, UTC
list_aggregate(list_transform({kind}_marks, lambda mark: (mark >> 8 & 255) % 24), 'histogram')

-- name: {kind}_hours_of_week
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of week, UTC; Sunday 0:00 is hour 0
list_aggregate(list_transform({kind}_marks, lambda mark: mark >> 8 & 255), 'histogram')

-- name: {kind}_hours_local
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of day in the workspace's zone
list_aggregate(list_transform({kind}_marks, lambda mark: (mark & 255) % 24), 'histogram')

-- name: {kind}_hours_of_week_local
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of week in the workspace's zone; Sunday 0:00 is hour 0
list_aggregate(list_transform({kind}_marks, lambda mark: mark & 255), 'histogram')
