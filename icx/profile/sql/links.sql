-- Every link clicked by a small number, and the page it leads to by another, which counts up as the pages' keys sort:
-- numbers are cheaper to compare, sort and keep than texts.
select
  event_url, url_key, (row_number() over (order by url_key nulls last))::integer as link,
  case when url_key is not null then (dense_rank() over (order by url_key nulls last))::integer end as page
from (
  select event_url, any_value(url_key) as url_key
  from (
    select event_url, url_key from urls
    union all
    select distinct event_url, null from {activity} where event_url is not null and {mine}
  )
  group by event_url
)
