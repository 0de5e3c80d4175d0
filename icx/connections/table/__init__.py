"""Tables as connections: a CSV or Parquet file, a table of a DuckDB file or of an SQL database, a pandas frame."""

from icx.connections.table.connection import Seen, Table
from icx.connections.table.opening import table
from icx.connections.table.source import Source, changed, unreadable
from icx.connections.table.values import Known

__all__ = ["Known", "Seen", "Source", "Table", "changed", "table", "unreadable"]
