-- Operations: who ran what, every call, the call budget. Times are ISO text in UTC.
create table runs (
  number integer primary key autoincrement,
  verb text not null,
  what text not null,
  who text not null default '',
  pid integer not null,
  started_at text not null,
  ended_at text,
  state text not null default 'running',       -- running | done | failed | stopped
  detail text not null default '{}'            -- JSON, never a secret, never an address
);

create table calls (
  run text not null,
  at text not null,
  method text not null,
  path text not null,                          -- addresses masked
  status integer,                              -- null: no answer came
  ms real not null,
  bytes integer not null,
  attempt integer not null,
  problem text not null default ''
);
create index calls_by_run on calls (run);

-- Calls made per budget (application id hash and account) and minute of the clock.
create table budget (
  key text not null,
  minute integer not null,
  calls integer not null,
  primary key (key, minute)
) without rowid;
