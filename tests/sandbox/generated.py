"""A generated account in memory, for tests to ask."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import icx.sandbox
from icx.sandbox.generate import Made, Options, generate

SCHEMA = Path(icx.sandbox.__file__).with_name("schema.sql").read_text(encoding="utf-8")
AS_OF = int(datetime(2026, 11, 21, 22, 4, tzinfo=UTC).timestamp())
TABLES = (
    "contacts", "lists", "subscriptions", "custom_fields", "campaigns", "messages", "sends", "events", "statistics", "actions"
)  # fmt: skip


class Account:
    """A generated account in memory, with its answers to SQL."""

    def __init__(
        self, contacts: int, messages: int, seed: int, as_of: int = AS_OF, **options: object
    ) -> None:
        self.con = sqlite3.connect(":memory:", isolation_level=None)
        self.con.executescript(SCHEMA)
        self.made = self.generate(contacts, messages, seed, as_of, **options)

    def generate(self, contacts: int, messages: int, seed: int, as_of: int = AS_OF, **more: object) -> Made:
        folder_id = more.pop("folder_id", 8021)
        options = Options(**more)  # type: ignore[arg-type]
        return generate(
            self.con,
            contacts=contacts,
            messages=messages,
            seed=seed,
            as_of=as_of,
            folder_id=folder_id,  # type: ignore[arg-type]
            options=options,
        )

    def rows(self, sql: str, *params: object) -> list[tuple]:
        return self.con.execute(sql, params).fetchall()

    def one(self, sql: str, *params: object) -> object:
        return self.rows(sql, *params)[0][0]

    def everything(self) -> dict[str, list[tuple]]:
        return {table: self.rows(f"select * from {table}") for table in TABLES}
