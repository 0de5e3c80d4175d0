-- The same with `mark`, which the maps by message and by hour are made from; those of one contact together: sorting
-- costs more than one grouping saves by it, and less than all of them do.
select a.*, a.message_id * 65536 + q.hours as mark
from (
{plain}
) a
join {quarters} q on q.quarter = time_bucket(interval 15 minute, a.event_ts)
order by a.contact_id
