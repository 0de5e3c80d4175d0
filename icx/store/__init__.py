"""Keeps rows: one DuckDB file for analytics, one SQLite journal for operations."""

from icx.store.db import Connection, Store, literal, memory, quoted

__all__ = ["Connection", "Store", "literal", "memory", "quoted"]
