"""Serving an account from plain files: a file a table, CSV (also .csv.gz) or Parquet, checked before it is kept.

Files and their columns. `*` must be there; in parentheses the values allowed, and last what an empty one means.
Names as on the service (`contactId`) will do too.

contacts       contact_id*, email, prefix, first_name, last_name, suffix, street, street2, city, state,
               postal_code, phone, fax, business, create_date (2000-01-01), bounce_count (0),
               status (normal, bounced, donotcontact, pending, invitable, deleted; normal);
               every further column is a custom field of that private name
lists          list_id*, name*, publicname, description, email_owner_on_change (1), welcome_on_manual_add (0),
               welcome_on_signup_add (0), welcome_message_id
subscriptions  list_id*, contact_id*, status (normal, pending, unsubscribed; normal),
               add_date (the contact's create_date), confirmation_message_id
messages       message_id*, subject*, campaign_id (one is made), message_name, preview_text, html_body, text_body,
               message_type (normal, confirmation, welcome, autoresponder; normal), create_date (2000-01-01),
               spam_score (0); for its statistics delivered, forwards, comments, complaints
sends          message_id*, send_id (in every row, or no such column: then they are numbered),
               include_list_ids and exclude_list_ids (`3001,3002`), scheduled_time, released_time,
               recipient_count (0), status (released, pending, sending, complete, cancelled, canceled;
               released with a released_time, else pending)
events         message_id*, kind* (open, click, bounce, unsubscribe), contact_id*, event_time*,
               url (of clicks only), machine (0, 1; 0). A contact_id of no file is allowed: deleted people have events
custom_fields  private_name*, public_name, display_to_user (0),
               field_type (text, checkbox, number, decimalOne … decimalFour, date; text)
campaigns      campaign_id*, name*, and any further column as the service names it (fromName, fromEmail, zip …)

Only `contacts` has to be there. CSV is UTF-8 with a header, and rows are counted without it. Times are ISO 8601
with or without an offset, or Unix seconds: text without an offset is US Eastern as on the service, a Parquet time
without a zone is UTC. Other text is taken as it is.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields
from pathlib import Path

from icx.sandbox.bulk import bulk, write_place
from icx.sandbox.load_files import SUFFIXES, LoadError
from icx.sandbox.load_mail import load_campaigns, load_events, load_messages, load_sends
from icx.sandbox.load_people import Keys, load_contacts, load_lists, load_subscriptions

__all__ = ["LoadError", "Loaded", "load"]

FILES = ("contacts", "lists", "subscriptions", "messages", "sends", "events", "custom_fields", "campaigns")


@dataclass(frozen=True)
class Loaded:
    """Rows that were loaded, by file."""

    contacts: int
    lists: int
    subscriptions: int
    messages: int
    sends: int
    events: int
    custom_fields: int

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, one.name):,} {one.name.replace('_', ' ')}" for one in fields(self))


def load(
    con: sqlite3.Connection,
    directory: Path,
    folder_id: int,
    *,
    account_id: int = 41733,
    company: str = "Loaded account",
    folder_name: str = "Main",
) -> Loaded:
    """Load the files of `directory` into one folder, or raise `LoadError` and leave everything as it was."""
    if not directory.is_dir():
        raise LoadError("is not a directory", file=str(directory))
    _check_names(directory)
    if con.execute("select 1 from contacts where folder_id = ? limit 1", [folder_id]).fetchone():
        raise LoadError(f"folder {folder_id} has contacts already", file=str(directory))
    with bulk(con):
        write_place(con, account_id=account_id, folder_id=folder_id, company=company, folder_name=folder_name)
        keys = Keys()
        custom = load_contacts(con, directory, folder_id, keys)
        lists = load_lists(con, directory, folder_id, keys)
        subscriptions = load_subscriptions(con, directory, folder_id, keys)
        load_campaigns(con, directory, folder_id, keys)
        messages = load_messages(con, directory, folder_id, keys)
        sends = load_sends(con, directory, folder_id, keys)
        events = load_events(con, directory, folder_id, keys)
    return Loaded(len(keys.contacts), lists, subscriptions, messages, sends, events, custom)


def _check_names(directory: Path) -> None:
    """A table under a name we do not know is a slip of the pen, not something to leave out silently."""
    for path in sorted(directory.iterdir()):
        stem = path.name.split(".")[0]
        if path.name.endswith(SUFFIXES) and stem not in FILES:
            raise LoadError(f"is not known here; known are {', '.join(FILES)}", file=path.name)
