-- Points. The ledger is counted anew by each build, from the events and the stays; a total is the sum of its lines.
create table points_ledger (
  contact_id bigint not null,
  action varchar not null,           -- the name of the action that earned it
  points_group varchar,              -- null when the action has none
  amount bigint not null,
  happened_at timestamp not null,    -- of the event, or the as_of of the build that first saw it
  event_type varchar, message_id bigint, event_url varchar,  -- the event that earned it
  build_id varchar                   -- the build that first found the field or audience so
);

-- Who met a rule from which build to which, as builds saw it; what no event tells is remembered here.
create table points_stays (
  rule varchar not null,             -- digest of the rule's JSON, so that a changed amount changes no history
  contact_id bigint not null,
  since timestamp not null, since_build varchar not null,
  until timestamp, until_build varchar  -- null while it holds
);

-- What each build made of each action: how it read then, and what it gave.
create table points_counts (
  build_id varchar not null, as_of timestamp not null, action varchar not null,
  definition varchar not null,       -- the action's JSON
  lines bigint not null, people bigint not null, points bigint not null
);
