-- The run that a run is part of: the pull of a job, the plan of a notebook; empty when somebody began it.
alter table runs add column within text not null default '';
create index runs_by_within on runs (within);
