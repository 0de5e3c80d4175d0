"""The field catalogue: every field with how full it is, its values and where it comes from; and a place to write one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import traitlets

from icx import mask
from icx.fields import SQL_TYPES, Field
from icx.look import charts, page
from icx.look.page import Html
from icx.widgets.base import Answer, Widget, module

GROUPS = {
    "contact": "Contact",
    "activity": "Activity",
    "derived": "Activity",
    "custom": "Custom",
    "attached": "Attached",
    "user": "Yours",
    "points": "Points",
}


class Values(Protocol):
    """How the values of one field are distributed (`icx.profile.preview.Spread`)."""

    @property
    def field(self) -> Field: ...
    @property
    def people(self) -> int: ...
    @property
    def filled(self) -> int: ...
    @property
    def histogram(self) -> Sequence[tuple[str, int]]: ...
    @property
    def figures(self) -> Sequence[tuple[str, str]]: ...
    @property
    def replaces(self) -> bool: ...


class Known(Protocol):
    """What the catalogue asks of a workspace."""

    def rows(self) -> tuple[Mapping[str, Field], Mapping[str, tuple[int, int, Sequence[tuple[str, int]]]]]:
        """Return the fields, and of those that are built (people, filled, histogram)."""

    def place(self) -> dict[str, str]:
        """Return `connection` and `as_of` (text) of the build, empty before the first."""

    def used(self) -> Mapping[str, Sequence[str]]:
        """Return the saved audiences that use each field."""

    def detail(self, name: str) -> Values:
        """Return the values of a field of the built profile."""

    def preview(self, source: str) -> Values:
        """Return the values a field file's text would give; nothing is written."""

    def save(self, source: str, replace: bool) -> Path:
        """Write a field file."""

    def text(self, name: str, kind: str, description: str, sql: str, pii: bool) -> str:
        """Return the text of a field file."""


class Fields(Widget):
    """The catalogue in a notebook; its search, its detail and its editor need a running kernel, its table does not."""

    _esm = module("fields")
    fields: Any = traitlets.List().tag(sync=True)
    place: Any = traitlets.Dict().tag(sync=True)

    def __init__(self, known: Known) -> None:
        self._known = known
        super().__init__(**self._read())

    def __repr__(self) -> str:
        return f"Fields({len(self.fields)} of {self.place.get('connection', '')})"

    def _read(self) -> dict[str, Any]:
        fields, built = self._known.rows()
        used = self._known.used()
        rows: list[dict[str, Any]] = []
        for field in fields.values():
            people, filled, bars = built.get(field.name, (0, None, ()))
            rows.append(
                {
                    "name": field.name,
                    "type": field.type,
                    "group": GROUPS[field.source],
                    "words": mask.plain(field.description),
                    "pii": field.pii,
                    "gone": field.gone,
                    "estimate": field.estimate,
                    "people": people,
                    "filled": filled,
                    "bars": [int(count) for _, count in bars],
                    "labels": [mask.addresses_in(mask.plain(label)) for label, _ in bars],
                    "sql": field.sql.strip(),
                    "used": [mask.plain(name) for name in used.get(field.name, ())],
                }
            )
        people = max((row["people"] for row in rows), default=0)
        return {"fields": rows, "place": {**self._known.place(), "people": people, "types": list(SQL_TYPES)}}

    def static_html(self) -> Html:
        rows = [
            (
                page.join(
                    page.tag("span", one["name"], cls="mono"),
                    Html("<br>"),
                    page.tag("span", one["words"], cls="muted"),
                ),
                page.join(one["type"], " ", page.icon("person", "personal data") if one["pii"] else ""),
                "not built" if one["filled"] is None else page.share(one["filled"], one["people"]),
                charts.histogram(one["bars"], _spoken(one)) if one["bars"] else "–",
            )
            for one in self.fields
        ]
        head = page.head(
            "Fields",
            "",
            f"{len(self.fields)} fields of {self.place['connection']}",
            f"built {self.place['as_of']}",
        )
        return page.root(
            head, page.table(("Field", "Type", "Filled", "Distribution"), rows, (2,)), name="Fields"
        )

    # --- what the browser asks -----------------------------------------------------------------------------------

    def ask_detail(self, name: str) -> Answer:
        """Return the distribution and the figures of one field."""
        return _values(self._known.detail(name))

    def ask_preview(self, name: str, type: str, words: str, sql: str, pii: bool) -> Answer:
        """Try a field that is being written, and return its values; nothing is saved."""
        return _values(self._known.preview(self._known.text(name, type, words, sql, pii)))

    def ask_save(
        self, name: str, type: str, words: str, sql: str, pii: bool, replace: bool = False
    ) -> Answer:
        """Save a field after trying it once more."""
        source = self._known.text(name, type, words, sql, pii)
        self._known.preview(source)
        path = self._known.save(source, replace)
        for trait, value in self._read().items():
            setattr(self, trait, value)
        return {"file": f"data/fields/{path.name}"}


def _values(found: Values) -> Answer:
    return {
        "name": found.field.name,
        "people": found.people,
        "filled": found.filled,
        "bars": [
            {"label": mask.addresses_in(mask.plain(label)), "count": count}
            for label, count in found.histogram
        ],
        "figures": [[name, value] for name, value in found.figures],
        "pii": found.field.pii,
        "replaces": found.replaces,
    }


def _spoken(one: Mapping[str, Any]) -> str:
    pairs = zip(one["labels"], one["bars"], strict=True)
    return ", ".join(f"{label}: {page.number(count)}" for label, count in pairs)
