"""Keeps rows: one DuckDB file for analytics, one SQLite journal for operations."""

from icx.store.db import Connection, Store, check_name, literal, memory, quoted

__all__ = ["Connection", "Store", "check_name", "literal", "memory", "quoted"]
