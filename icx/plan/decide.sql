-- Which facts stand about whom: a row for each wanted person about whom anything is known, a few of a million.
-- Given: want(place, contact_id, email, email_key), have(contact_id, status, add_date),
-- contacts(contact_id, email, email_key, status), facts(contact_id, email_key, fact, happened_at, source, message_id),
-- own_writes(contact_id, written_at), parking(contact_id, status, ours), ended_by(fact, ends).

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

-- Where a fact was learned stays together: of two dates the earlier's message is not told with the later's source.
create temp table here as
select contact_id, email_key, fact, happened_at, {'source': source, 'message_id': message_id} as learned
from told where fact <> 'left_parking';

-- A fact is about somebody by their id, by the address they are wanted by, or by the one their contact has. The same
-- fact may come by more than one of these ways, which changes nothing below.
create temp table hits as
select w.place, t.fact, t.happened_at, t.learned
from want w join (
  select contact_id, fact, happened_at, learned from here
  union all
  select c.contact_id, t.fact, t.happened_at, t.learned
  from contacts c join here t on t.email_key = c.email_key
) t on t.contact_id = w.contact_id
union all
select w.place, t.fact, t.happened_at, t.learned
from want w join here t on t.email_key = w.email_key;

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
  join want w on w.place = l.place
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
select place, standing, fact_at, learned.source as source, learned.message_id as message_id
from (
  select place,
         string_agg(fact, ',' order by fact) as standing,
         max(since) filter (fact not in (select ends from ended_by)) as fact_at,
         arg_max(learned, since) filter (fact not in (select ends from ended_by)) as learned
  from (
    select l.place, l.fact, coalesce(k.since, l.told_at) as since, coalesce(k.learned, l.learned) as learned
    from latest l
    left join known k on k.place = l.place and k.fact = l.fact
    anti join ended n on n.place = l.place and n.fact = l.fact
  )
  group by place
);
