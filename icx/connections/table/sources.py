"""Which source a text names, or a frame is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from icx.connections.table.csv import Csv
from icx.connections.table.parquet import Parquet
from icx.connections.table.source import Source, unreadable

if TYPE_CHECKING:
    from icx.http import Secret


def columns_of(given: Any, secret: Secret | None = None) -> list[str]:
    """Return the names of a table's columns."""
    return [one.name for one in source_of(given, "frame", secret).columns()]


def source_of(given: Any, name: str, secret: Secret | None = None) -> Source:
    """Return the rows a text, a path or a frame stands for; raise `table-source`."""
    if not isinstance(given, (str, Path)):
        if hasattr(given, "writing"):
            return cast(Source, given)
        if hasattr(given, "iloc"):
            from icx.connections.table.frame import Frame

            return Frame(given, name)
        raise unreadable("This is no table.", type(given).__name__)
    text = str(given)
    place, mark, inner = text.partition("#")
    if "://" in text:
        from icx.connections.table.database import Database

        if not inner:
            raise unreadable("Which table of this database?", "its name follows a #: sqlite:///crm.db#people")
        return Database(without_password(place)[0], inner, secret or without_password(place)[1])
    path = Path(place if mark and not Path(text).is_file() else text).expanduser()
    if not path.is_file():
        raise unreadable(f"There is no file {path.name}.", text)
    if mark and path == Path(place).expanduser():
        from icx.connections.table.duck import Duck

        return Duck(path, inner)
    if path.suffix.lower() in {".duckdb", ".ddb"}:
        raise unreadable("Which table of this DuckDB file?", f"its name follows a #: {path.name}#people")
    return Parquet(path) if path.suffix.lower() in {".parquet", ".pq"} else Csv(path)


def without_password(source: str) -> tuple[str, Secret | None]:
    """Return a database's address without its password, and the password; anything else as it is.

    >>> shown, password = without_password("postgresql://maya:s%40cret@db.example.com/crm#people")
    >>> shown, password.reveal()
    ('postgresql://maya@db.example.com/crm#people', 's@cret')
    """
    from icx.http import Secret

    scheme, mark, rest = source.partition("://")
    host, slash, path = rest.partition("/")
    who, at, where = host.rpartition("@")
    user, colon, password = who.partition(":")
    if not (mark and at and colon):
        return source, None
    return f"{scheme}://{user}@{where}{slash}{path}", Secret(unquote(password))


def asks_password(source: str) -> bool:
    """Tell whether a table lies in a database that lets people in by a password."""
    return "://" in source and not source.startswith(("sqlite", "duckdb"))
