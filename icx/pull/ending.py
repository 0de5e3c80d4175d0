"""The end of a pull: written down also when it was stopped, with what was kept in every error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from icx.clock import Clock, naive_utc
from icx.errors import IcxError, TryLater
from icx.pull import others
from icx.pull.bench import Bench
from icx.pull.progress import Meter


@dataclass
class Ending:
    """Closes the pull's line: with `state` when all went well, else as stopped. `calls()` gives made and repeated."""

    bench: Bench
    meter: Meter
    clock: Clock
    run: str
    state: str
    calls: Callable[[], tuple[int, int]]

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._close(self.state)
            return
        # A full disk stops this too; then the line stays `running`, and the next pull knows what that means.
        with suppress(Exception):
            self._close("stopped")
        if isinstance(error, IcxError):
            self._say_what_was_kept(error)

    def _say_what_was_kept(self, error: IcxError) -> None:
        done, of = self.meter.done, self.meter.of
        units = f"{done} of {of} units and the pages waiting" if of else "every unit read so far"
        error.kept = f"{units}; {error.kept}" if error.kept else units
        place = self.meter.what
        if isinstance(error.where, str) and place and place not in error.where:
            error.where = f"{place}: {error.where}" if error.where else place
        if error.code in {"login-refused", "login-lost"}:
            error.kept = f"{units}; the saved login"
            connect = ["icx", "connect", self.bench.connection, "--update"]
            error.next = [connect, ["icx", "pull", self.bench.connection]]
        if isinstance(error, TryLater):
            error.next = [["icx", "pull", self.bench.connection], *error.next]

    def _close(self, state: str) -> None:
        made, retried = self.calls()
        try:
            with self.bench.transaction() as con:
                con.execute(
                    "update pulls set state = ?, ended_at = ?, calls = ?, retried = ? where pull_id = ?",
                    [state, naive_utc(self.clock.now()), made, retried, self.run],
                )
                if state != "stopped":
                    others.keep(con)
        finally:
            self.bench.rest()
