"""Answers of verbs as JSON and back: what a repeated run is given is the same object the verb gave."""

from __future__ import annotations

import collections.abc
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def freeze(value: Any) -> Any:
    """Return a dataclass of plain facts as JSON; functions in it are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: freeze(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): freeze(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [freeze(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return None if callable(value) else value.item() if hasattr(value, "item") else str(value)


def thaw(kind: type[T], kept: Any) -> T:
    """Return the dataclass that `freeze` wrote; what it left out has its default.

    >>> from icx.plan.applied import Applied, ReadBack
    >>> done = Applied("P-1", "finished", added=3, left_out={"unsubscribed": 1}, read_back=ReadBack(3, 3, (), (7,)))
    >>> thaw(Applied, freeze(done)) == done
    True
    """
    return cast(T, _thaw(kind, kept))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _thaw(kind: Any, kept: Any) -> Any:
    if kept is None:
        return None
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        sides = [side for side in args if side is not type(None)]
        return _thaw(sides[0], kept) if len(sides) == 1 else kept
    if is_dataclass(kind) and isinstance(kind, type):
        known = _hints(kind)
        given = {one.name: _thaw(known[one.name], kept[one.name]) for one in fields(kind) if one.name in kept}
        return kind(**given)
    if kind is datetime:
        found = datetime.fromisoformat(kept)
        return found.astimezone(UTC) if found.tzinfo else found
    if kind is date:
        return date.fromisoformat(kept)
    if kind is Path:
        return Path(kept)
    if origin is Literal:
        return kept
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_thaw(args[0], each) for each in kept)
        return (
            tuple(_thaw(each, value) for each, value in zip(args, kept, strict=True)) if args else tuple(kept)
        )
    if origin in (list, collections.abc.Sequence):
        return [_thaw(args[0], each) for each in kept] if isinstance(kept, list) else kept
    if origin in (dict, collections.abc.Mapping) and args:
        return {(int(key) if args[0] is int else key): _thaw(args[1], each) for key, each in kept.items()}
    return kept
