-- Verbs that finished inside the run of a notebook; the same run again is answered from here.
create table run_verbs (
  root text not null,                          -- the first of a run and its repetitions, "r-142"
  key text not null,                           -- digest of the verb, what it was asked, what it read, the how-many-th
  run text not null,                           -- the run in which it finished
  verb text not null,
  what text not null,
  answer text not null,                        -- JSON, never a secret, never an address
  ended_at text not null,
  primary key (root, key)
) without rowid;
