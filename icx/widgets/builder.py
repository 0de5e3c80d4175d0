"""The audience builder: the browser holds the document, Python reads it and says what each of its rules leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import tzinfo
from typing import Any

import traitlets

from icx.audience import Audience, Live, checked
from icx.audience.passing import Running
from icx.clock import SYSTEM, Clock
from icx.errors import IcxError
from icx.look.page import Html
from icx.rules import EVERYBODY, Rule, code
from icx.store.published import Interrupted
from icx.widgets import builder_answers as answers
from icx.widgets.base import Answer, Widget, module
from icx.widgets.counting import Stopped, Turn, Worker
from icx.widgets.document import Tree, same_rule, tree_of
from icx.widgets.inputs import catalogue_of, operators_of_types

EDITS = 8
SHOWN_WITHIN = 10.0  # seconds that showing the cell waits for a first count


class Builder(Widget):
    """An audience, edited by hand and counted after each edit.

    `audience` is what code would have made, and may be set; `rule` its rule. Questions are asked of what the last
    build published, so no other program waits for an open builder. `close()` ends its threads.
    """

    _esm = module("builder")
    beside = frozenset({"values", "histogram", "sample", "breakdown", "why", "misses"})

    tree = traitlets.Dict().tag(sync=True)
    rev = traitlets.Int(0).tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    saved = traitlets.Dict().tag(sync=True)
    catalogue: Any = traitlets.List().tag(sync=True)
    operators = traitlets.Dict().tag(sync=True)
    place = traitlets.Dict().tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        live: Live,
        audience: Audience | Rule | None = None,
        *,
        save: Callable[[Audience], object],
        bound: Callable[[Audience], Audience] = lambda audience: audience,
        kept: Callable[[str], Rule | None] = lambda name: None,
        names: Callable[[], Sequence[str]] = list,
        clock: Clock = SYSTEM,
    ) -> None:
        """Show an audience, or everybody.

        `save` keeps an audience, `bound` gives it the people it counts in code; `kept` is the saved rule of a name,
        `names` those of all saved audiences.
        """
        super().__init__(operators=operators_of_types())
        self._live = live
        self._save = save
        self._bound = bound
        self._names = names
        self._kept = kept
        self._clock = clock
        self._description = ""
        self._given: tuple[Tree, Rule] | None = None
        self._sizes: list[int] = []
        self._offered: tuple[object, ...] | None = None
        self._answered = threading.Condition()
        self._done = 0  # the rev that was told last, also without machines
        self._worker: Worker[tuple[int, Tree]] = Worker(self._count, "icx-builder")
        self._show(audience)
        self.observe(lambda _: self._edited(), "rev")

    def __repr__(self) -> str:
        total = self.answers.get("total")
        size = "not counted" if total is None else f"{total:,} of {self.answers['of']:,}"
        return f"Builder({self.name or 'a new audience'}: {size} people of {self._live.connection})"

    # --- in code ----------------------------------------------------------------------------------------------------

    @property
    def rule(self) -> Rule:
        """The rule as it stands; raises what is wrong with it first when it cannot be read."""
        if self._given is not None and self._given[0] == self.tree:
            return self._given[1]
        return same_rule(answers.rule_of(self.tree))

    @property
    def audience(self) -> Audience:
        """The audience as code would make it; setting another starts from that one, as an edit."""
        named = Audience(self.name, self.rule, self._live.connection, self._description)
        return self._bound(named)

    @audience.setter
    def audience(self, audience: Audience | Rule) -> None:
        self._show(audience)

    def wait(self, seconds: float = 30) -> Builder:
        """Wait until the newest edit is counted, also without machines, and return the builder.

        Raises TimeoutError after `seconds`.
        """
        with self._answered:
            if not self._answered.wait_for(lambda: self._done == self.rev, seconds):
                raise TimeoutError(f"the builder has not counted its newest edit within {seconds:g} s")
        return self

    def save(self, name: str | None = None, description: str | None = None) -> Audience:
        """Keep the audience under a name, which it then has; raises what saving in code raises."""
        audience = Audience(
            name or self.name,
            self.rule,
            self._live.connection,
            self._description if description is None else description,
        )
        checked(self._live.people, audience)
        self._save(audience)
        self.name, self._description = audience.name, audience.description
        self._say_saved()
        self._offer()
        return self._bound(audience)

    def close(self) -> None:
        """End the workers and the view; what is in memory ends with the last builder of the connection."""
        self._worker.close()
        super().close()

    @property
    def zone(self) -> tzinfo:
        """Where days begin."""
        return self._live.zone

    def static_html(self) -> Html:
        from icx.widgets.builder_html import builder_html

        with suppress(TimeoutError):
            self.wait(SHOWN_WITHIN)
        return builder_html(self)

    # --- questions of the browser -----------------------------------------------------------------------------------

    def ask_values(self, rule: Tree, node: str, field: str, **more: Any) -> Answer:
        return answers.values(self._live, rule, node, field, **more)

    def ask_histogram(
        self, rule: Tree, node: str, field: str, key: str | None = None, running: Running | None = None
    ) -> Answer:
        return answers.histogram(self._live, rule, node, field, key, running)

    def ask_sample(
        self,
        rule: Tree,
        n: int = 5,
        show: bool = False,
        seed: int = 0,
        running: Running | None = None,
        **_: Any,
    ) -> Answer:
        return answers.sample(self._live, rule, n, show=bool(show), seed=seed, running=running)

    def ask_misses(
        self,
        rule: Tree,
        node: str,
        n: int = 5,
        show: bool = False,
        seed: int = 0,
        running: Running | None = None,
    ) -> Answer:
        return answers.misses(self._live, rule, node, n, show=bool(show), seed=seed, running=running)

    def ask_breakdown(self, rule: Tree, by: str, running: Running | None = None) -> Answer:
        return answers.breakdown(self._live, rule, by, running)

    def ask_why(self, rule: Tree, who: str | int, running: Running | None = None) -> Answer:
        return answers.why(self._live, rule, who, running)

    def ask_save(self, rule: Tree, name: str = "", description: str | None = None) -> Answer:
        answers.rule_of(rule)
        self.tree = rule
        saved = self.save(name or None, description)
        return {"name": saved.name}

    def ask_python_of(self, rule: Tree) -> Answer:
        return {"python": code(same_rule(answers.rule_of(rule)))}

    def ask_stop(self) -> Answer:
        self._worker.stop()
        return {}

    # --- counting ---------------------------------------------------------------------------------------------------

    def _show(self, audience: Audience | Rule | None) -> None:
        given = (
            audience
            if isinstance(audience, Audience)
            else Audience(
                self.name, EVERYBODY if audience is None else audience, description=self._description
            )
        )
        self._given = (tree_of(given.rule), given.rule)
        self._description = given.description
        self.name = given.name
        self.tree = self._given[0]
        self._offer()
        self.rev += 1
        if self.rev == 1:  # nobody observes yet
            self._edited()

    def _edited(self) -> None:
        self._say_saved()
        self._worker.give((self.rev, self.tree))

    def _count(self, job: tuple[int, Tree], turn: Turn) -> None:
        rev, tree = job
        began = self._clock.monotonic()
        try:
            said = answers.counted(self._live, tree, self.name, turn.running)
            self._offer()
        except Interrupted:
            raise Stopped from None
        except Exception as error:  # whatever it is must be told, and the next edit be counted
            said = answers.not_counted(error)
        if turn.stopped:
            raise Stopped
        if (total := said.get("total")) is not None:
            self._sizes = [*self._sizes, total][-EDITS:]
        before = self._sizes[-2] if total is not None and len(self._sizes) > 1 else None
        with self._answered:
            self.answers = {
                "rev": rev,
                "ms": round(1000 * (self._clock.monotonic() - began), 1),
                "before": before,
                "sizes": list(self._sizes),
                "at": f"{self._clock.now().astimezone(self._live.zone):%H:%M:%S}",
                **said,
            }
        try:
            if total is not None:
                self._count_human(tree, turn)
        finally:
            with self._answered:
                self._done = rev
                self._answered.notify_all()

    def _count_human(self, tree: Tree, turn: Turn) -> None:
        """Add the size without machines; it counts events once more, and the total does not wait for that."""
        try:
            human = answers.human(self._live, tree, self.name, turn.running)
        except Exception:  # stopped, or the files went away: the total stands, and the next edit is counted
            return
        if human is not None and not turn.stopped:
            self.answers = {**self.answers, "human": human}

    def _offer(self) -> None:
        """Say what there is to choose from, when that has changed."""
        place = answers.place(self._live)
        names = list(self._names())
        offered = (place, names, self.name)
        if self._offered == offered:
            return
        with self._live.read(EVERYBODY) as reading:
            self.catalogue = catalogue_of(reading.catalogue, dict(reading.lookup.lists), names, self.name)
        self.place = place
        self._offered = offered

    def _say_saved(self) -> None:
        kept = None
        try:
            kept = self._kept(self.name) if self.name else None
            same = kept is not None and self.rule == kept
        except IcxError:
            same = False
        self.saved = {"name": self.name if kept is not None else None, "same": same}
