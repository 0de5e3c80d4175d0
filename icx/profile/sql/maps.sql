-- Lists of keys over the events of one contact: each becomes a map from a key to how often it stands in the list,
-- or null when the list is empty. Lists written alike are collected once.

-- name: hashedurls
-- type: text→integer
-- description: how often each page was clicked, by the hash of its host and path
list(url_key) filter (url_key is not null)

-- name: {kind}s_by_message
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by message id
list(message_id) filter (is_{kind})

-- name: {kind}_hours
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of day, UTC
list_transform(list(hour_of_week) filter (is_{kind}), lambda hour: hour % 24)

-- name: {kind}_hours_of_week
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of week, UTC; Sunday 0:00 is hour 0
list(hour_of_week) filter (is_{kind})

-- name: {kind}_hours_local
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of day in the workspace's zone
list_transform(list(hour_of_week_local) filter (is_{kind}), lambda hour: hour % 24)

-- name: {kind}_hours_of_week_local
-- each: kind = open, click
-- type: text→integer
-- description: {kind}s by hour of week in the workspace's zone; Sunday 0:00 is hour 0
list(hour_of_week_local) filter (is_{kind})
