"""Loading an account from plain files: what is taken, what is refused, and where the fault is said to be."""

import gzip
import json
import sqlite3
import time
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import icx.sandbox
from icx.sandbox.load import LoadError, load

SCHEMA = Path(icx.sandbox.__file__).with_name("schema.sql").read_text(encoding="utf-8")
TABLES = (
    "accounts",
    "folders",
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
FILES = {
    "contacts": "contact_id,email,first_name,city,status,create_date,vip-tier\n"
    "7,ada@example.com,Ada,Durham,normal,2026-03-02 09:15:00,gold\n"
    "8,bo@example.org,,,,,\n"
    '9,,"O\'Brien ""Bob""",Łódź,donotcontact,2026-03-02T14:15:00Z,\n',
    "lists": "list_id,name,welcome_on_manual_add\n3001,Newsletter,0\n3002,Tips,1\n",
    "subscriptions": "list_id,contact_id,status,add_date\n"
    "3001,7,normal,2026-03-02T09:16:10-05:00\n3001,8,unsubscribed,\n3002,7,,\n",
    "messages": "message_id,subject,create_date,delivered\n11,Hello,2026-03-01,2\n12,Draft,,\n",
    "sends": 'message_id,include_list_ids,released_time,recipient_count\n11,"3001, 3002",2026-03-03T10:00:00-05:00,2\n',
    "events": "message_id,kind,contact_id,event_time,url\n"
    "11,open,7,2026-03-03T15:00:09Z,\n11,click,7,1772550011,http://www.example.com/?q=1\n11,open,999,2026-03-04,\n",
}


@pytest.fixture
def con():
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.executescript(SCHEMA)
    yield con
    con.close()


@pytest.fixture
def directory(tmp_path):
    for name, text in FILES.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def rows(con, sql):
    return con.execute(sql).fetchall()


def dump(con):
    return {table: rows(con, f"select * from {table}") for table in TABLES}


def test_every_file_lands_in_its_table(con, directory):
    loaded = load(con, directory, 8021)
    assert str(loaded) == (
        "3 contacts, 2 lists, 3 subscriptions, 2 messages, 1 sends, 3 events, 1 custom fields"
    )
    assert rows(
        con, "select contact_id, email, first_name, city, status, create_date, custom from contacts"
    ) == [
        (7, "ada@example.com", "Ada", "Durham", "normal", 1_772_460_900, '{"vip-tier": "gold"}'),
        (8, "bo@example.org", None, None, "normal", 946_702_800, "{}"),
        (9, None, 'O\'Brien "Bob"', "Łódź", "donotcontact", 1_772_460_900, "{}"),
    ]
    assert rows(con, "select list_id, contact_id, status, add_date from subscriptions") == [
        (3001, 7, "normal", 1_772_460_970),
        (3001, 8, "unsubscribed", 946_702_800),  # since the contact was made
        (3002, 7, "normal", 1_772_460_900),
    ]
    assert rows(con, "select include_list_ids, released_time, status from sends") == [
        ("3001,3002", 1_772_550_000, "released")
    ]
    assert rows(con, "select message_id, delivered from statistics") == [(11, 2)]
    assert rows(con, "select kind, contact_id, event_time, url from events") == [
        ("open", 7, 1_772_550_009, None),
        ("click", 7, 1_772_550_011, "http://www.example.com/?q=1"),
        ("open", 999, 1_772_600_400, None),  # midnight in the East
    ]
    assert rows(con, "select private_name, field_type from custom_fields") == [("vip-tier", "text")]


def test_contacts_alone_are_an_account(con, tmp_path):
    (tmp_path / "contacts.csv").write_text("contact_id\n1\n2\n\n")
    assert load(con, tmp_path, 8021).contacts == 2


def test_names_as_on_the_service_and_gzip_are_taken(con, tmp_path):
    with gzip.open(tmp_path / "contacts.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\ufeffcontactId,firstName,createDate\n1,Zoë,2026-11-01 01:30:00\n")
    load(con, tmp_path, 8021)
    # The repeated hour: the first of the two.
    assert rows(con, "select first_name, create_date from contacts") == [("Zoë", 1_793_511_000)]


def test_declared_custom_fields_keep_their_type(con, directory):
    (directory / "custom_fields.csv").write_text(
        "private_name,field_type,public_name,display_to_user\nvip-tier,text,VIP,1\nunused,date,,\n"
    )
    assert load(con, directory, 8021).custom_fields == 2
    assert rows(con, "select private_name, public_name, display_to_user, field_type from custom_fields") == [
        ("vip-tier", "VIP", 1, "text"),
        ("unused", "unused", 0, "date"),
    ]


def test_campaigns_keep_what_the_service_calls_them(con, directory):
    (directory / "campaigns.csv").write_text("campaign_id,name,fromName,zip\n5,News,Acme,27701\n")
    (directory / "messages.csv").write_text("message_id,subject,campaignId\n11,Hello,5\n12,Other,\n")
    load(con, directory, 8021)
    fields = dict(rows(con, "select campaign_id, fields from campaigns"))
    assert json.loads(fields[5]) == {"name": "News", "fromName": "Acme", "zip": "27701"}
    assert dict(rows(con, "select message_id, campaign_id from messages")) == {11: 5, 12: 6}


BROKEN = [
    ("contacts", "7,ada", "x7,ada", "contacts.csv, row 1, column contact_id: 'x7' is no id"),
    ("contacts", "9,,", "7,,", "contacts.csv, row 3, column contact_id: 7 is the id of row 1 already"),
    (
        "contacts",
        "bo@example.org",
        "ada@example.com",
        "contacts.csv, row 2, column email: is the address of row 1 again",
    ),
    (
        "contacts",
        "donotcontact",
        "unhappy",
        "contacts.csv, row 3, column status: 'unhappy' is none of normal, bounced,",
    ),
    (
        "contacts",
        "donotcontact",
        "x@example.com",
        "contacts.csv, row 3, column status: a value with @ is none of",
    ),
    (
        "contacts",
        "2026-03-02 09:15:00",
        "02.03.2026",
        "contacts.csv, row 1, column create_date: '02.03.2026' is no time",
    ),
    (
        "contacts",
        "8,bo@example.org,,,,,",
        "8,bo@example.org",
        "contacts.csv, row 2: has 2 columns, the header 7",
    ),
    ("contacts", "8,bo@example.org,,,,,", "", "contacts.csv, row 2: is empty"),
    (
        "contacts",
        "vip-tier",
        "vip tier",
        "contacts.csv, column vip tier: cannot be a custom field: no blanks",
    ),
    ("contacts", "vip-tier", "firstName", "contacts.csv, column firstName: is there twice"),
    ("contacts", "contact_id,", "id,", "contacts.csv, column contact_id: is missing"),
    ("contacts", '"O', '"O"', "contacts.csv: is no CSV after row 0"),
    ("lists", "3002,Tips", "3001,Tips", "lists.csv, row 2, column list_id: 3001 is the id of row 1 already"),
    ("lists", "Tips", "", "lists.csv, row 2, column name: is empty"),
    (
        "lists",
        "Tips,1",
        "Tips,yes",
        "lists.csv, row 2, column welcome_on_manual_add: 'yes' is neither 0 nor 1",
    ),
    (
        "lists",
        "name",
        "label",
        "lists.csv, column label: is not known here; known are list_id, name, publicname",
    ),
    (
        "subscriptions",
        "3001,8",
        "3001,88",
        "subscriptions.csv, row 2, column contact_id: no contact 88 in the contacts file",
    ),
    (
        "subscriptions",
        "3001,8",
        "3001,1",
        "subscriptions.csv, row 2, column contact_id: no contact 1 in the contacts file",
    ),
    (
        "subscriptions",
        "3002,7",
        "3003,7",
        "subscriptions.csv, row 3, column list_id: no list 3003 in the lists file",
    ),
    (
        "subscriptions",
        "3002,7",
        "3001,7",
        "subscriptions.csv, row 3, column contact_id: this contact is on this list in row 1 already",
    ),
    (
        "subscriptions",
        ",normal,",
        ",deleted,",
        "subscriptions.csv, row 1, column status: 'deleted' is none of normal, pending",
    ),
    (
        "messages",
        "12,Draft",
        "11,Draft",
        "messages.csv, row 2, column message_id: 11 is the id of row 1 already",
    ),
    ("messages", ",2\n", ",two\n", "messages.csv, row 1, column delivered: 'two' is no whole number"),
    (
        "sends",
        '"3001, 3002"',
        '"3001, 3009"',
        "sends.csv, row 1, column include_list_ids: no list 3009 in the lists file",
    ),
    ("sends", '"3001, 3002"', "News", "sends.csv, row 1, column include_list_ids: 'News' is no list of ids"),
    ("sends", "\n11,", "\n13,", "sends.csv, row 1, column message_id: no message 13 in the messages file"),
    (
        "events",
        "11,open,999",
        "11,like,999",
        "events.csv, row 3, column kind: 'like' is none of open, click, bounce",
    ),
    (
        "events",
        "11,open,999",
        "14,open,999",
        "events.csv, row 3, column message_id: no message 14 in the messages file",
    ),
    (
        "events",
        "09Z,",
        "09Z,http://www.example.com/",
        "events.csv, row 1, column url: a url belongs to a click",
    ),
    ("events", "1772550011", "", "events.csv, row 2, column event_time: is empty"),
    ("events", "1772550011", "2200-01-01", "events.csv, row 2, column event_time: '2200-01-01' is no time"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken[3][:60])
def test_an_inconsistent_file_is_refused_with_row_and_column_and_nothing_is_kept(con, directory, broken):
    name, old, new, words = broken
    assert FILES[name].count(old) >= 1
    before = dump(con)
    (directory / f"{name}.csv").write_text(FILES[name].replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LoadError) as caught:
        load(con, directory, 8021)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
    assert "@" not in str(caught.value).replace("a value with @", "")
    assert dump(con) == before
    assert not con.in_transaction


def test_files_that_are_no_tables_are_refused(con, directory):
    (directory / "contact.csv").write_text("contact_id\n")
    with pytest.raises(LoadError, match=r"contact\.csv: is not known here"):
        load(con, directory, 8021)
    (directory / "contact.csv").unlink()
    (directory / "contacts.parquet").write_bytes(b"PAR1 is what it says, but it is not")
    with pytest.raises(LoadError, match=r"is there twice, as contacts\.csv and contacts\.parquet"):
        load(con, directory, 8021)
    (directory / "contacts.csv").unlink()
    with pytest.raises(LoadError, match=r"contacts\.parquet: is no Parquet"):
        load(con, directory, 8021)
    (directory / "contacts.parquet").unlink()
    with pytest.raises(LoadError, match="contacts: is missing"):
        load(con, directory, 8021)
    with pytest.raises(LoadError, match="is not a directory"):
        load(con, directory / "nowhere", 8021)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"contact_id,city\n1,M\xfcnchen\n", "is not UTF-8 text"),
        (b"", "has no header"),
        (b"\x1f\x8b!", "is not UTF-8 text"),
    ],
)
def test_files_of_another_kind_are_refused(con, tmp_path, content, words):
    (tmp_path / "contacts.csv").write_bytes(content)
    with pytest.raises(LoadError, match=words):
        load(con, tmp_path, 8021)
    (tmp_path / "contacts.csv").unlink()
    (tmp_path / "contacts.csv.gz").write_bytes(b"\x1f\x8bno")
    with pytest.raises(LoadError, match=r"contacts\.csv\.gz: cannot be read"):
        load(con, tmp_path, 8021)


