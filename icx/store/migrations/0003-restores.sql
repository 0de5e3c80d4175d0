-- The database was brought back from a backup. Whoever said no after the backup was made is not in it, so nobody is
-- pushed to until the service has been read in full once more (`restored_at` is naive UTC, as all times).
create table shared.restores (
  restored_at timestamp not null,
  made_at timestamp not null,        -- when the backup was made
  backup varchar not null,           -- its file's name
  journal_too boolean not null       -- no record was here: what icx sent after `made_at` is not known
);
