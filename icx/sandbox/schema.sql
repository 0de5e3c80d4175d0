-- The twin's state. Times are integer Unix seconds (UTC); the wire's many date forms are made when answering.
create table if not exists meta (key text primary key, value text);
create table if not exists accounts (
  account_id integer primary key, company_name text, account_type text default '0', enabled text default '1',
  subscriber_limit integer default 250000, fields text default '{}');   -- fields: other row members as JSON
create table if not exists folders (
  folder_id integer primary key, account_id integer not null, name text, email_recipient text, logo_id text, fields text default '{}');
create table if not exists contacts (
  contact_id integer primary key, folder_id integer not null, email text,
  prefix text, first_name text, last_name text, suffix text, street text, street2 text, city text, state text,
  postal_code text, phone text, fax text, business text,
  status text not null default 'normal', create_date integer not null, bounce_count integer not null default 0,
  custom text not null default '{}');                                      -- private name -> text, JSON
create table if not exists lists (
  list_id integer primary key, folder_id integer not null, name text not null, publicname text, description text,
  email_owner_on_change integer default 1, welcome_on_manual_add integer default 0,
  welcome_on_signup_add integer default 0, welcome_message_id text default '', deleted integer not null default 0);
create table if not exists subscriptions (
  list_id integer not null, contact_id integer not null, folder_id integer not null,
  status text not null, add_date integer not null, confirmation_message_id text,
  primary key (list_id, contact_id)) without rowid;
create table if not exists custom_fields (
  folder_id integer not null, private_name text not null, public_name text, display_to_user integer default 0,
  field_type text not null default 'text', position integer default 0, deleted integer not null default 0,
  primary key (folder_id, private_name));
create table if not exists campaigns (
  campaign_id integer primary key, folder_id integer not null, fields text not null default '{}');
create table if not exists messages (
  message_id integer primary key, folder_id integer not null, campaign_id integer, message_type text not null default 'normal',
  subject text not null, message_name text, preview_text text, html_body text, text_body text,
  create_date integer not null, raw_score real not null default 0);
create table if not exists sends (
  send_id integer primary key, folder_id integer not null, message_id integer not null,
  include_list_ids text default '', exclude_list_ids text default '',
  include_segment_ids text default '', exclude_segment_ids text default '',
  scheduled_time integer, released_time integer, recipient_count integer default 0, status text not null default 'released');
create table if not exists events (
  event_id integer primary key, folder_id integer not null, message_id integer not null,
  kind text not null,                                                       -- open | click | bounce | unsubscribe
  contact_id integer not null, event_time integer not null, url text,
  machine integer not null default 0);                                      -- 1: the generator made it as a machine's
create table if not exists statistics (                                     -- optional overrides and counters without events
  message_id integer primary key, folder_id integer not null, delivered integer, forwards integer default 0,
  comments integer default 0, complaints integer default 0);
create table if not exists actions (
  action_id integer primary key, folder_id integer not null, contact_id integer not null, action_type text not null,
  action_time integer not null, actor text not null, details text not null default '[]');
create table if not exists stored (                                         -- segments, criteria, uploads, users, permissions, webhooks, …
  kind text not null, id integer not null, folder_id integer not null, parent integer, fields text not null,
  primary key (kind, folder_id, parent, id));
create table if not exists violations (
  violation_id integer primary key, folder_id integer, happened integer, kind text, contact_id integer, list_id integer,
  was text, became text, request text);
create table if not exists departures (                                     -- what an address said, beyond its contact's life
  departure_id integer primary key, folder_id integer not null, address text not null,  -- address in lower case
  list_id integer, state text not null, contact_id integer, happened integer);          -- list_id null: about the contact itself

create index if not exists contacts_by_folder on contacts (folder_id, contact_id);
create index if not exists contacts_alive on contacts (folder_id, contact_id) where status <> 'deleted';
create index if not exists contacts_by_email on contacts (folder_id, email collate nocase);
create index if not exists subscriptions_by_contact on subscriptions (contact_id);
create index if not exists subscriptions_by_folder on subscriptions (folder_id, list_id, contact_id);
create index if not exists events_by_message on events (message_id, kind, event_id);
create index if not exists actions_by_contact on actions (contact_id);
create index if not exists messages_by_folder on messages (folder_id, message_id);
create index if not exists departures_by_address on departures (folder_id, address, list_id);
create index if not exists stored_by_kind on stored (kind, folder_id, parent, id);
create index if not exists sends_by_message on sends (folder_id, message_id);