def test_a_folder_with_contacts_is_not_loaded_into(con, directory):
    load(con, directory, 8021)
    with pytest.raises(LoadError, match="folder 8021 has contacts already"):
        load(con, directory, 8021)
    with pytest.raises(LoadError, match="row 1, column contact_id: is the id of a contact of another folder"):
        load(con, directory, 9120)


def test_parquet_with_its_own_types_gives_the_same_account(con, directory, tmp_path_factory):
    load(con, directory, 8021)
    from_csv = dump(con)
    other = tmp_path_factory.mktemp("parquet")
    moment = datetime(2026, 3, 2, 14, 15)  # noqa: DTZ001 - a Parquet time without a zone is UTC
    tables = {
        "contacts": {
            "contact_id": pa.array([7, 8, 9], pa.int32()),
            "email": ["ada@example.com", "bo@example.org", None],
            "first_name": ["Ada", None, 'O\'Brien "Bob"'],
            "city": pa.array(["Durham", None, "Łódź"]).dictionary_encode(),
            "status": ["normal", None, "donotcontact"],
            "create_date": pa.array([moment, None, moment], pa.timestamp("ns")),
            "vip-tier": ["gold", None, None],
        },
        "lists": {
            "list_id": [3001, 3002],
            "name": ["Newsletter", "Tips"],
            "welcome_on_manual_add": [False, True],
        },
        "subscriptions": {
            "list_id": [3001.0, 3001.0, 3002.0],
            "contact_id": [7, 8, 7],
            "status": ["normal", "unsubscribed", None],
            "add_date": pa.array([1_772_460_970, None, None], pa.timestamp("s", "America/New_York")),
        },
        "messages": {
            "message_id": [11, 12],
            "subject": ["Hello", "Draft"],
            "create_date": pa.array([datetime(2026, 3, 1).date(), None], pa.date32()),  # noqa: DTZ001
            "delivered": [2.0, float("nan")],
        },
        "sends": {
            "message_id": [11],
            "include_list_ids": [[3001, 3002]],
            "released_time": pa.array([1_772_550_000], pa.int64()),
            "recipient_count": [2],
        },
        "events": {
            "message_id": [11, 11, 11],
            "kind": ["open", "click", "open"],
            "contact_id": [7, 7, 999],
            "event_time": pa.array([1_772_550_009, 1_772_550_011, 1_772_600_400], pa.timestamp("s")),
            "url": [None, "http://www.example.com/?q=1", None],
        },
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), other / f"{name}.parquet")
    again = sqlite3.connect(":memory:", isolation_level=None)
    again.executescript(SCHEMA)
    load(again, other, 8021)
    assert dump(again) == from_csv
    again.close()


def test_64_000_contacts_load_in_seconds(con, tmp_path):
    with (tmp_path / "contacts.csv").open("w", encoding="utf-8") as file:
        file.write("contact_id,email,create_date,a,b,c,d,e,f\n")
        file.writelines(f"{n},c{n}@example.com,2026-03-02,1,2,3,4,5,6\n" for n in range(1, 64_001))
    began = time.process_time()
    assert load(con, tmp_path, 8021).contacts == 64_000
    assert time.process_time() - began < 20
