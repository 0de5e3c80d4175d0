-- Plans: what was decided lies in data/plans/P-n.parquet; what was asked, answered and done lies here.
create table plans (
  number integer primary key autoincrement,
  made_at text not null,
  who text not null,
  connection text not null,
  audience text not null,
  account_id integer not null,
  client_folder_id integer not null,
  list_id integer,                             -- null until the list is made
  list_name text not null,
  state text not null default 'open',          -- open | applying | finished | closed
  header text not null,                        -- JSON, never an address
  began_at text,
  ended_at text,
  result text                                  -- JSON of the last apply
);
create index plans_by_list on plans (account_id, client_folder_id, list_id);

create table plan_answers (
  plan integer not null,
  key text not null,
  value text not null,
  who text not null,
  answered_at text not null,
  primary key (plan, key)
) without rowid;

-- One row per person the apply touched or left out. `sent` is an intent whose outcome is not known yet.
create table plan_rows (
  plan integer not null,
  row integer not null,                        -- the row in the plan's Parquet file
  contact_id integer,
  action text not null,                        -- add | add_pending | create | park | unsubscribe | fields
  from_list integer,
  to_list integer,
  batch integer not null,
  state text not null,                         -- sent | done | refused | left_out | in_doubt | not_sent
  words text not null default '',              -- the service's words, or why it was left out
  at text not null,
  ended_at text,
  primary key (plan, row, action)
) without rowid;
create index plan_rows_by_contact on plan_rows (contact_id);
create index plan_rows_by_state on plan_rows (plan, state);
