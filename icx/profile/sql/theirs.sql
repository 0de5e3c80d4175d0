-- All events of the people a refresh computes anew, so that the steps after this one need not look for them again.
select a.*
from {activity} a
semi join {touched} t on t.contact_id = a.contact_id
