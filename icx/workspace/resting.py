"""What is to rest or to end: all pushes until they are resumed, one pull after its page; told through the journal.

Whoever asks may sit in another process: the work itself looks, between two batches or two pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from icx.errors import BadInput, IcxError, NeedsYou, Stopped
from icx.look.when import moment

if TYPE_CHECKING:
    from icx.store.activity import Rest
    from icx.store.journal import Run
    from icx.workspace.workspace import Workspace


class Resting:
    """The verbs of a workspace that let something rest or end."""

    def pause_pushes(self: Workspace, why: str = "") -> Rest:  # type: ignore[misc]
        """Let all pushes of this workspace rest: none is begun, and one under way ends after its batch.

        Pulls, builds and counting go on. An apply that is refused meanwhile raises NeedsYou ("pushes-paused").
        """
        from icx.store.activity import PUSHES, Activity

        return Activity(self.journal).pause(PUSHES, self.who, why or self.because or "")

    def resume_pushes(self: Workspace) -> None:  # type: ignore[misc]
        """Let pushes go on; a plan that was stopped goes on with its next `ws.apply`."""
        from icx.store.activity import PUSHES, Activity

        Activity(self.journal).resume(PUSHES)

    def stop(self: Workspace, what: str = "") -> list[Run]:  # type: ignore[misc]
        """Ask pulls under way, in any process, to end after their page; what is there stays, the next pull goes on.

        `what` is a connection or a run ("r-142"); without it every pull is asked. Returns the runs that were asked.
        Raises BadInput (no-pull).
        """
        return stop(self, what)


def check_rest(ws: Workspace, what: str) -> None:
    """Raise `pushes-paused` while somebody lets all pushes rest."""
    from icx.store.activity import Activity

    rest = Activity(ws.journal).paused()
    if rest is None:
        return
    since = _since(ws, rest)
    raise NeedsYou(
        "pushes-paused",
        f"All pushes of this workspace are paused, by {rest.who} since {since}.",
        where=f"{what}{f': {rest.why}' if rest.why else ''}",
        kept="nothing was sent; the plan stays as it is",
        next=[["icx", "resume"], ["icx", "apply", what]],
    )


def resting(ws: Workspace, ending: Callable[[], bool] | None) -> Callable[[], bool]:
    """Return whether an apply is to end after this batch: because it was asked to, or because pushes were paused."""
    from icx.store.activity import Activity

    activity = Activity(ws.journal)
    return lambda: (ending is not None and ending()) or activity.paused() is not None


@contextmanager
def asked_to_end(
    ws: Workspace, run: str, connection: str, *, clicked: bool
) -> Iterator[Callable[[], IcxError | None]]:
    """Give what a pull asks between its pages: the end that somebody asked for, or None.

    With `clicked` it has a cell with somebody before it: the first interrupt of the kernel, which is also what the
    cell's button does, asks for the end after the page; the second ends at once.
    """
    from icx.plan.interrupt import Ending, ends_after_the_batch
    from icx.store.activity import Activity

    activity = Activity(ws.journal)

    def ends(interrupted: Ending | None = None) -> IcxError | None:
        asked = activity.ends(run)
        if asked is None and not (interrupted is not None and interrupted.asked):
            return None
        why = "" if asked is None else f", as {asked.who} asked {_since(ws, asked)}"
        return Stopped(
            "pull-stopped",
            f"The pull of {connection} was stopped after its page{why}.",
            next=[["icx", "pull", connection]],
        )

    if not clicked:
        yield ends
        return
    with ends_after_the_batch(lambda text: None) as interrupted:
        yield lambda: ends(interrupted)


def stop(ws: Workspace, what: str) -> list[Run]:
    """Ask pulls under way to end after their page; see `Workspace.stop`."""
    from icx.store.activity import Activity

    activity = Activity(ws.journal)
    pulls = [one.run for one in activity.under_way() if one.run.verb == "pull"]
    chosen = [run for run in pulls if not what or what in (run.run, run.what)]
    if not chosen:
        raise BadInput(
            "no-pull",
            f"No pull of {what} runs now." if what else "No pull runs now.",
            where=f"running: {', '.join(f'{run.what} ({run.run})' for run in pulls) or 'none'}",
            kept="nothing was changed",
            next=[["icx", "status"]],
        )
    for run in chosen:
        activity.end(run.run, ws.who)
    return chosen


def _since(ws: Workspace, rest: Rest) -> str:
    return moment(rest.since, ws.clock.now(), ws.settings.zone)
