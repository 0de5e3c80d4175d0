-- Jobs: which time of the clock a run answers, and what is to be remembered beside runs.
create table job_runs (
  run text primary key,                        -- the run in `runs`, "r-142"
  job text not null,
  first text not null,                         -- the first try of the same time; itself, mostly
  attempt integer not null,
  due_at text not null,                        -- the time of the schedule it answers
  why text not null                            -- clock | retry | again
) without rowid;
create index job_runs_by_job on job_runs (job, due_at);

create table job_notes (
  number integer primary key autoincrement,
  job text not null,
  at text not null,
  kind text not null,                          -- missed: a time let go | alert: delivered, or why not
  due_at text,
  run text not null default '',
  text text not null default ''                -- never a secret, never an address
);
create index job_notes_by_job on job_notes (job, kind);
