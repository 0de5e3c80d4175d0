"""The plan in a notebook: everything it says, its questions, the one button that sends, and where it stands.

What is sent, and whether, is decided by `icx.plan`; this view shows it. An apply runs on a thread of its own, so the
notebook stays usable; everything it does is in the journal, so a view opened later, in another kernel too, shows the
same and offers to go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import traitlets

from icx import mask
from icx.errors import IcxError, NeedsYou
from icx.look.page import Html
from icx.plan import Applied, Plan, Progress
from icx.plan.html import page
from icx.plan.plan import from_kept
from icx.plan.questions import stop_words
from icx.plan.refusals import as_csv, refusals
from icx.plan.send import SENDING
from icx.plan.stage import LEFT_WORDS, MADE, Live, stage
from icx.plan.stops import Stop
from icx.plan.view import Times, person, view
from icx.plan.words import reason
from icx.store.plans import Plans
from icx.widgets.base import Answer, Widget, module, told

PAGE = 20  # rows shown at a time
EXPORTED = 50_000  # rows of one message to the browser
TOLD_EVERY = 0.25  # seconds at least between two updates of a view while an apply runs
SHARE = 0.1  # of an apply's time goes into telling: reading the journal of a million rows takes seconds
NOBODY = pa.array([], pa.uint64())
STATES = {
    "done": "done",
    "sent": "sent, outcome not known",
    "in_doubt": "in doubt",
    "not_sent": "not sent",
    "left_out": "left out",
    "refused": "refused by iContact",
}


class PlanView(Widget):
    """A plan that can be read, confirmed, applied, followed and taken back; nothing is sent without its button.

    `plan` is the one shown now (an inverse takes its place when it is asked for), `applied` what its last apply
    in this view came to.
    """

    _esm = module("plan")
    said = traitlets.Dict().tag(sync=True)
    at = traitlets.Dict().tag(sync=True)
    trouble = traitlets.Dict().tag(sync=True)
    asks: traitlets.List[Any] = traitlets.List().tag(sync=True)
    news = traitlets.Unicode("").tag(sync=True)
    trail: traitlets.List[str] = traitlets.List().tag(sync=True)

    def __init__(self, plan: Plan) -> None:
        if plan.plans is None:
            raise ValueError("this plan was not kept; a workspace keeps the plans it makes")
        self.plan = plan
        self.applied: Applied | None = None
        self._live: Live | None = None
        # of the plan shown: its refused rows, by reason
        self._who: tuple[str, dict[str, pa.Array]] | None = None
        self._worker: threading.Thread | None = None
        self._end = threading.Event()
        self._one = threading.RLock()  # whoever says where the plan stands: the kernel and an apply's thread
        self._tell_at = 0.0
        super().__init__()
        self._show(plan)

    def __repr__(self) -> str:
        return str(self.plan)

    def static_html(self) -> Html:
        return page(dict(self.said), dict(self.at))

    def wait(self, seconds: float | None = None) -> Applied | None:
        """Wait for a running apply, at most `seconds`, and return what it came to."""
        if self._worker is not None:
            self._worker.join(seconds)
        return self.applied

    # --- what the browser asks: looking ------------------------------------------------------------------------------

    def ask_refresh(self) -> Answer:
        """Read the journal again: another process, or another view, may have gone on."""
        self._stand()
        return {}

    def ask_people(self, code: str, offset: int = 0, limit: int = PAGE, show: bool = False) -> Answer:
        """Return whom the plan refuses for one reason; addresses masked unless `show`."""
        every = self._refused(code)
        rows = self._plans().some(self.plan.plan_id, every[_page(offset, limit)].to_pylist())
        times = self._times()
        return {
            "rows": [person(row, times, show=show) for row in rows.to_pylist()],
            "of": len(every),
            "masked": not show,
        }

    def ask_export(self, offset: int = 0, show: bool = False) -> Answer:
        """Return a part of the refusals as CSV, and where the next one begins; addresses masked unless `show`."""
        every, begin = self._refused(), max(0, offset)
        rows = self._plans().some(self.plan.plan_id, every[begin : begin + EXPORTED].to_pylist())
        part = refusals(rows, self.plan.zone, show=show)
        end = begin + part.num_rows
        name = f"{self.plan.plan_id}-refused{'-addresses' if show else ''}.csv"
        return {
            "csv": as_csv(part, header=not offset),
            "next": end if end < len(every) else None,
            "name": name,
        }

    def ask_outcomes(self, offset: int = 0, limit: int = PAGE, show: bool = False) -> Answer:
        """Return what became of every row touched or left out; addresses masked unless `show`."""
        plans, page = self._plans(), _page(offset, limit)
        some = plans.outcomes(self.plan.plan_id, offset=page.start, limit=page.stop - page.start)
        people = plans.some(self.plan.plan_id, [one["row"] for one in some], ["email"])
        emails = people.column("email").to_pylist()
        times = self._times()
        rows = [
            {
                "who": f"#{one['contact_id']}" if one["contact_id"] is not None else "no id",
                "address": mask.plain(email or "no address") if show else mask.address(email),
                "outcome": _outcome(one),
                "words": mask.plain(mask.addresses_in(one["words"])) if one["state"] == "refused" else "",
                "when": times.clock(datetime.fromisoformat(one["ended_at"] or one["at"])),
            }
            for one, email in zip(some, emails, strict=True)
        ]
        return {"rows": rows, "of": plans.touched(self.plan.plan_id), "masked": not show}

    def ask_open(self, plan: str) -> Answer:
        """Show another plan in this view: one that is not finished, or the one before."""
        self._idle()
        kept = from_kept(self._plans().get(plan), self._plans())
        self._show(replace(kept, hand=self.plan.hand))
        self.trail = [one for one in self.trail if one != plan]
        return {"plan": plan}

    # --- what the browser asks: acting -------------------------------------------------------------------------------

    def ask_apply(
        self, plan: str, answers: Mapping[str, str] | None = None, test: int | None = None
    ) -> Answer:
        """Begin to apply `plan`, or go on; what becomes of it is told as it happens.

        Answers are those to one plan's questions: when another one has taken its place meanwhile, in a second window
        on this view say, nothing is begun.
        """
        given = {str(key): str(value) for key, value in (answers or {}).items()}
        with self._one:
            self._idle()
            if plan != self.plan.plan_id:
                raise NeedsYou(
                    "needs-answer",
                    f"{self.plan.plan_id} is shown here by now.",
                    where=f"the button of {plan}",
                    kept="nothing was sent",
                    next=[f"answer what {self.plan.plan_id} asks, then its own button"],
                )
            self._end.clear()
            self._live = Live()
            self.trouble, self.asks, self.news, self.applied = {}, [], "", None
            self._worker = threading.Thread(
                target=self._work, args=(given, test), name=f"apply {self.plan.plan_id}", daemon=True
            )
            self._stand()
            self._worker.start()
        return {"started": self.plan.plan_id}

    def ask_pause(self) -> Answer:
        """Ask a running apply to end after its batch; the same button goes on."""
        with self._one:
            if self._live is None:
                return {"ending": False}
            self._end.set()
            self._live.ending = True
            self._stand()
        return {"ending": True}

    def ask_undo(self) -> Answer:
        """Plan the way back and show that plan here; nothing is sent."""
        return self._follow(self.plan.undo)

    def ask_retry(self) -> Answer:
        """Plan again whom the service refused, and show that plan here; nothing is sent."""
        return self._follow(self.plan.retry)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _idle(self) -> None:
        if self._live is not None:
            raise NeedsYou(
                "apply-running",
                f"{self.plan.plan_id} is being applied to this list.",
                where="in this view",
                kept="this one sent nothing",
                next=[["icx", "plans", self.plan.plan_id]],
            )

    def _follow(self, made: Callable[[], Plan]) -> Answer:
        """Show a plan that was made of this one in its place; the way back stays open."""
        self._idle()
        before = self.plan.plan_id
        self._show(made())
        self.trail = [*self.trail, before]
        return {"plan": self.plan.plan_id}

    def _work(self, answers: Mapping[str, str], test: int | None) -> None:
        trouble: dict[str, Any] = {}
        asks: list[Any] = []
        try:
            hand = self.plan.carrier()
            done = hand.apply(
                self.plan, answers=answers, test=test, progress=self._heard, ending=self._end.is_set
            )
            self.applied = done
            if done.state == "tested":
                same = "the same people by id" if done.read_back and done.read_back.equal else "it differs"
                self.news = f"Tested with #{test}: {done.added:,} added; read back, {same}."
            problem = done.problem(hand.refused_share)
            if problem is not None and problem.code != "read-back-differs":
                trouble = told(problem)  # that it differs is the view's own first line
        except IcxError as error:
            trouble = told(error)
            asks = self._asked_for(error)
        except Exception as error:  # the kernel's log is seen by nobody
            kept = "what was sent is in the journal; the same button is safe"
            trouble = told(error) | {"kept": kept}
        finally:
            with self._one:
                self._live = None
                self.asks, self.trouble = asks, trouble
                if self.plan.target.list_id is None:
                    self._say()  # the list may be made by now, and has an id
                self._stand()

    def _heard(self, news: Progress) -> None:
        live, clock = self._live, self._plans().journal.clock
        if live is None:
            return
        now, first = clock.now(), live.what != news.what or live.waiting_until != news.waiting_until
        live.waiting_until, live.note = news.waiting_until, news.note
        if news.waiting_until is None:
            live.what = news.what
        if first and news.what == "read again":
            live.marks["read"] = now
        began = news.what in SENDING and live.sending_since is None
        if began:
            live.sending_since = now
            live.marks.setdefault("read", now)
            live.marks["decided"] = now
        live.ending = live.ending or news.what == "ending"
        start = clock.monotonic()
        if first or start >= self._tell_at:
            with suppress(Exception):  # a view that cannot be drawn never breaks off what is being sent
                self._stand()
            took = clock.monotonic() - start
            self._tell_at = start + took + max(TOLD_EVERY, took * (1 - SHARE) / SHARE)
        if began:
            live.done_before = self.at["done"]

    def _asked_for(self, error: IcxError) -> list[Any]:
        """Return the questions an apply has beyond the plan's own: what changed in iContact since."""
        known = {stop.key for stop in self.plan.stops}
        given = [one for one in error.data.get("stops", []) if one["key"] not in known]
        return [
            stop_words(
                Stop(one["key"], one.get("confirm", ""), one["key"], "", one.get("value"), one.get("limit")),
                self.plan,
            )
            for one in given
        ]

    def _show(self, plan: Plan) -> None:
        self.plan = plan
        with self.hold_sync():  # one message: never one plan's words with another one's button
            self.trouble, self.asks, self.news = {}, [], ""
            self._say()
            self._stand()

    def _say(self) -> None:
        self.said = view(self.plan, self._plans().journal.clock.now())

    def _stand(self) -> None:
        with self._one:  # what is read first is told first: an older word never overwrites a newer one
            plans = self._plans()
            self.at = stage(self.plan, plans, plans.journal.clock.now(), self._live)

    def _refused(self, code: str = "") -> pa.Array:
        """Return the rows of those the plan refuses, for one reason or for any; read once, a plan never changes."""
        plan = self.plan.plan_id
        if self._who is None or self._who[0] != plan:
            found = self._plans().refused(plan)
            every = pa.concat_arrays([*found.values(), NOBODY])
            self._who = plan, found | {"": every.take(pc.array_sort_indices(every))}
        return self._who[1].get(code, NOBODY)

    def _plans(self) -> Plans:
        assert self.plan.plans is not None
        return self.plan.plans

    def _times(self) -> Times:
        return Times(self.plan.zone, self._plans().journal.clock.now())


def _page(offset: int, limit: int) -> slice:
    begin = max(0, offset)
    return slice(begin, begin + min(max(1, limit), 500))


def _outcome(one: Mapping[str, Any]) -> str:
    if one["state"] == "done":
        return MADE.get(one["action"]) or str(one["action"])
    if one["state"] == "left_out":
        return f"left out: {LEFT_WORDS.get(one['words'], reason(one['words']))}"
    return STATES.get(one["state"]) or str(one["state"])
