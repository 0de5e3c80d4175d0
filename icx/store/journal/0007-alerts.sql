-- Alerts on their way: written down before they are sent, so that none is lost with its process or its network.
create table job_alerts (
  number integer primary key autoincrement,
  id text not null unique,                     -- whoever hears of it twice can tell by this
  job text not null,
  run text not null,
  at text not null,
  body text not null,                          -- JSON as it is sent: no address, no secret
  ways text not null,                          -- command, webhook: those that are still to hear; empty: all did
  tries integer not null default 0,
  next_at text,                                -- when it is tried next; null: no more
  problem text not null default ''             -- why it did not arrive the last time
);
create index job_alerts_by_next on job_alerts (next_at);
create index job_alerts_by_job on job_alerts (job);
