-- Plans of syncs: what was decided lies in the database; what was asked, answered and done lies here.
create table sync_plans (
  number integer primary key autoincrement,
  sync text not null,
  made_at text not null,
  who text not null,
  state text not null default 'open',          -- open | applying | finished | closed
  header text not null,                        -- JSON, never an address
  answers text not null default '{}',
  began_at text,
  ended_at text,
  result text
);
create index sync_plans_by_sync on sync_plans (sync, number);

-- One row per write of an apply. `sent` is an intent whose outcome is not known yet.
create table sync_writes (
  plan integer not null,
  row integer not null,                        -- the pair, in the database's sync_rows
  round integer not null,
  side text not null,                          -- a | b
  key text,                                    -- who was written, in that system's own id
  state text not null,                         -- sent | done | refused | left_out | in_doubt | not_sent
  words text not null default '',
  took text,                                   -- JSON: what of the plan's row was sent, when that was less
  read_digest integer,                         -- of what was read back, when it was as expected
  kept text,                                   -- JSON: values that the system keeps instead of those sent
  at text not null,
  ended_at text,
  primary key (plan, row, round, side)
) without rowid;
create index sync_writes_by_state on sync_writes (plan, state);
