"""Names in SQL: identifiers are quoted, and a connection's name is one that can also be a schema."""

from __future__ import annotations

import re

from icx.errors import BadInput

RESERVED = {"main", "icx", "shared", "temp", "system", "information_schema", "pg_catalog"}


def quoted(identifier: str) -> str:
    """Return an identifier as SQL may hold it.

    >>> quoted('acme-outlet'), quoted('a"b')
    ('"acme-outlet"', '"a""b"')
    """
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return text as a SQL string literal, for the few places that take no parameter.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def check_name(name: str) -> str:
    """Return a connection name that can also be a schema, or say why it cannot."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", name) and name.lower() not in RESERVED:
        return name
    raise BadInput(
        "connection-name",
        f'"{name}" cannot name a connection: letters, digits, - and _, a letter first.',
        where=f"not usable either: {', '.join(sorted(RESERVED))}",
        kept="nothing was saved",
        next=[["icx", "connect", "acme"]],
    )
