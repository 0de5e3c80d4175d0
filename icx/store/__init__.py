"""Keeps rows: one DuckDB file for analytics, one SQLite journal for operations."""

from icx.store.db import Connection, Store, check_name, literal, memory, quoted
from icx.store.rows import one_row
from icx.store.transactions import transaction

__all__ = ["Connection", "Store", "check_name", "literal", "memory", "one_row", "quoted", "transaction"]
