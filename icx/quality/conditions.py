"""Row conditions: which rows an expectation speaks of, from GX's three spellings to SQL.

Two-valued as in pandas: a comparison with a missing value is false, `!=` and `not in` are true.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from icx.quality.relation import CannotMap, Column, Relation, in_set, needed
from icx.store.db import quoted

_SIGNS = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_AST_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "IN",
    ast.NotIn: "NOT_IN",
}
_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def condition(given: Any, parser: str | None, relation: Relation) -> str:
    """Return the WHERE text of a row condition; `true` when there is none.

    `given` is a string (parser `spark`: SQL; else pandas' or GX's own spelling) or a condition object as
    a mapping or a GX object. Raises CannotMap naming the part that has no form here.
    """
    if given is None or given == "":
        return "true"
    if isinstance(given, str):
        if parser == "spark":
            return f"coalesce(({given}), false)"
        return _parsed(given, relation)
    return _object(given if isinstance(given, Mapping) else given.dict(), relation, parser)


def compared(column: Column, sign: str, value: Any) -> str:
    if sign in ("IN", "NOT_IN"):
        inside = f"coalesce({in_set(value, column)}, false)"
        return inside if sign == "IN" else f"NOT {inside}"
    text = needed(value, column, "the row condition's")
    if sign == "!=":
        return f"({column.sql} IS DISTINCT FROM {text})"
    if sign not in _SIGNS:
        raise CannotMap(f"row condition: {sign}")
    return f"coalesce({column.sql} {_SIGNS[sign]} {text}, false)"


def _object(given: Mapping[str, Any], relation: Relation, parser: str | None) -> str:
    match given.get("type"):
        case "and" | "or" as joint:
            parts = [
                _object(part if isinstance(part, Mapping) else part.dict(), relation, parser)
                for part in given["conditions"]
            ]
            return "(" + f" {joint.upper()} ".join(parts) + ")" if parts else "true"
        case "nullity":
            column = relation.column(_name(given["column"]))
            return f"{column.sql} IS {'' if given['is_null'] else 'NOT '}NULL"
        case "comparison":
            sign = str(getattr(given["operator"], "value", given["operator"]))
            return compared(relation.column(_name(given["column"])), sign, given["parameter"])
        case "pass_through":
            return condition(given["pass_through_filter"], parser, relation)
        case other:
            raise CannotMap(f"row condition of type {other!r}")


def _name(column: Any) -> str:
    return str(column["name"] if isinstance(column, Mapping) else getattr(column, "name", column))


def _parsed(text: str, relation: Relation) -> str:
    names: dict[str, str] = {}

    def hidden(found: re.Match[str]) -> str:
        names[f"icx_name_{len(names)}"] = found.group(1)
        return f"icx_name_{len(names) - 1}"

    source = re.sub(r"`([^`]+)`", hidden, text)
    # pandas gives & and | the strength of `and` and `or`; in Python they would bind tighter than ==
    source = re.sub(r"(?<![&|])&(?!&)", " and ", re.sub(r"(?<![&|])\|(?!\|)", " or ", source))
    source = re.sub(r"~\s*(?=[(\w])", " not ", source)
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except SyntaxError:
        raise CannotMap(f"row condition {text!r}") from None
    return _walk(tree, relation, names, text)


def _walk(node: ast.expr, relation: Relation, names: Mapping[str, str], text: str) -> str:
    match node:
        case ast.BoolOp(op=op, values=values):
            joint = " AND " if isinstance(op, ast.And) else " OR "
            return "(" + joint.join(_walk(value, relation, names, text) for value in values) + ")"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"(NOT {_walk(operand, relation, names, text)})"
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            parts = []
            for sign, right in zip(ops, comparators, strict=True):
                try:
                    parts.append(_one(left, _AST_SIGNS.get(type(sign), "?"), right, relation, names))
                except (ValueError, TypeError):
                    raise CannotMap(f"row condition {text!r}") from None
                left = right
            return "(" + " AND ".join(parts) + ")"
        case ast.Call(func=ast.Attribute(value=value, attr=attribute), args=[]):
            column = _column(value, relation, names)
            if column is not None and attribute.lower() in ("notnull", "notna"):
                return f"{quoted(column.name)} IS NOT NULL"
            if column is not None and attribute.lower() in ("isnull", "isna"):
                return f"{quoted(column.name)} IS NULL"
        case ast.Name() | ast.Call():
            column = _column(node, relation, names)
            if column is not None and column.kind == "boolean":
                return f"coalesce({column.sql}, false)"
    raise CannotMap(f"row condition {text!r}")


def _one(left: ast.expr, sign: str, right: ast.expr, relation: Relation, names: Mapping[str, str]) -> str:
    column, value = _column(left, relation, names), right
    if column is None:
        column, value, sign = _column(right, relation, names), left, _FLIPPED.get(sign, "?")
    if column is None:
        raise ValueError("no column")
    return compared(column, sign, ast.literal_eval(value))


def _column(node: ast.expr, relation: Relation, names: Mapping[str, str]) -> Column | None:
    match node:
        case ast.Name(id=name):
            return relation.column(names.get(name, name))
        case ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str(name))]):
            return relation.column(name)
    return None
