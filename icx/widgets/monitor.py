"""The monitor: what runs now, what waits and why, which rows failed, when jobs come next; and what is to rest.

A thread of its own reads the journal, so it is live while another cell of the same notebook works, and shows what
other processes do. Addresses are only ever in the answer to Show.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import traitlets

from icx.look.page import Html
from icx.widgets.base import Answer, Widget, module
from icx.widgets.monitor_page import page

if TYPE_CHECKING:
    from icx.widgets.plan import PlanView

EVERY = 2.0  # seconds between two looks
ALONE = 900.0  # seconds without a sign of a browser after which looking ends


class Watched(Protocol):
    """What the monitor asks of a workspace."""

    def look(self) -> dict[str, Any]: ...
    def people(self) -> Mapping[str, str]: ...
    def pause(self, job: str = "") -> None: ...
    def resume(self, job: str = "") -> None: ...
    def end(self, run: str) -> None: ...
    def retry(self, plan: str) -> PlanView: ...


class Monitor(Widget):
    """A workspace's activity, live; `stop()` ends its looking, showing it again begins it anew."""

    _esm = module("monitor")
    said = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        watched: Watched,
        *,
        every: float = EVERY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watched, self._every, self._monotonic = watched, every, monotonic
        self._ended = threading.Event()
        self._looking: threading.Thread | None = None
        self._heard = monotonic()
        self._plan: PlanView | None = None
        super().__init__()
        self.said = watched.look()

    def __repr__(self) -> str:
        said = self.said
        running = len(said["now"])
        paused = "; all pushes are paused" if said["paused"] else ""
        return f"Activity of {said['name']} at {said['at']}: {running} running, {len(said['rows'])} failed rows{paused}"

    def static_html(self) -> Html:
        return page(dict(self.said))

    def refresh(self) -> None:
        """Look now."""
        self.said = self._watched.look()

    def stop(self) -> None:
        """End the looking of this view's thread."""
        self._ended.set()

    def close(self) -> None:
        self.stop()
        super().close()

    # --- what the browser asks ----------------------------------------------------------------------------------

    def ask_here(self, still: bool = False) -> Answer:
        """A browser shows this view: look while it does. That it shows it `still` does not undo `stop()`."""
        self._heard = self._monotonic()
        stopped = self._ended.is_set()
        if stopped and still:
            return {}
        if stopped or self._looking is None or not self._looking.is_alive():
            self._ended = threading.Event()  # a thread that was told to end keeps its own
            self._looking = threading.Thread(
                target=self._look, args=(self._ended,), daemon=True, name="icx monitor"
            )
            self._looking.start()
        return {}

    def ask_show(self) -> Answer:
        """Return the addresses of the failed rows; they are in this answer and nowhere else."""
        return {"people": dict(self._watched.people())}

    def ask_pause(self, job: str = "") -> Answer:
        """Let a job rest, or all pushes."""
        self._watched.pause(job)
        self.refresh()
        return {}

    def ask_resume(self, job: str = "") -> Answer:
        """Let a job, or all pushes, go on."""
        self._watched.resume(job)
        self.refresh()
        return {}

    def ask_end(self, run: str) -> Answer:
        """Ask a pull to end after its page, whoever runs it."""
        self._watched.end(run)
        self.refresh()
        return {}

    def ask_retry(self, plan: str) -> Answer:
        """Plan again whom the service refused, and return the model of that plan's own view; nothing is sent.

        One view is open at a time: another one takes its place, and the plan before stays among `ws.plans()`.
        """
        shown = self._watched.retry(plan)
        if self._plan is not None:
            self._plan.close()
        self._plan = shown
        self.refresh()
        return {"view": shown.model_id, "name": shown.plan.plan_id}

    def _look(self, ended: threading.Event) -> None:
        while not ended.wait(self._every) and self._monotonic() - self._heard < ALONE:
            try:
                self.refresh()
            except Exception:  # the journal may be closed or busy; the browser says since when nothing came
                if ended.wait(self._every * 5):
                    return
