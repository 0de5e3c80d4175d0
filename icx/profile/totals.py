"""What a build asks of whoever counts points: fields that rest on other fields, and a ledger beside the profile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from icx.fields import Catalogue, Field
from icx.store.db import Connection


class Totals(Protocol):
    """Counts totals while a profile is built; `fields` are their columns, `into` is made with these and contact_id."""

    fields: tuple[Field, ...]
    lines: int
    notes: list[str]

    def begin(
        self,
        con: Connection,
        *,
        schema: str,
        as_of: datetime,
        build_id: str,
        past: bool,
        catalogue: Catalogue,
        made_of: Callable[[set[str]], set[str]],
    ) -> set[str] | None:
        """Return the fields to be computed first; None when no table of people is asked for."""

    def share(
        self,
        con: Connection,
        *,
        people: str,
        activity: str,
        machines: str,
        seen: str | None,
        into: str,
        mine: Callable[[str], str],
    ) -> None:
        """Count one share of the people."""

    def end(self, con: Connection) -> None:
        """Say what came of it; nothing is in its place yet."""

    def swap(self, con: Connection) -> None:
        """Put everything in its place, inside the transaction that does so for the profile."""
