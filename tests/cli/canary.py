"""Canaries: secrets and people planted into a workspace, and the search for them in all that was said and written.

A file is searched as it lies, and as what is in it: members of archives, rows of databases and Parquet.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import pyarrow.parquet as pq

PASSWORD = 'CANARY pass"word&4711'
APP_ID = "CANARYapplication1234567890abcdef"
HOOK_KEY = "T0CANARYhook8231"
COMMAND_KEY = "CANARYtoken5150"
MAILCHIMP_KEY = "CANARYmailchimpkey0815-us19"
MAILCHIMP_SECRET = "CANARYmailchimpapp0816"
SECRETS = (PASSWORD, APP_ID, HOOK_KEY, COMMAND_KEY, MAILCHIMP_KEY, MAILCHIMP_SECRET)
USERNAME = "canary.user@example.com"
ADDRESS = "canary.person@example.org"
# Addresses that are icx's own examples.
EXAMPLES = {"jo@example.com", "you@example.com", "ops@example.com", "ada@example.com"}
_ADDRESS = re.compile(r"[\w.+-]+(?:@|%40|&#64;|\\u0040)[\w-]+\.(?:com|org|net)\b")


def forms(secret: str) -> set[str]:
    """Return a secret as it may stand in a text: plain, in HTML, JSON, Python, an address, a header."""
    return {
        secret,
        html.escape(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }


FORMS = {form for secret in SECRETS for form in forms(secret)}


def secrets_in(text: str) -> list[str]:
    return sorted(form for form in FORMS if form in text)


def addresses_in(text: str) -> set[str]:
    """Return the addresses in a text that are not masked."""
    return set(_ADDRESS.findall(text)) - EXAMPLES


def contents(path: Path) -> Iterator[tuple[str, str]]:
    """Yield where something stands in a file and what it says, the file itself first."""
    raw = path.read_bytes()
    yield "", raw.decode("utf-8", "replace")
    if path.suffix == ".duckdb":
        yield from _duckdb(path)
    elif raw[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            for name in packed.namelist():
                yield name, packed.read(name).decode("utf-8", "replace")
    elif raw[:16] == b"SQLite format 3\0":
        yield from _sqlite(path)
    elif raw[:4] == b"PAR1":
        yield "rows", str(pq.read_table(path).to_pylist())


def _duckdb(path: Path) -> Iterator[tuple[str, str]]:
    with closing(duckdb.connect(str(path), read_only=True)) as con:
        tables = "select schema_name, table_name from duckdb_tables() where not internal"
        for schema, table in con.execute(tables).fetchall():
            yield f"{schema}.{table}", str(con.execute(f'select * from "{schema}"."{table}"').fetchall())


def _sqlite(path: Path) -> Iterator[tuple[str, str]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
        for (table,) in con.execute("select name from sqlite_master where type = 'table'").fetchall():
            yield table, str(con.execute(f'select * from "{table}"').fetchall())
