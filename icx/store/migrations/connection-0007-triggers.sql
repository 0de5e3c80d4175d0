-- Triggers. What each trigger saw of whom at its last look, so that the next one knows who crossed since.
create table trigger_last (
  trigger_name varchar not null, contact_id bigint not null,
  value double,                      -- of the number it watches; null for an audience
  met boolean not null               -- whether its condition held
);

-- The last look of each trigger; one whose condition reads differently by now begins anew, and fires for nobody.
create table trigger_looks (
  trigger_name varchar not null, digest varchar not null,
  build_id varchar not null, as_of timestamp not null, looked_at timestamp not null,
  let_go bigint not null default 0   -- who crossed while it was paused
);

-- One row per person, trigger and crossing: what crossed, and what became of the action.
create table trigger_firings (
  firing_id varchar not null,        -- connection/trigger/build/contact: the same however often it is told
  trigger_name varchar not null, contact_id bigint not null,
  way varchar not null,              -- reached | fell | entered | left | found | existing
  build_id varchar not null, as_of timestamp not null, fired_at timestamp not null,
  before double, after double,       -- the number that crossed
  state varchar not null,            -- waiting | planned | done | refused | failed | dropped
  reason varchar,                    -- why it was refused, or did not arrive
  plan_id varchar,                   -- the plan that does it
  tries bigint not null default 0, next_at timestamp, settled_at timestamp
);
