"""Types a notebook's parameter may have, and how a typed word becomes a value of one."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

_YES, _NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


class DoesNotFit(ValueError):
    """A value is not of the declared type; the text says what would be."""


@dataclass(frozen=True)
class Kind:
    """A declared type: its name, the choices of a Literal, the items of a list, and whether None is one too."""

    name: str
    choices: tuple[Any, ...] = ()
    item: Kind | None = None
    optional: bool = False

    @property
    def words(self) -> str:
        """What a value of it is, for people.

        >>> declared(ast.parse("list[int] | None", mode="eval").body).words
        'a list of whole numbers, or empty'
        """
        if self.name == "choice":
            said = f"one of {', '.join(map(str, self.choices))}"
        elif self.item is not None:
            said = f"a list of {_MANY.get(self.item.name, self.item.words)}"
        else:
            said = _ONE[self.name]
        return f"{said}, or empty" if self.optional else said

    def fit(self, value: Any) -> Any:
        """Return a value of Python or JSON as this type has it; raises DoesNotFit."""
        if value is None:
            if self.optional:
                return None
            raise DoesNotFit(self.words)
        return _FIT[self.name](self, value)

    def read(self, text: str) -> Any:
        """Return the value that a typed word means; raises DoesNotFit.

        >>> Kind("bool").read("false"), Kind("int").read("-3"), Kind("str").read("false")
        (False, -3, 'false')
        >>> Kind("list", item=Kind("int")).read("[1, 2]")
        [1, 2]
        """
        if self.optional and (not text or (text.lower() == "none" and self.name != "str")):
            return None
        if self.name in {"list", "dict"} and text.lstrip()[:1] in {"[", "{"}:
            try:
                return self.fit(json.loads(text))
            except json.JSONDecodeError:
                raise DoesNotFit(f"{self.words}, as JSON") from None
        if self.item is not None:
            return [self.item.read(text)]
        return _READ.get(self.name, _same)(self, text)


def declared(node: ast.expr) -> Kind | None:
    """Return the type an annotation declares, or None when a parameter cannot have it; nothing is executed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return declared(ast.parse(node.value, mode="eval").body)
        except SyntaxError:
            return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [side for side in (node.left, node.right) if not _none(side)]
        return _maybe(sides[0]) if len(sides) == 1 else None
    name = _name(node)
    if isinstance(node, ast.Subscript):
        outer = _name(node.value)
        if outer == "Optional":
            return _maybe(node.slice)
        if outer == "Literal":
            return _choice(node.slice)
        if outer in {"list", "List", "Sequence"}:
            item = declared(node.slice)
            return Kind("list", item=item) if item is not None and item.name not in {"list", "dict"} else None
        return Kind("dict") if outer in {"dict", "Dict", "Mapping"} else None
    if name == "list":
        return Kind("list", item=Kind("str"))
    return Kind(name) if name in _ONE else None


def of_literal(value: Any) -> Kind | None:
    """Return the type of a default that has no annotation."""
    if isinstance(value, list):
        return Kind("list", item=of_literal(value[0]) if value else Kind("str"))
    name = type(value).__name__
    return Kind(name) if name in _ONE else None


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _maybe(node: ast.expr) -> Kind | None:
    found = declared(node)
    return None if found is None else Kind(found.name, found.choices, found.item, optional=True)


def _choice(node: ast.expr) -> Kind | None:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    values = tuple(part.value for part in parts if isinstance(part, ast.Constant))
    return Kind("choice", choices=values) if len(values) == len(parts) else None


def _is(kind: Kind, value: Any, *types: type) -> Any:
    if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
        return value
    raise DoesNotFit(kind.words)


def _float(kind: Kind, value: Any) -> float:
    found = float(_is(kind, value, int, float))
    if not math.isfinite(found):
        raise DoesNotFit(kind.words)
    return found


def _date(kind: Kind, value: Any) -> date:
    if isinstance(value, datetime):
        raise DoesNotFit(kind.words)
    return value if isinstance(value, date) else _iso(kind, date.fromisoformat, value)


def _datetime(kind: Kind, value: Any) -> datetime:
    return value if isinstance(value, datetime) else _iso(kind, datetime.fromisoformat, value)


def _iso(kind: Kind, read: Callable[[str], Any], value: Any) -> Any:
    try:
        return read(_is(kind, value, str))
    except ValueError:
        raise DoesNotFit(kind.words) from None


def _one_of(kind: Kind, value: Any) -> Any:
    for choice in kind.choices:
        if type(choice) is type(value) and choice == value:
            return choice
    raise DoesNotFit(kind.words)


def _list(kind: Kind, value: Any) -> list[Any]:
    assert kind.item is not None
    if not isinstance(value, list | tuple):
        raise DoesNotFit(kind.words)
    try:
        return [kind.item.fit(each) for each in value]
    except DoesNotFit:
        raise DoesNotFit(kind.words) from None


def _dict(kind: Kind, value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _is(kind, value, dict)
    try:
        return dict(json.loads(json.dumps(found)))  # only what JSON has travels to the kernel
    except (TypeError, ValueError):
        raise DoesNotFit(kind.words) from None


def _same(kind: Kind, text: str) -> Any:
    return kind.fit(text)


def _read_bool(kind: Kind, text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise DoesNotFit(kind.words)


def _read_int(kind: Kind, text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise DoesNotFit(kind.words)
    return int(text)


def _read_float(kind: Kind, text: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise DoesNotFit(kind.words)
    return _float(kind, float(text))


def _read_choice(kind: Kind, text: str) -> Any:
    for choice in kind.choices:
        if str(choice) == text or (isinstance(choice, bool) and str(choice).lower() == text.lower()):
            return choice
    raise DoesNotFit(kind.words)


_ONE = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date such as 2026-03-01",
    "datetime": "a time such as 2026-03-01T09:00",
    "dict": 'a JSON object such as {"growth": 14}',
}
_MANY = {"str": "texts", "int": "whole numbers", "float": "numbers", "date": "dates such as 2026-03-01"}
_FIT: dict[str, Callable[[Kind, Any], Any]] = {
    "str": lambda kind, value: _is(kind, value, str),
    "int": lambda kind, value: _is(kind, value, int),
    "bool": lambda kind, value: _is(kind, value, bool),
    "float": _float,
    "date": _date,
    "datetime": _datetime,
    "choice": _one_of,
    "list": _list,
    "dict": _dict,
}
_READ: dict[str, Callable[[Kind, str], Any]] = {
    "bool": _read_bool,
    "int": _read_int,
    "float": _read_float,
    "choice": _read_choice,
}
