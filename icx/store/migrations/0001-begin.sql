-- What every connection shares. Consent facts and the record outlive a reset of any connection.
create schema if not exists shared;

create table shared.connections (
  name varchar primary key,          -- also the name of its schema
  account_id bigint not null,
  client_folder_id bigint not null,
  company varchar,
  folder_name varchar,
  contacts_only boolean not null default false,
  is_default boolean not null default false,
  created_at timestamp not null
);

-- Append-only. `happened_at` is when it happened as far as known, `seen_at` when icx learned of it (UTC).
create table shared.consent_facts (
  account_id bigint not null,
  client_folder_id bigint not null,
  contact_id bigint,
  email_key varchar,                 -- functions.email() of the address, null when it has none
  list_id bigint,                    -- null: every list of the folder
  fact varchar not null,             -- left | normal | donotcontact | bounced | deleted | gone
  happened_at timestamp not null,
  seen_at timestamp not null,
  source varchar not null,           -- subscription | unsubscribe event | contact status | apply
  message_id bigint
);

create table shared.record (
  happened_at timestamp not null,
  who varchar not null,
  verb varchar not null,             -- planned | overrode | applied | undid | exported | reset | attached
  what varchar not null,
  because varchar,
  run varchar
);

create table shared.member_snapshots (
  connection varchar not null,
  audience varchar not null,
  taken_at timestamp not null,
  as_of timestamp not null,
  contact_id bigint not null
);

-- One row per snapshot taken, so that an empty audience is a fact and its size over time is a short read.
create table shared.snapshots (
  connection varchar not null,
  audience varchar not null,
  taken_at timestamp not null,
  as_of timestamp not null,
  size bigint not null
);
