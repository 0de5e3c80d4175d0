"""The store while pages land: opened when there is something to write, given back while we wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from icx.store import Connection, Store, damage, transaction


class Bench:
    """A connection's tables, for whoever writes now and then.

    Opening costs about 30 ms and an open file keeps every other program out, so it is neither held for
    the length of a pull nor opened for each page.
    """

    def __init__(self, store: Store, connection: str) -> None:
        self.store = store
        self.connection = connection
        self._opened: Any = None
        self._con: Connection | None = None
        self._since = 0.0

    def con(self) -> Connection:
        """Return an open connection; `rest` gives it back."""
        if self._con is None:
            damage.check_room(self.store.path)
            self._opened = self.store.open(self.connection)
            self._con = self._opened.__enter__()
            self._since = self.store.clock.monotonic()
        return self._con

    @property
    def held(self) -> float:
        """Seconds since the file was opened, 0 when it is closed."""
        return 0.0 if self._con is None else self.store.clock.monotonic() - self._since

    def rest(self) -> None:
        """Close the file so that others may have it."""
        if self._con is not None:
            opened, self._opened, self._con = self._opened, None, None
            opened.__exit__(None, None, None)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction; errors of the machine come out as `Damaged`."""
        con = self.con()
        try:
            with transaction(con):
                yield con
        except BaseException as error:
            opened, self._opened, self._con = self._opened, None, None
            if opened is not None:  # the store closes, and says disk-full and its like in our words
                opened.__exit__(type(error), error, error.__traceback__)
            raise
