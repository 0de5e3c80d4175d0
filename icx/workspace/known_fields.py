"""The fields of one connection, as the catalogue widget asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from icx.clock import aware_utc
from icx.errors import IcxError, NeedsYou
from icx.fields import Catalogue
from icx.profile import fill_rates, preview
from icx.profile.fill import built_type
from icx.store import one_row
from icx.workspace import scored

if TYPE_CHECKING:
    from icx.profile.preview import Spread
    from icx.workspace.workspace import Workspace

Built = Mapping[str, tuple[int, int, Sequence[tuple[str, int]]]]


class KnownFields:
    """Reads the catalogue and the built profile of a connection; writes only field files."""

    def __init__(self, ws: Workspace, connection: str) -> None:
        self._ws = ws
        self._name = connection

    def rows(self) -> tuple[Catalogue, Built]:
        """Return every field, and of the built ones (people, filled, histogram)."""
        fields = self._ws.catalogue(self._name)
        try:
            frame = fill_rates(self._ws.store, self._name, fields)
        except IcxError as error:
            if error.code != "not-built":
                raise
            return fields, {}
        columns = (frame[name] for name in ("field", "people", "filled", "histogram"))
        return fields, {
            str(field): (int(people), int(filled), bars)
            for field, people, filled, bars in zip(*columns, strict=True)
        }

    def place(self) -> dict[str, str]:
        """Return the connection, and when its profile was built as of."""
        with self._ws.store.open(self._name) as con:
            row = one_row(con.execute("select as_of from builds order by built_at desc limit 1"))
        at = aware_utc(row[0]).astimezone(self._ws.settings.tz) if row else None
        return {"connection": self._name, "as_of": f"{at.day} {at:%b %Y, %H:%M %Z}" if at else ""}

    def used(self) -> Mapping[str, Sequence[str]]:
        """Return the saved audiences that use each field, by name."""
        from icx.rules import fields_used

        found: dict[str, list[str]] = {}
        for audience in self._ws.audiences():
            if audience.connection in {"", self._name}:
                for field in fields_used(audience.rule):
                    found.setdefault(field, []).append(audience.name)
        return found

    def detail(self, name: str) -> Spread:
        """Return the values of a field of the built profile."""
        field = self._ws.catalogue(self._name).find(name)
        with self._ws.store.open(self._name) as con:
            built = {column: kind for column, kind, *_ in con.execute("describe profile").fetchall()}
            if name not in built:
                raise NeedsYou(
                    "profile-missing",
                    f"The field `{name}` is not in the profile yet.",
                    where=f"{self._name}.profile",
                    kept="nothing was changed",
                    next=[["icx", "build", "--connection", self._name]],
                )
            kind = built_type(Catalogue([field]), name, built[name])
            return preview.spread(con, replace(field, type=kind))

    def preview(self, source: str) -> Spread:
        """Return the values a field file's text would give."""
        totals = scored.totals(self._ws, self._name)
        return preview.preview(self._ws.store, self._name, self._ws.layout.fields, source, totals)

    def save(self, source: str, replace: bool) -> Path:
        """Write a field file into data/fields."""
        return preview.save_field(self._ws.layout.fields, source, replace=replace)

    def text(self, name: str, kind: str, description: str, sql: str, pii: bool) -> str:
        """Return the text of a field file."""
        return preview.written(name, kind, description, sql, pii=pii)
