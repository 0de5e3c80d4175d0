-- Whom something changed of since they were last decided. Given: verdicts (see match.py), $sync.
-- A link holds as long as somebody of it is there on both sides, or one of them was not told gone yet. Who is left of a
-- pair whose other half is deleted meets others by the address again, but is not made anew.
create or replace temp table people_a as select key, email_key, digest, told from shared.sync_people where sync = $sync and side = 'a';
create or replace temp table people_b as select key, email_key, digest, told from shared.sync_people where sync = $sync and side = 'b';
create or replace temp table pairs as
select s.*, a.key is not null as here_a, b.key is not null as here_b,
       s.linked and ((a.key is not null and b.key is not null) or s.state <> 'deleted') as live
from shared.sync_pairs s
left join people_a a on a.key = s.a_key
left join people_b b on b.key = s.b_key
where s.sync = $sync;
create or replace temp table everybody as
select 'a' as side, p.*, s.a_key is not null as held from people_a p
  left join (select distinct a_key from pairs where live and here_a) s on s.a_key = p.key
union all
select 'b', p.*, s.b_key is not null from people_b p
  left join (select distinct b_key from pairs where live and here_b) s on s.b_key = p.key;
create or replace temp table addresses as
select email_key, v.together, v.why_a, v.why_b
from (
  select email_key,
         least(count(*) filter (side = 'a' and not held), 2) as a, least(count(*) filter (side = 'b' and not held), 2) as b,
         least(count(*) filter (side = 'a' and held), 2) as la, least(count(*) filter (side = 'b' and held), 2) as lb
  from everybody where email_key is not null group by email_key
) c join verdicts v using (a, b, la, lb);
create or replace temp table units as
select s.a_key, s.b_key, coalesce(a.email_key, s.a_email) as a_email, coalesce(b.email_key, s.b_email) as b_email,
       a.digest as a_digest, b.digest as b_digest, a.told as a_told, b.told as b_told, '' as why,
       s.memory, s.state, s.reason, s.a_digest as known_a, s.b_digest as known_b, s.b_key as known_other
from pairs s left join people_a a on a.key = s.a_key left join people_b b on b.key = s.b_key
where s.live and (here_a or here_b)
union all
select a.key, b.key, a.email_key, b.email_key, a.digest, b.digest, a.told, b.told, '', null, null, null, null, null, null
from everybody a join everybody b on a.email_key = b.email_key join addresses d on d.email_key = a.email_key
where a.side = 'a' and b.side = 'b' and d.together and not a.held and not b.held
union all
select a.key, s.b_key, a.email_key, s.b_email, a.digest, null, a.told, null,
       case when a.email_key is null then 'no_address' else d.why_a end, s.memory, s.state, s.reason, s.a_digest, s.b_digest, s.b_key
from everybody a left join addresses d using (email_key) left join pairs s on s.a_key = a.key
where a.side = 'a' and not a.held and not coalesce(d.together, false)
union all
select s.a_key, b.key, s.a_email, b.email_key, null, b.digest, null, b.told,
       case when b.email_key is null then 'no_address' else d.why_b end, s.memory, s.state, s.reason, s.a_digest, s.b_digest, s.a_key
from everybody b left join addresses d using (email_key) left join pairs s on s.b_key = b.key
where b.side = 'b' and not b.held and not coalesce(d.together, false);
create or replace temp table work as
select row_number() over (order by coalesce(a_key, ''), coalesce(b_key, '')) as n, * from units
where state is null or known_a is distinct from a_digest or known_b is distinct from b_digest
   or (case when state = 'duplicate' or reason = 'no_address' then reason else '' end) <> why
