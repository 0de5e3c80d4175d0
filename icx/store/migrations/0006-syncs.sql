-- Two systems in step. Everything here is found anew by reading both systems, but for what was agreed and done.
create table shared.syncs (
  sync varchar primary key,
  looks varchar not null,            -- digest of what is looked at: when it changes everybody is read again
  definition varchar not null,       -- digest of the rules: when it changes everybody is decided again
  read_a timestamp, read_b timestamp,            -- the start of the last reading of a side, of all or of changes
  full_a timestamp, full_b timestamp,            -- the start of the last reading of everybody there
  folded bigint not null default 0   -- the newest plan whose outcomes are in sync_pairs
);

-- Everybody of a side as last read: `told` holds what the sync looks at, `digest` stands for it.
create table shared.sync_people (
  sync varchar not null, side varchar not null, key varchar not null,
  email_key varchar, digest bigint not null, told varchar not null
);

-- Two people in step, or somebody alone. A digest is null while that side is to be decided again.
create table shared.sync_pairs (
  sync varchar not null, a_key varchar, b_key varchar, a_email varchar, b_email varchar,
  a_digest bigint, b_digest bigint, linked boolean not null,
  state varchar not null,            -- in_sync | excluded | duplicate | deleted | failing
  reason varchar not null,           -- why, as a code; of failing ones the service's words stand in `words`
  words varchar not null default '',
  memory varchar not null,           -- JSON: values last agreed, what rules did
  since timestamp not null           -- when it came to this state
);

-- A row per pair that a plan decided; what became of it is in the journal.
create table shared.sync_rows (
  sync varchar not null, plan bigint not null, row bigint not null,
  a_key varchar, b_key varchar, a_email varchar, b_email varchar, a_digest bigint, b_digest bigint,
  linked boolean not null, state varchar not null, reason varchar not null, memory varchar not null,
  verb_a varchar, verb_b varchar,    -- create | update | act | undo | unsubscribe; null: nothing is written there
  rounds varchar not null,           -- JSON: what is written, side by side, one round after the other
  notes varchar not null             -- JSON: conflicts, writes by others, refusals
);
