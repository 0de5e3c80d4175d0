-- The tables of one connection; runs with search_path set to its schema. All timestamps are naive UTC.
create table icontact_users (
  id bigint not null,
  email varchar,
  prefix varchar, first_name varchar, last_name varchar, suffix varchar,
  street varchar, street_line_2 varchar, city varchar, state varchar, postal_code varchar,
  phone varchar, fax varchar, business varchar,
  status varchar,
  create_date timestamp,
  create_date_text varchar,          -- as the service wrote it: US Eastern without an offset
  bounce_count varchar,
  custom map(varchar, varchar),      -- private name -> text; empty text is left out
  email_key varchar,                 -- functions.email(email), computed at landing
  email_domain varchar,              -- functions.emaildomain(email), computed at landing
  first_seen timestamp not null,
  gone_at timestamp                  -- null while the service still lists the contact
);

create table icontact_activity (
  contact_id bigint not null,
  event_type varchar not null,       -- open | click | bounce | unsubscribe
  event_ts timestamp not null,
  message_id bigint not null,
  event_url varchar                  -- clicks only
);

create table urls (
  event_url varchar not null,
  url_main varchar,                  -- functions.urlmain as text; undecodable bytes shown as U+FFFD
  url_key varchar                    -- signed decimal hash of urlmain, null when it does not evaluate
);

create table lists (
  list_id bigint not null, name varchar, publicname varchar, description varchar,
  email_owner_on_change boolean, welcome_on_manual_add boolean, welcome_on_signup_add boolean,
  welcome_message_id bigint,
  gone_at timestamp
);

create table subscriptions (
  list_id bigint not null, contact_id bigint not null,
  status varchar not null,           -- normal | pending | unsubscribed
  add_date timestamp,
  confirmation_message_id bigint
);

create table custom_fields (
  private_name varchar not null, public_name varchar, field_type varchar, display_to_user boolean,
  gone_at timestamp
);

create table campaigns (
  campaign_id bigint not null, name varchar, description varchar, from_name varchar, from_email varchar,
  click_track_mode integer, subscription_management integer, use_account_address boolean,
  archive_by_default boolean
);

create table messages (
  message_id bigint not null, campaign_id bigint, message_type varchar, subject varchar,
  message_name varchar, preview_text varchar, create_date timestamp,
  html_body varchar,                 -- only kept when the tag filter is on
  tagged boolean                     -- null when the tag filter is off
);

create table sends (
  send_id bigint not null, message_id bigint not null, status varchar,
  scheduled_at timestamp, released_at timestamp, recipient_count bigint,
  include_list_ids bigint[], exclude_list_ids bigint[],
  include_segment_ids bigint[], exclude_segment_ids bigint[]
);

create table statistics (
  message_id bigint not null, bounces bigint, delivered bigint, unsubscribes bigint,
  opens_unique bigint, opens_total bigint, clicks_unique bigint, clicks_total bigint,
  forwards bigint, comments bigint, complaints bigint,
  read_at timestamp not null
);

-- One row per pull. `started_at` of the last complete one is the default `as_of`.
create table pulls (
  pull_id varchar not null,          -- the run in the journal
  started_at timestamp not null,     -- of its first part, when it went on with an interrupted one
  began_at timestamp not null,       -- of this part
  ended_at timestamp,
  state varchar not null,            -- running | complete | stopped
  full_sweep boolean not null default false,
  only_unit varchar,                 -- '88104/opens' when one unit was read again; such a pull gives no as_of
  resumed_from varchar,
  pages bigint not null default 0,   -- answers that became rows; what an undisturbed pull would have asked
  calls bigint not null default 0,
  retried bigint not null default 0
);

-- The completeness ledger: one row per collection, and per (message, kind of event).
create table units (
  collection varchar not null,       -- contacts, subscriptions, …; opens, clicks, bounces, unsubscribes for events
  message_id bigint,                 -- null for a collection
  stored bigint not null,            -- rows landed by the last complete reading
  service bigint,                    -- the service's own total at that reading
  statistics bigint,                 -- the counter of /statistics, where there is one
  state varchar not null,            -- equal | provisional | due
  reason varchar,
  verified_at timestamp not null,
  pull_id varchar not null
);

-- What changed between two readings of a contact, a subscription, a list or a custom field.
create table changes (
  happened_at timestamp not null,             -- start of the pull that noticed it
  entity varchar not null,           -- contact | subscription | list | custom_field
  contact_id bigint, list_id bigint,
  field varchar not null,            -- column name, cf_<privateName>, status, or 'exists'
  old varchar, new varchar
);

create table set_aside (
  happened_at timestamp not null, collection varchar not null, message_id bigint,
  position bigint not null, reason varchar not null, raw varchar not null
);

-- Readings under way: pages wait here until their unit is whole, and survive a kill.
create table staged_units (
  collection varchar not null, message_id bigint,
  total bigint,                      -- the service's own at the first page
  rows_read bigint not null,
  last_row varchar not null,         -- digest of the last row read; a resume compares it
  began_at timestamp not null
);
create table staged_contacts as
  select * exclude (email_key, email_domain, first_seen, gone_at) from icontact_users limit 0;
create table staged_subscriptions as select * from subscriptions limit 0;
create table staged_activity as select * from icontact_activity limit 0;
create table staged_lists as select * exclude (gone_at) from lists limit 0;
create table staged_customfields as select * exclude (gone_at) from custom_fields limit 0;
create table staged_campaigns as select * from campaigns limit 0;
create table staged_messages as select * exclude (tagged) from messages limit 0;
create table staged_sends as select * from sends limit 0;

create table builds (
  build_id varchar not null, as_of timestamp not null, built_at timestamp not null,
  pull_id varchar, people bigint not null, fields bigint not null, seconds double not null
);

create table checks (
  suite varchar not null, judged varchar not null,  -- the build id or the pull id that was judged
  ran_at timestamp not null, ok boolean not null, result varchar not null  -- JSON
);

create table attached (
  name varchar not null,             -- its table is attached_<name>
  key_column varchar not null, identity varchar not null,  -- email | contact_id
  source varchar, row_count bigint, matched bigint, unmatched bigint, duplicates bigint,
  attached_at timestamp not null
);
