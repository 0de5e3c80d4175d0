-- Who asked a run under way to end after its page; of use only while the run is running.
create table run_ends (
  run text primary key,                        -- the run in `runs`, "r-142"
  who text not null,
  at text not null
) without rowid;
