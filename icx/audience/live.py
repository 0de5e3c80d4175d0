"""Audiences asked again and again, as a view that is edited asks: from what a build published, never the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from icx.audience.audience import Audience
from icx.audience.people import People
from icx.audience.waterfall import Waterfall, waterfall
from icx.rules import Reading, Rule, Sql
from icx.store import Connection
from icx.store.published import Published, stamp

if TYPE_CHECKING:
    from icx.audience.waterfall import Mask

Running = Callable[[Connection], None]


class Live:
    """The people of one connection as the last build published them.

    When another build has been published the next question is asked of that one. Any thread may ask.
    """

    def __init__(self, directory: Path, connection: str, audiences: Path | None, zone: tzinfo) -> None:
        """Open what lies in `directory`; raises `profile-missing` when no build has published there."""
        self.connection = connection
        self.zone = zone
        self._directory = directory
        self._audiences = audiences
        self._lock = threading.Lock()
        self._published = Published(directory, connection)

    def __repr__(self) -> str:
        return f"Live({self.connection!r}, {self.published.about.build_id})"

    @property
    def published(self) -> Published:
        """What is asked: the newest build, or the one before while the newest is being put in place."""
        with self._lock:
            if not self._published.current and stamp(self._directory) is not None:
                # whoever is still reading the one before ends its memory by letting go of it
                self._published = Published(self._directory, self.connection)
            return self._published

    @property
    def people(self) -> People:
        """Whom audiences choose from, with the fields and the moment of the build."""
        return self._people(self.published)

    @contextmanager
    def open(
        self, audience: Audience | Rule, running: Running | None = None
    ) -> Iterator[tuple[Connection, Reading, Rule]]:
        """Open as `People.open` does; answers about events are kept, and `running` hears of the cursor to interrupt."""
        with self._open(self.published, audience, running) as opened:
            yield opened

    def count(self, audience: Audience | Rule, running: Running | None = None) -> Waterfall:
        """Return the figures of every node; see `waterfall`. Of a rule edited, only what is new is asked."""
        published = self.published
        found = self._count(published, audience, running)
        # put in place meanwhile, tables of two builds may have been read
        return found if published.current else self._count(self.published, audience, running)

    def _count(self, published: Published, audience: Audience | Rule, running: Running | None) -> Waterfall:
        with self._open(published, audience, running) as (con, reading, rule):

            def passing(test: Sql) -> Mask:
                return published.passing(con, test.text, test.params)

            return waterfall(con, "profile", rule, reading, passing)

    @contextmanager
    def _open(
        self, published: Published, audience: Audience | Rule, running: Running | None
    ) -> Iterator[tuple[Connection, Reading, Rule]]:
        with self._people(published).open(audience) as (con, reading, rule):
            if running is not None:
                running(con)

            def keep(asked: Sql) -> Sql:
                return Sql(published.keep(con, asked.text, asked.params))

            yield con, replace(reading, keep=keep), rule

    def close(self) -> None:
        """Let the memory go; nothing can be asked afterwards."""
        self._published.close()

    def _people(self, published: Published) -> People:
        about = published.about
        return People(published, self.connection, about.catalogue, self._audiences, self.zone, about.as_of)
