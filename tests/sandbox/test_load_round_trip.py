"""An account written out as files and loaded again is the same account."""

import csv
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import icx.sandbox
from icx.sandbox.generate import generate
from icx.sandbox.load import load

SCHEMA = Path(icx.sandbox.__file__).with_name("schema.sql").read_text(encoding="utf-8")
TABLES = (
    "contacts",
    "lists",
    "subscriptions",
    "custom_fields",
    "campaigns",
    "messages",
    "sends",
    "events",
    "statistics",
)


def write_csv(con, directory):
    """Export a sandbox's tables as the files that load reads."""

    def times(*names):
        return ", ".join(f"strftime('%Y-%m-%dT%H:%M:%SZ', {name}, 'unixepoch') {name}" for name in names)

    queries = {
        "contacts": "select contact_id, email, prefix, first_name, last_name, suffix, street, street2, city, state,"
        f" postal_code, phone, fax, business, status, bounce_count, {times('create_date')} from contacts",
        "lists": "select list_id, name, publicname, description, email_owner_on_change, welcome_on_manual_add,"
        " welcome_on_signup_add, welcome_message_id from lists",
        "subscriptions": "select list_id, contact_id, status, confirmation_message_id,"
        f" {times('add_date')} from subscriptions",
        "custom_fields": "select private_name, public_name, display_to_user, field_type from custom_fields",
        "messages": "select message_id, campaign_id, message_type, subject, message_name, preview_text, html_body,"
        " text_body, raw_score spam_score, delivered, forwards, comments, complaints, create_date"
        " from messages left join statistics using (message_id)",
        "sends": "select send_id, message_id, include_list_ids, exclude_list_ids, recipient_count, status,"
        f" {times('scheduled_time', 'released_time')} from sends",
        "events": f"select message_id, kind, contact_id, {times('event_time')}, url, machine from events",
    }
    for name, sql in queries.items():
        cursor = con.execute(sql)
        names = [column[0] for column in cursor.description]
        table = [list(row) for row in cursor]
        if name == "contacts":
            names, table = with_custom_columns(con, names, table)
        with (directory / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows(table)
    with (directory / "campaigns.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        campaigns = [
            (key, json.loads(text)) for key, text in con.execute("select campaign_id, fields from campaigns")
        ]
        writer.writerow(["campaign_id", *campaigns[0][1]])
        writer.writerows([key, *fields.values()] for key, fields in campaigns)


def with_custom_columns(con, names, table):
    fields = [name for (name,) in con.execute("select private_name from custom_fields")]
    custom = dict(con.execute("select contact_id, custom from contacts"))
    for row in table:
        values = json.loads(custom[row[0]])
        row += [values.get(name) for name in fields]
    return [*names, *fields], table


def read_back(con):
    tables = {table: con.execute(f"select * from {table}").fetchall() for table in TABLES}
    tables["contacts"] = [(*row[:-1], json.loads(row[-1])) for row in tables["contacts"]]
    tables["campaigns"] = [
        (*row[:2], {k: v for k, v in json.loads(row[2]).items() if v}) for row in tables["campaigns"]
    ]
    return {
        table: [tuple(None if v == "" else v for v in row) for row in values]
        for table, values in tables.items()
    }


@settings(max_examples=8, deadline=None)
@given(contacts=st.integers(1, 120), messages=st.integers(1, 20), seed=st.integers(0, 10_000))
def test_an_exported_account_loads_as_it_was(tmp_path_factory, contacts, messages, seed):
    directory = tmp_path_factory.mktemp("export")
    first, again = (sqlite3.connect(":memory:", isolation_level=None) for _ in range(2))
    for con in (first, again):
        con.executescript(SCHEMA)
    as_of = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())
    generate(first, contacts=contacts, messages=messages, seed=seed, as_of=as_of)
    write_csv(first, directory)
    load(again, directory, 8021)
    assert read_back(again) == read_back(first)
    first.close()
    again.close()
