"""Rows out of DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb


def one_row(executed: duckdb.DuckDBPyConnection) -> tuple[Any, ...] | None:
    """Return the first row of what was executed, or None.

    A result read by `fetchone` stays open in DuckDB 2, and an open result refuses the next `register`.
    """
    rows = executed.fetchall()
    return rows[0] if rows else None
