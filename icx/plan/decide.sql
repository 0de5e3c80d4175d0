-- Everybody's combination of facts. One row per person wanted, then one per stale member.
-- Given: want(place, contact_id, email, email_key), have(contact_id, status, add_date),
-- contacts(contact_id, email, email_key, status), facts(contact_id, email_key, fact, happened_at, source, message_id),
-- own_writes(contact_id, written_at), parking(contact_id, status, ours), ended_by(fact, ends).
create temp table wanted as
select w.place,
       w.contact_id,
       coalesce(w.email, c.email) as email,
       coalesce(w.email_key, c.email_key) as email_key,
       c.email_key as known_key,
       case when w.contact_id is null then 'new' else coalesce(c.status, 'gone') end as contact,
       coalesce(h.status, 'not') as on_list,
       p.ours and p.status = 'normal' as parked
from want w
left join contacts c using (contact_id)
left join have h using (contact_id)
left join parking p using (contact_id);

-- What today's read itself says about an address counts for every contact that has this address.
create temp table told as
select contact_id, email_key, fact, happened_at, source, message_id from facts
union all
select null, email_key, 'donotcontact', cast($now as timestamp), 'contact status', null
from contacts where status = 'donotcontact'
union all
select h.contact_id, c.email_key, 'left', cast($now as timestamp), 'subscription', null
from have h left join contacts c using (contact_id) where h.status = 'unsubscribed'
union all
select p.contact_id, c.email_key, 'left', cast($now as timestamp), 'parking list', null
from parking p left join contacts c using (contact_id) where p.ours and p.status = 'unsubscribed';

create temp table here as from told where fact <> 'left_parking';

-- Where a fact was learned stays together: of two dates the earlier's message is not told with the later's source.
create temp table hits as
select w.place, t.fact, t.happened_at, {'source': t.source, 'message_id': t.message_id} as learned
from wanted w join here t on t.contact_id = w.contact_id
union all
select w.place, t.fact, t.happened_at, {'source': t.source, 'message_id': t.message_id}
from wanted w join here t on t.email_key = w.email_key
union all
select w.place, t.fact, t.happened_at, {'source': t.source, 'message_id': t.message_id}
from wanted w join here t on t.email_key = w.known_key and w.known_key is distinct from w.email_key;

create temp table latest as
select place, fact, max(happened_at) as told_at, arg_max(learned, happened_at) as learned
from hits group by place, fact;

-- A fact ends with a later one of the kind that ends it, unless icx itself wrote in between: then the
-- later one may be our own doing, and the two cannot be told apart.
create temp table ended as
select place, fact
from (
  select l.place, l.fact, min(h.happened_at) as ending,
         min(o.written_at) filter (o.written_at >= l.told_at - interval 10 minute) as own
  from latest l
  join ended_by e using (fact)
  join hits h on h.place = l.place and h.fact = e.ends and h.happened_at > l.told_at
  join wanted w on w.place = l.place
  left join own_writes o on o.contact_id = w.contact_id
  group by l.place, l.fact
)
where own is null or own > ending + interval 10 minute;

-- Today's read says what is so now; since when is told by what was known before. What ended meanwhile tells nothing.
create temp table known as
select h.place, h.fact, min(h.happened_at) as since, arg_min(h.learned, h.happened_at) as learned
from hits h
left join (
  select x.place, e.fact, max(x.happened_at) as ended_at
  from hits x join ended_by e on x.fact = e.ends group by x.place, e.fact
) b on b.place = h.place and b.fact = h.fact
where b.ended_at is null or h.happened_at > b.ended_at
group by h.place, h.fact;

create temp table stand as
select place,
       list_sort(list(fact)) as standing,
       max(since) filter (fact not in (select ends from ended_by)) as fact_at,
       arg_max(learned, since) filter (fact not in (select ends from ended_by)) as learned
from (
  select l.place, l.fact, coalesce(k.since, l.told_at) as since, coalesce(k.learned, l.learned) as learned
  from latest l
  left join known k on k.place = l.place and k.fact = l.fact
  anti join ended n on n.place = l.place and n.fact = l.fact
)
group by place;

create temp table people as
select w.*, coalesce(s.standing, []) as standing, s.fact_at, s.learned.source as source, s.learned.message_id as message_id
from wanted w left join stand s using (place);

-- Parking puts somebody on a list too, if a quiet one: only people who may be added to it are moved there.
create temp table stale as
with kept_away as (
  select contact_id, email_key from told
  where fact = 'left_parking' or fact in (select fact from row_of_fact)
)
select h.contact_id, c.email, c.email_key, coalesce(c.status, 'gone') as contact,
       case
         when p.status is not null then 'on_parking_list'
         when coalesce(c.status, 'gone') <> 'normal' then 'not_normal'
         when h.contact_id in (select contact_id from kept_away where contact_id is not null)
           or c.email_key in (select email_key from kept_away where email_key is not null) then 'said_no'
       end as stuck
from have h
left join contacts c using (contact_id)
left join parking p using (contact_id)
where h.status = 'normal' and h.contact_id not in (select contact_id from want where contact_id is not null);
