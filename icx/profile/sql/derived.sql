-- Expressions over the columns above, and over the ones before them in this file.

-- name: hashedurls
-- type: text→integer
-- description: how often each page was clicked, by the hash of its host and path
map(list_select((select keys from page_keys), map_keys(click_pages)), map_values(click_pages)::bigint[])

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
