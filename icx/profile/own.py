"""The users' own fields: `data/fields/*.sql`, read anew each time, so that a new file works at once.

The SQL is either an expression over the profile's columns, or a query that gives `contact_id` and a value
from the connection's tables. `$as_of` is bound in both.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from icx.errors import BadInput
from icx.fields import SQL_TYPES, Field
from icx.profile.builtin import as_field
from icx.profile.field import FieldFile, bad_file, read_fields
from icx.store.db import Connection, DatabaseError, quoted

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AS_OF = re.compile(r"\$as_of\b", re.IGNORECASE)


@dataclass(frozen=True)
class Own:
    """A user's field: its file, whether it is a query, and the other columns its expression names."""

    file: FieldFile
    is_query: bool
    needs: frozenset[str] = frozenset()

    def as_field(self) -> Field:
        return as_field(self.file, "user")


def read_own(con: Connection, directory: Path | None, others: Sequence[Field]) -> list[Own]:
    """Return the users' fields, each after those it names, or say which files cannot be used and why.

    `con` has the connection's search path; nothing is computed, the SQL is only bound to the tables.
    """
    problems: list[BadInput] = []
    owns: list[Own] = []
    taken = {field.name.lower(): "a field of the profile" for field in others} | {"contact_id": "the key"}
    for path in sorted(directory.glob("*.sql")) if directory and directory.is_dir() else []:
        try:
            for file in read_fields(_text(path), path.name):
                check_field_name(file, taken)
                owns.append(parsed(file))
                taken[file.name.lower()] = f"a field of {path.name}"
        except BadInput as problem:
            problems.append(problem)
    if not problems:
        try:
            owns = _in_order(owns)
        except BadInput as problem:
            problems.append(problem)
    if not problems:
        known = list(others)
        for own in owns:
            try:
                bind(con, own, known)
            except BadInput as problem:
                problems.append(problem)
            known.append(own.as_field())
    if problems:
        raise problems[0] if len(problems) == 1 else _several(problems)
    return owns


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise bad_file(path.name, f"it cannot be read ({error})") from None


def check_field_name(file: FieldFile, taken: dict[str, str]) -> None:
    """Raise `field-file` when the name is none, or is taken (`taken` says by what, in lower case)."""
    if not _NAME.fullmatch(file.name):
        raise bad_file(file.file, f'"{file.name}" is no name: letters, digits and _, no digit first')
    if file.name.lower() in taken:
        raise bad_file(file.file, f"`{file.name}` is already {taken[file.name.lower()]}")


def parsed(file: FieldFile) -> Own:
    """Return the field of a file whose SQL is one expression or one select; raise `field-file` otherwise."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    text = file.sql.strip().rstrip(";").strip()
    try:
        statements = [s for s in sqlglot.parse(text, read="duckdb") if s is not None]
    except (SqlglotError, RecursionError) as error:
        raise bad_file(file.file, first_line(error)) from None
    if len(statements) != 1:
        raise bad_file(file.file, "it holds several statements; one expression or one select is meant")
    [tree] = statements
    is_query = isinstance(tree, exp.Query)
    if not is_query and isinstance(
        tree, (exp.Command, exp.DDL, exp.DML, exp.Drop, exp.Alter, exp.Set, exp.Use)
    ):
        raise bad_file(file.file, "it is a command; one expression or one select is meant")
    found = tree.find_all(exp.Parameter, exp.Placeholder)
    parameters = {parameter.name.lower() or "?" for parameter in found} - {"as_of"}
    if parameters:
        raise bad_file(file.file, f"only $as_of is bound, not ${', $'.join(sorted(parameters))}")
    needs = frozenset() if is_query else frozenset(c.name.lower() for c in tree.find_all(exp.Column))
    clean = FieldFile(**{**file.__dict__, "sql": text})
    return Own(clean, is_query, needs)


def _in_order(owns: list[Own]) -> list[Own]:
    by_name = {own.file.name.lower(): own for own in owns}
    graph = {name: [need for need in own.needs if need in by_name] for name, own in by_name.items()}
    try:
        return [by_name[name] for name in graphlib.TopologicalSorter(graph).static_order()]
    except graphlib.CycleError as error:
        path = error.args[1]
        raise bad_file(by_name[path[0]].file.file, f"it needs itself: {' → '.join(path)}") from None


def bind(con: Connection, own: Own, known: Sequence[Field]) -> None:
    """Let DuckDB bind the SQL against the tables, without computing anything."""
    if own.is_query:
        statement = f"select * from ({own.file.sql}\n) limit 0"
    else:
        columns = ", ".join(f"null::{SQL_TYPES[field.type]} as {quoted(field.name)}" for field in known)
        statement = f"select ({own.file.sql}\n)::{SQL_TYPES[own.file.type]} from (select 0::bigint as contact_id, {columns})"
    try:
        found = con.execute(statement, bound(statement, datetime(2026, 1, 1)))  # noqa: DTZ001 (naive UTC)
        names = [column[0].lower() for column in found.description or []]
    except DatabaseError as error:
        raise bad_file(own.file.file, first_line(error)) from None
    if own.is_query and (names[:1] != ["contact_id"] or len(names) != 2):
        raise bad_file(own.file.file, f"its select gives ({', '.join(names)}), not contact_id and one value")


def bound(statement: str, as_of: datetime) -> dict[str, Any]:
    """Return the parameters a statement of the user's has: `$as_of` when it names it."""
    return {"as_of": as_of} if _AS_OF.search(statement) else {}


def first_line(error: Exception) -> str:
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()]
    lines = [line for line in lines if line and not line.startswith(("LINE", "^"))]
    return " ".join(lines[:3]).rstrip(".")


def _several(problems: Sequence[BadInput]) -> BadInput:
    files = ", ".join(str(problem.where) for problem in problems)
    return BadInput(
        "field-file",
        f"{len(problems)} field files cannot be used. " + " ".join(problem.message for problem in problems),
        where=files,
        kept="the profile as it was last built",
        next=[f"mend {files}, or move them away; then the same command"],
        data={"files": [str(problem.where) for problem in problems]},
    )
