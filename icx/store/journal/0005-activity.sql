-- What is under way now, for whoever watches from another process; a row is of use only while its run is running.
create table run_progress (
  run text primary key,                        -- the run in `runs`, "r-142"
  at text not null,
  what text not null,                          -- never an address
  done integer,
  whole integer,
  rate real,                                   -- rows a second
  note text not null default '',
  waiting_until text
) without rowid;

-- What rests until somebody resumes it: `pushes`. No row, no rest.
create table pauses (
  what text primary key,
  who text not null,
  since text not null,
  why text not null default ''
) without rowid;

create index plan_rows_by_batch on plan_rows (plan, batch);
