"""A trigger: when it fires, what it does then, how often, and how many people at most without being asked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from icx import mask
from icx.errors import BadInput
from icx.notify import shown_way
from icx.rules import Compare, InAudience, Rule, code, to_json
from icx.words import counted

if TYPE_CHECKING:
    from icx.plan import Plan
    from icx.triggers.backtest import BackTest
    from icx.triggers.firings import Firing
    from icx.triggers.ran import Ran

MOST = 1_000
FIRES = ("contact", "crossing", "each")
#: What a trigger can do, and which of `Do`'s values each kind needs.
KINDS: dict[str, tuple[str, ...]] = {
    "push": ("list",),
    "move": ("list", "to"),
    "unsubscribe": ("list",),
    "set": ("field", "value"),
    "tag": ("field",),
    "webhook": ("webhook",),
    "command": ("command",),
    "notebook": ("notebook",),
}
#: Done by an ordinary plan: shown, judged by the consent table, journaled row by row.
BY_PLAN = ("push", "move", "unsubscribe")
#: Written to the service as a field or a tag, which is the same however often it is said.
MARKED = ("set", "tag")
#: Told to somebody outside, in batches; whoever hears it may hear it twice, and knows by the firing's id.
TOLD = ("webhook", "command", "notebook")
_UP, _DOWN = (">=", ">"), ("<", "<=")


class Hand(Protocol):
    """The workspace as a trigger knows it: `trigger.run()` in a notebook ends here."""

    def test(self, trigger: Trigger, days: int) -> BackTest: ...
    def run(
        self, trigger: Trigger, *, confirm: Mapping[str, str] | None, existing: bool, progress: Any
    ) -> Ran: ...
    def existing(self, trigger: Trigger) -> Plan | int: ...
    def firings(self, trigger: Trigger, limit: int) -> list[Firing]: ...


@dataclass(frozen=True)
class Paused:
    """Who paused a trigger, since when (aware, UTC), and why."""

    by: str
    since: datetime
    why: str = ""


@dataclass(frozen=True)
class Do:
    """What is done with those for whom a trigger fires; `kind` is a key of `KINDS`.

    `list` is CONNECTION/lists/NAME and `to` the name of the list that people are moved to. `field` is the custom field
    that is set to `value`, or the tag. `webhook` is as `icx.notify` takes it, `command` an argument list run without
    a shell; both, and the file a notebook is given, hold contact ids, and addresses only with `addresses`. `create`
    makes the list when there is none. `apply` lets the notebook send.
    """

    kind: str
    list: str = ""
    to: str = ""
    field: str = ""
    value: str = ""
    webhook: str = ""
    command: tuple[str, ...] = ()
    notebook: str = ""
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    addresses: bool = False
    create: bool = False
    apply: bool = False

    @property
    def english(self) -> str:
        """What is done, as the end of a sentence.

        >>> Do("push", list="acme/lists/Hot").english
        'they are added to acme/lists/Hot'
        """
        names = {one: mask.plain(getattr(self, one)) for one in ("list", "to", "field", "value")}
        held = ", addresses in it" if self.addresses else ""
        return {
            "push": "they are added to {list}",
            "move": "they are moved from {list} to {to}",
            "unsubscribe": "they are unsubscribed from {list}, which cannot be undone",
            "set": "{field} is set to {value}",
            "tag": "they get the tag {field}",
            "webhook": "{way} is told" + held,
            "command": "{way} is told" + held,
            "notebook": "{book} runs with them" + held,
        }[self.kind].format(**names, way=shown_way(self.command, self.webhook), book=Path(self.notebook).name)


@dataclass(frozen=True, repr=False)
class Trigger:
    """When something is done with people, and what.

    `when` is one of four rules: a number of the profile that is reached (`f.points >= 50`) or fallen below
    (`f.points < 10`), an audience that is entered (`InAudience("in", …)`) or left. It fires for those who cross, from
    the build it was saved on; whom it finds so already are left alone until that is asked for.

    `fires` is `contact` (once in a lifetime), `crossing` (each time somebody crosses) or `each` (each build that finds
    them so). More than `most` firings at once are held until somebody agrees. `hand` is set by the workspace.
    """

    name: str
    when: Rule
    do: Do
    fires: str = "crossing"
    most: int = MOST
    connection: str = ""
    description: str = ""
    paused: Paused | None = None
    hand: Hand | None = dataclasses.field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"{mask.plain(self.name)}: {self.english}" + (", paused" if self.paused else "")

    def _repr_html_(self) -> str:
        from icx.triggers.html import trigger_html

        return str(trigger_html(self))

    @property
    def way(self) -> str:
        """How somebody crosses: reached, fell, entered or left."""
        if isinstance(self.when, InAudience):
            return "entered" if self.when.operator == "in" else "left"
        assert isinstance(self.when, Compare)
        return "reached" if self.when.operator in _UP else "fell"

    @property
    def numeric(self) -> bool:
        """Whether it watches a number, whose value before and after each firing cites."""
        return self.way in {"reached", "fell"}

    @property
    def downward(self) -> bool:
        """Whether only somebody seen on the other side before can cross: nobody falls or leaves by being new."""
        return self.way in {"fell", "left"}

    @property
    def digest(self) -> str:
        """What was seen last is kept under this, so that a changed `when` begins anew."""
        return hashlib.sha256(json.dumps(to_json(self.when), sort_keys=True).encode()).hexdigest()[:20]

    @property
    def condition(self) -> str:
        """When it fires, as the beginning of a sentence."""
        rule = self.when
        if isinstance(rule, InAudience):
            verb = "enters" if self.way == "entered" else "leaves"
            return f"somebody {verb} the audience {mask.plain(rule.audience)}"
        assert isinstance(rule, Compare)
        verb = {
            ">=": "reaches",
            ">": "rises above",
            "<": "falls below",
            "<=": "falls to or below",
        }[rule.operator]
        return f"somebody's {rule.field} {verb} {_number(rule.value)}"

    @property
    def english(self) -> str:
        """The trigger as a sentence.

        >>> Trigger("Hot", Compare("points", ">=", 50), Do("push", list="acme/lists/Hot"), "contact").english
        "when somebody's points reaches 50, they are added to acme/lists/Hot; once per contact"
        """
        often = {
            "contact": "once per contact",
            "crossing": "once per crossing",
            "each": "each build that finds them so",
        }
        return f"when {self.condition}, {self.do.english}; {often[self.fires]}"

    @property
    def python(self) -> str:
        """The trigger as it would be typed."""
        do = self.do
        target: Any = {
            "push": do.list,
            "move": (do.list, do.to),
            "unsubscribe": do.list,
            "set": (do.field, do.value),
            "tag": do.field,
            "webhook": do.webhook,
            "command": list(do.command),
            "notebook": do.notebook,
        }[do.kind]
        more = {
            "params": dict(do.params) or None,
            "addresses": do.addresses or None,
            "create": do.create or None,
            "apply": do.apply or None,
            "fires": None if self.fires == "crossing" else self.fires,
            "most": None if self.most == MOST else self.most,
            "description": self.description or None,
        }
        said = "".join(f", {key}={value!r}" for key, value in more.items() if value is not None)
        key = "set_field" if do.kind == "set" else do.kind
        return f"ws.trigger({self.name!r}, {code(self.when)}, {key}={target!r}{said})"

    def of(self, hand: Hand, connection: str) -> Trigger:
        """Return the same trigger, in a workspace."""
        return replace(self, hand=hand, connection=self.connection or connection)

    def test(self, days: int = 90) -> BackTest:
        """Return how often it would have fired in the days before the last build, for how many people, by week."""
        return self._hand().test(self, days)

    def run(
        self, *, confirm: Mapping[str, str] | None = None, existing: bool = False, progress: Any = None
    ) -> Ran:
        """Do what is due; see `Workspace.run_trigger`."""
        return self._hand().run(self, confirm=confirm, existing=existing, progress=progress)

    def existing(self) -> Plan | int:
        """Return what would be done with whom it finds so already, as a plan of its own; nothing is sent."""
        return self._hand().existing(self)

    def firings(self, limit: int = 100) -> list[Firing]:
        """Return whom it fired for, newest first."""
        return self._hand().firings(self, limit)

    def _hand(self) -> Hand:
        if self.hand is None:
            raise BadInput(
                "trigger-value",
                f"{mask.plain(self.name)} is a trigger, but nobody's.",
                where="a trigger made by hand",
                kept="nothing was changed",
                next=["ws.trigger(…, dry=True) gives it with its people, and saves nothing"],
            )
        return self.hand


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else mask.plain(str(value))


def as_json(trigger: Trigger) -> dict[str, Any]:
    """Return what the file of a trigger holds."""
    do = trigger.do
    action: dict[str, Any] = {"kind": do.kind}
    for name in Do.__dataclass_fields__:
        value = getattr(do, name)
        if name != "kind" and value:
            action[name] = list(value) if isinstance(value, tuple) else value
    kept: dict[str, Any] = {
        "name": trigger.name,
        "connection": trigger.connection,
        "description": trigger.description,
        "when": to_json(trigger.when),
        "do": action,
        "fires": trigger.fires,
        "most": trigger.most,
    }
    if trigger.paused is not None:
        paused = trigger.paused
        kept["paused"] = {"by": paused.by, "since": paused.since.isoformat(), "why": paused.why}
    return kept


def told(firings: int) -> str:
    """Return how often something fired.

    >>> told(312)
    'fired 312 times'
    """
    return f"fired {counted(firings, 'time')}"


def run_command(name: str, *more: str) -> list[str]:
    """Return the command that runs a trigger, as an argument list."""
    return ["icx", "triggers", "run", name, *more]


def typed(words: list[str]) -> str:
    """Return an argument list as a shell takes it."""
    return shlex.join(words)
