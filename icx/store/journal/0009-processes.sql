-- When the process of a run started, as the system counts: its number alone may be another one's by now.
alter table runs add column process_began text not null default '';
