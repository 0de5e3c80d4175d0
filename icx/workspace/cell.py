"""Progress in a notebook's cell: one display that is drawn again, and one line of it when the work is over.

With an `end` the display is a widget with the button that asks for it; what is saved is the same page without one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from icx.clock import Clock
from icx.look.page import Html, bar, head, icon, join, note, number, pill, root, tag, tile, tiles
from icx.look.when import lasted, moment

if TYPE_CHECKING:
    from icx.widgets.working import Working

EVERY = 0.5  # seconds between two drawings
PHASES = (
    ("lists, fields, messages", ("customfields", "lists", "campaigns", "messages", "sends")),
    ("contacts", ("contacts",)),
    ("subscriptions", ("subscriptions",)),
    ("events", ()),
)


def in_notebook() -> bool:
    """Tell whether this runs in a notebook's kernel, where a display can be drawn again."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


class Cell:
    """Draws progress in a cell: called with each report, closed when the work ends."""

    def __init__(
        self,
        title: str,
        clock: Clock,
        zone: str,
        end: Callable[[], object] | None = None,
        service: str = "iContact",
    ) -> None:
        self.title, self.clock, self.zone, self.service = title, clock, zone, service
        self._end = end
        self._working: Working | None = None
        self._display: Any = None
        self._drawn = float("-inf")
        self._began = clock.monotonic()
        self._seen: list[str] = []
        self._waits = 0
        self._until: datetime | None = None
        self._told: datetime | None = None
        self._done: int | None = None
        self._whole: int | None = None

    def __call__(self, report: Any) -> None:
        self._note(report)
        now = self.clock.monotonic()
        if now - self._drawn < EVERY and getattr(report, "waiting_until", None) == self._told:
            return
        self._drawn, self._told = now, getattr(report, "waiting_until", None)
        self._draw(self.html(report), f"{self.title} …")

    def end(self, how: str) -> None:
        """Draw one line in place of the progress: how it ended, and that what landed is kept."""
        if self._display is None:
            return  # it was over before there was anything to see
        passed = lasted(self.clock.monotonic() - self._began)
        units = (
            f"{number(self._done)} of {number(self._whole)} units"
            if self._whole
            else f"{number(self._done)} units"
        )
        if how == "done":
            line = tag("span", icon("ok"), f"{self.title}: done in {passed}", cls="said muted")
        else:
            words = (
                f"{self.title} ended after {passed}, at {units}. What landed is kept; the same call goes on."
            )
            line = note("warn", words)
        self._put(
            {
                "text/html": str(root(line, name=self.title)),
                "text/plain": f"{self.title}: {how} after {passed}",
            }
        )
        if self._working is not None:
            self._working.close()

    def _draw(self, html: Html, plain: str) -> None:
        """Show one moment: in the widget, once it is there, else in the display itself."""
        if self._end is None:
            self._put({"text/html": str(root(html, name=self.title)), "text/plain": plain})
            return
        if self._working is not None:
            self._working.show(html, plain)
            return
        from icx.widgets.working import Working

        self._working = Working(self.title, self._end)
        self._working.show(html, plain)
        shown, _ = self._working._repr_mimebundle_()
        self._put(shown)

    def _put(self, shown: dict[str, Any]) -> None:
        from IPython.core.display_functions import DisplayHandle

        if self._display is None:
            self._display = DisplayHandle()  # type: ignore[no-untyped-call]
            self._display.display(shown, raw=True)
        else:
            self._display.update(shown, raw=True)

    def _note(self, report: Any) -> None:
        self._done, self._whole = getattr(report, "done", None), getattr(report, "of", None)
        phase = _phase(str(getattr(report, "what", "")))
        if phase and phase not in self._seen:
            self._seen.append(phase)
        until = getattr(report, "waiting_until", None)
        if until is not None and until != self._until:
            self._waits += 1
        self._until = until

    def html(self, report: Any) -> Html:
        """Return one moment of the work as a part of a page."""
        done, whole = getattr(report, "done", None), getattr(report, "of", None)
        rate, left = getattr(report, "rate", None), getattr(report, "seconds_left", None)
        calls, until = getattr(report, "calls_left", None), getattr(report, "waiting_until", None)
        passed = lasted(self.clock.monotonic() - self._began)
        state = pill("warn", "waiting", "clock") if until is not None else pill("", "running", "running")
        counted = f"{number(done)} of {number(whole)}" if done is not None and whole else number(done)
        parts = [
            head(self.title, state, f"under way for {passed}"),
            tiles(
                tile("Done", counted, "units, each counted against the service" if whole else "units so far"),
                tile("Rate", number(rate) if rate else "–", "rows a second"),
                tile("About left", _left(left), "an estimate" if left is not None else "not known yet"),
                tile(
                    "Calls left",
                    number(calls),
                    "this hour" + (f" · waited {_times(self._waits)}" if self._waits else ""),
                ),
            ),
        ]
        if until is not None:
            why = str(getattr(report, "note", "") or "")
            parts.append(_waiting(until, self.clock.now(), self.zone, why, self.service))
        parts.append(self._phases(report))
        foot = "Safe to interrupt: what landed stays, the next pull goes on there."
        return tag("div", *parts, tag("div", foot, cls="foot"), cls="gap")

    def _phases(self, report: Any) -> Html:
        what = str(getattr(report, "what", ""))
        now = _phase(what)
        rows: list[tuple[Html, object, Html, str]] = []
        for name, _ in PHASES:
            words = name[:1].upper() + name[1:]
            if name == now:
                done, whole = getattr(report, "done", 0) or 0, getattr(report, "of", None)
                drawn = bar(100 * done / whole, f"{done} of {whole} units") if whole else Html("")
                rows.append(
                    (
                        tag("span", icon("running"), cls="acc"),
                        tag("b", words),
                        drawn,
                        what if what != name else "reading",
                    )
                )
            elif name in self._seen:
                rows.append((icon("ok"), words, bar(100, "done"), "done"))
            else:
                rows.append((icon("clock"), tag("span", words, cls="muted"), Html(""), "later"))
        body = [
            tag("li", shape, tag("span", words), drawn, tag("span", said, cls="muted clip", title=said))
            for shape, words, drawn, said in rows
        ]
        return tag("ol", *body, cls="panel phases")


def _phase(what: str) -> str:
    for name, collections in PHASES:
        if what in collections:
            return name
    return "events" if what.endswith(("opens", "clicks", "bounces", "unsubscribes", "statistics")) else ""


def _left(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 60:
        return "under 1 min"
    low, high = int(seconds * 0.8 // 60), int(seconds * 1.25 // 60) + 1
    return f"{max(low, 1)}–{high} min" if high < 120 else f"{seconds / 3600:.1f} h"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _waiting(until: datetime, now: datetime, zone: str, why: str, service: str) -> Html:
    left = max(0, round((until - now).total_seconds()))
    words = join(
        f"Goes on {moment(until, now, zone, seconds=True)}, {number(left)} s from now; it is safe to interrupt."
    )
    return note("warn", f"Waiting for {service}{f' ({why})' if why else ''}.", words)
