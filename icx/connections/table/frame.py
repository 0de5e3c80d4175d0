"""A pandas frame, read and changed in place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from icx.connections.table.source import Row, may_be, unreadable, whole
from icx.connections.table.values import Kind, Known, text_of

if TYPE_CHECKING:
    import pandas as pd


class Frame:
    """A frame, called `name` since it has no other. What is held of it is the frame itself, not a copy."""

    batch = 1_000

    def __init__(self, frame: pd.DataFrame, name: str) -> None:
        names = [str(column) for column in frame.columns]
        if len(set(names)) < len(names):
            raise unreadable(f"Two columns of {name} have one name.", ", ".join(names))
        self.frame, self.name, self.place = frame, name, f"frame {name}"

    def columns(self) -> list[Known]:
        return [_known(str(name), self.frame[name]) for name in self.frame.columns]

    def rows(self, column: str | None = None, cells: Collection[Any] = ()) -> Iterator[Row]:
        rows = self.frame.itertuples(index=False, name=None)
        if column is None:
            return iter(rows)
        at, wanted = self._at(column), {text_of(cell) for cell in cells}
        return (row for row in rows if text_of(row[at]) in wanted)

    def with_text(self, column: str, texts: Collection[str]) -> Iterator[Row]:
        at = self._at(column)
        return (
            row for row in self.frame.itertuples(index=False, name=None) if may_be(text_of(row[at]), texts)
        )

    def twice(self, column: str) -> Mapping[str, int]:
        counts = self.frame.iloc[:, self._at(column)].map(text_of).value_counts()
        return {str(text): int(count) for text, count in counts.items() if count > 1 and text}

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield  # what does not fit was refused before; nothing else can go wrong in memory

    def save(
        self, column: str, edits: Mapping[Any, Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
    ) -> list[Any]:
        frame, types = self.frame, self.frame.dtypes
        keys = frame.iloc[:, self._at(column)].map(text_of)
        places = {key: place for place, key in enumerate(keys)}
        by_column: dict[str, dict[int, Any]] = {}
        for key, cells in edits.items():
            for name, value in cells.items():
                by_column.setdefault(name, {})[places[text_of(key)]] = value
        for name, values in by_column.items():
            at = self._at(name)
            changed = frame.iloc[:, at].copy()
            changed.iloc[list(values)] = list(values.values())
            _put(frame, at, changed)
        made, highest = [], max((whole(key) for key in keys), default=0)
        for row in new:
            key = row.get(column)
            if key is None:
                highest += 1
                key = str(highest) if self.columns()[self._at(column)].kind == "text" else highest
            frame.loc[self._label()] = [
                key if name == column else row.get(name) for name in map(str, frame.columns)
            ]
            made.append(key)
        for at, type in enumerate(types if new else ()):
            _put(frame, at, frame.iloc[:, at].astype(type))  # a row more may have widened it
        return made

    def _label(self) -> Any:
        index = self.frame.index
        number = len(index)
        while number in index:
            number += 1
        return number

    def _at(self, name: str) -> int:
        return [str(column) for column in self.frame.columns].index(name)


def _put(frame: pd.DataFrame, at: int, column: Any) -> None:
    frame.isetitem(at, column)


def _known(name: str, column: pd.Series[Any]) -> Known:
    """Return what a column of this type can hold; plain integers and flags of pandas have no empty value."""
    import pandas as pd
    from pandas.api import types

    kind: Kind = "other"
    extra: dict[str, Any] = {"empty": True}
    type = column.dtype
    if isinstance(type, pd.CategoricalDtype):
        words = [str(one) for one in type.categories]
        return Known(
            name, "choice" if types.is_string_dtype(type.categories) else "other", choices=tuple(words)
        )
    if types.is_bool_dtype(type):
        kind, extra["empty"] = "yes/no", types.is_extension_array_dtype(type)
    elif types.is_integer_dtype(type):
        import numpy as np

        bounds = np.iinfo(str(type).lower())
        kind = "whole"
        extra = {
            "empty": types.is_extension_array_dtype(type),
            "least": int(bounds.min),
            "most": int(bounds.max),
        }
    elif types.is_float_dtype(type):
        kind = "number"
    elif isinstance(type, pd.DatetimeTZDtype):
        kind = "aware"
    elif types.is_datetime64_any_dtype(type):
        kind = "moment"
    elif types.is_string_dtype(type) or types.is_object_dtype(type):
        held = types.infer_dtype(column, skipna=True)
        kind = {"string": "text", "empty": "text", "date": "date", "boolean": "yes/no"}.get(held, "other")  # type: ignore[assignment]
    return Known(name, kind, **extra)
