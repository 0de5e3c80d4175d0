"""Hearing why and until when the client waits, for the progress line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from icx.clock import Clock
from icx.pull.progress import Meter
from icx.pull.units import Source


class Ear:
    """Listens to a client's waits; the client's owner still hears them too."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._last: Any = None

    @contextmanager
    def listening(self, client: Source) -> Iterator[None]:
        """Listen while the block runs; a client that tells nobody is left alone."""
        if not hasattr(client, "on_wait"):
            yield
            return
        owner = client.on_wait

        def hear(waiting: Any) -> None:
            self._last = waiting
            if owner is not None:
                owner(waiting)

        client.on_wait = hear
        try:
            yield
        finally:
            client.on_wait = owner

    def until(self, meter: Meter) -> datetime | None:
        """Return the end of the wait under way (aware UTC), with its reason in the meter's note."""
        if self._last is None or self._last.until <= self.clock.now():
            meter.note = ""
            return None
        meter.note = self._last.why + (f", try {self._last.attempt}" if self._last.attempt else "")
        end: datetime = self._last.until
        return end
