"""A sync: two systems, how their fields meet, and the rules by which people travel between them. Values only.

The rule of icx for somebody who stops matching, since no two products have the same one: they leave the set that is
in step and are updated no more; of what rules did to them, what icx itself did and can take back is taken back;
nothing else is touched, and nobody is ever deleted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from icx.errors import BadInput

if TYPE_CHECKING:
    from icx.sync.hand import Hand
    from icx.sync.health import Health
    from icx.sync.plan import SyncPlan
    from icx.sync.simulate import Simulated

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")
WAYS = ("both", "a>b", "b>a")
#: What a condition may ask, by what it is about.
ASKS = {
    "field": ("is", "is not", "contains", "starts with", "empty", "filled", "at least", "at most"),
    "list": ("on", "not on", "left"),
    "tag": ("has", "has not"),
    "status": ("is", "is not"),
    "unsubscribed": ("yes", "no"),
}
#: What a rule may do to the other side; all but `unsubscribe` can be taken back.
ACTS = ("set", "join", "leave", "tag", "untag", "unsubscribe")
UNDOABLE = frozenset(ACTS) - {"unsubscribe"}
MIRRORS = ("auto", "none")
LONGEST_NAME = 80
BETWEEN = "\x1f"  # of the two names in a line's id: no field is called so
_ARROWS = {"=": "both", "->": "a>b", "<-": "b>a"}


def other(side: Side) -> Side:
    """Return the other one of the two sides.

    >>> other("a")
    'b'
    """
    return "b" if side == "a" else "a"


@dataclass(frozen=True)
class Line:
    """A field of one system and the one of the other it is kept equal with.

    `way` is both, a>b or b>a. `blank` lets an emptied field empty the other one. `winner` decides what changed on both
    sides, else the sync's does. `@status`, `@unsubscribed` and `@list:NAME` stand for how somebody stands there, as
    words; they can only be read.
    """

    a: str
    b: str
    way: str = "both"
    blank: bool = False
    winner: str = ""

    @property
    def id(self) -> str:
        return f"{self.a}{BETWEEN}{self.b}"

    def of(self, side: Side) -> str:
        return self.a if side == "a" else self.b

    def goes(self, to: Side) -> bool:
        """Tell whether values travel to a side by this line."""
        return self.way == "both" or self.way == f"{other(to)}>{to}"

    def __str__(self) -> str:
        arrow = next(sign for sign, way in _ARROWS.items() if way == self.way)
        return f"{self.a} {arrow} {self.b}" + (", blank" if self.blank else "")

    @classmethod
    def parse(cls, text: str) -> Line:
        """Return the line that was typed.

        >>> Line.parse("first_name = firstName")
        Line(a='first_name', b='firstName', way='both', blank=False, winner='')
        >>> str(Line.parse("tier -> cf_tier, blank"))
        'tier -> cf_tier, blank'
        """
        body, _, last = text.rpartition(",")
        blank = bool(body) and last.strip() == "blank"
        body = body if blank else text
        for sign in ("->", "<-", "="):
            one, there, two = body.partition(f" {sign} ")
            if there and one.strip() and two.strip():
                return cls(one.strip(), two.strip(), _ARROWS[sign], blank)
        raise _bad(
            f'"{text}" maps nothing.', "first_name = firstName, tier -> cf_tier, or phone <- phone, blank"
        )


@dataclass(frozen=True)
class When:
    """A condition about somebody on one side: what it is `about`, its `name`, how it `asks`, and the `value`."""

    about: str
    asks: str
    name: str = ""
    value: str = ""

    def __str__(self) -> str:
        words = {"list": f"{self.asks} list {self.name}", "tag": f"{self.asks} tag {self.name}"}
        if self.about == "unsubscribed":
            return "unsubscribed" if self.asks == "yes" else "not unsubscribed"
        said = f"{self.name or self.about} {'is ' if self.asks in {'empty', 'filled'} else ''}{self.asks}"
        return words.get(self.about) or f"{said} {self.value}".rstrip()


@dataclass(frozen=True)
class Act:
    """What is done to somebody on the other side: `kind` of `ACTS`, the `name` of the field, list or tag, a `value`.

    `undo` takes it back when the rule matches them no more, if it was icx that did it and it is still so.
    """

    kind: str
    name: str
    value: str = ""
    undo: bool = False

    def __str__(self) -> str:
        said = {
            "set": f"set {self.name} to {self.value}",
            "join": f"add to list {self.name}",
            "leave": f"take off list {self.name}",
            "tag": f"tag {self.name}",
            "untag": f"take tag {self.name} off",
            "unsubscribe": f"UNSUBSCRIBE from list {self.name}",
        }[self.kind]
        return said + (", undone when it no longer holds" if self.undo else "")


@dataclass(frozen=True)
class Rule:
    """IF somebody of `side` meets every condition of `when` THEN they travel to the other side, and `then` is done there.

    `does` is create (also make who is not there), update (only who is there already), or act (no field travels, only
    `then` is done to who is there already). Several rules of a side are OR.
    """

    side: str
    when: tuple[When, ...] = ()
    does: str = "create"
    then: tuple[Act, ...] = ()

    @property
    def id(self) -> str:
        text = json.dumps([self.side, [asdict(one) for one in self.when], self.does], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Paused:
    """Who paused a sync, since when (aware UTC), and why."""

    by: str
    since: datetime
    why: str = ""


EVERYTHING = (Rule("a"), Rule("b"))


@dataclass(frozen=True)
class Sync:
    """Two systems in step.

    `a` and `b` name the systems. `lines` map fields; with `alike` every field both sides have is mapped too. `winner`
    (a or b) decides what differs at the first meeting and what changed on both sides. `rules` with nothing in it is
    everything both ways. `basis` says on what basis contacts are created in a system that mails. `unsubscribes` says
    how an unsubscribe on one side shows on the other: `auto` (a field or tag that is there for it), `none`, or by
    side `{"a": "field NAME", "b": "tag NAME"}`. Nothing here ever deletes, and no status is ever raised.
    """

    name: str
    a: str
    b: str
    lines: tuple[Line, ...] = ()
    rules: tuple[Rule, ...] = EVERYTHING
    winner: str = "a"
    alike: bool = True
    unsubscribes: Mapping[str, str] = field(default_factory=dict)
    basis: str = ""
    description: str = ""
    paused: Paused | None = None
    hand: Hand | None = field(default=None, repr=False, compare=False)

    def of(self, side: Side) -> str:
        """Return the name of the system on a side."""
        return self.a if side == "a" else self.b

    def on(self, side: Side) -> list[Rule]:
        """Return the rules about people of a side."""
        return [rule for rule in self.rules if rule.side == side]

    def as_dict(self) -> dict[str, Any]:
        """Return what the file holds: what was chosen, nothing that is the default."""
        kept: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in {"hand", "paused"} or (
                one.name not in {"name", "a", "b"} and value == _default(one.name)
            ):
                continue
            kept[one.name] = [asdict(each) for each in value] if one.name in {"lines", "rules"} else value
        if self.paused is not None:
            kept["paused"] = asdict(self.paused) | {"since": self.paused.since.isoformat()}
        return kept

    def digest(self) -> str:
        """Return what changes when anybody may be decided otherwise."""
        told = {k: v for k, v in self.as_dict().items() if k not in {"paused", "description", "basis"}}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Sync({self.name!r}: {self.a} {'<->' if self.both_ways else '->'} {self.b})"

    @property
    def both_ways(self) -> bool:
        return bool(self.on("a")) and bool(self.on("b"))

    def plan(self, *, full: bool = False) -> SyncPlan:
        """Read what changed on both sides (with `full`, everybody) and return what would be done; nothing is sent."""
        return self.carrier().plan(self, full=full, progress=None)

    def simulate(self) -> Simulated:
        """Carry the sync out on copies of both systems until it comes to rest; nothing is sent and nothing kept."""
        return self.carrier().simulate(self)

    def health(self) -> Health:
        """Return who is in step, who is not and why, and who fails, as the last run left it."""
        return self.carrier().health(self)

    def pause(self, why: str = "") -> Sync:
        """Let the sync rest until somebody resumes it; a plan of it is not applied meanwhile."""
        return self.carrier().pause(self, why)

    def resume(self) -> Sync:
        """Let it go on."""
        return self.carrier().resume(self)

    def carrier(self) -> Hand:
        """Return what carries this sync out; raises BadInput (sync-unbound) when no workspace has it."""
        if self.hand is None:
            raise BadInput(
                "sync-unbound",
                f"The sync {self.name} was not made by a workspace, so nothing can carry it out.",
                where="a sync made by hand",
                kept="nothing was read or sent",
                next=[["icx", "sync", "plan", self.name]],
            )
        return self.hand


def from_dict(data: Mapping[str, Any], where: str = "") -> Sync:
    """Return the sync that `as_dict` wrote; raises BadInput (sync-value) for what it cannot be."""
    known = {one.name for one in fields(Sync)} - {"hand"} | {"icx"}
    if extra := sorted(set(data) - known):
        raise _bad(f"`{extra[0]}` is nothing a sync has.", ", ".join(sorted(known)), where)
    try:
        rules = [
            Rule(
                one["side"],
                tuple(When(**each) for each in one.get("when", ())),
                one.get("does", "create"),
                tuple(Act(**each) for each in one.get("then", ())),
            )
            for one in data.get("rules", ())
        ]
        paused = data.get("paused")
        made = Sync(
            **{key: data[key] for key in ("name", "a", "b")},
            lines=tuple(Line(**one) for one in data.get("lines", ())),
            rules=tuple(rules) if "rules" in data else EVERYTHING,
            paused=Paused(**paused | {"since": datetime.fromisoformat(paused["since"])}) if paused else None,
            **{k: data[k] for k in ("winner", "alike", "unsubscribes", "basis", "description") if k in data},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _bad("The sync cannot be read as it is.", f"{type(error).__name__}: {error}", where) from None
    return checked(made, where)


def checked(sync: Sync, where: str = "") -> Sync:
    """Return a sync that means something, its name trimmed; raises BadInput (sync-value) before anything is saved."""
    name = sync.name.strip()
    told = where or f"sync {name}"
    if not name or len(name) > LONGEST_NAME or any(ord(c) < 32 for c in name):
        raise _bad("A sync needs a name of its own.", f"1 to {LONGEST_NAME} letters", told)
    if sync.a == sync.b:
        raise _bad(f"{sync.a} cannot be kept in step with itself.", "two systems", told)
    if sync.winner not in SIDES:
        raise _bad(f'"{sync.winner}" cannot win.', f"a ({sync.a}) or b ({sync.b})", told)
    if not sync.rules:
        raise _bad("A sync without a rule moves nobody.", "at least one rule", told)
    for line in sync.lines:
        _check_line(line, told)
    for rule in sync.rules:
        _check_rule(rule, told)
    for side, how in sync.unsubscribes.items():
        kind, _, target = how.partition(" ")
        if side not in SIDES or (how not in MIRRORS and not (kind in {"field", "tag"} and target)):
            raise _bad(
                f'"{how}" is no way to show an unsubscribe.', "auto, none, field NAME or tag NAME", told
            )
    return replace(sync, name=name)


def _check_line(line: Line, told: str) -> None:
    if line.way not in WAYS or line.winner not in {"", *SIDES}:
        raise _bad(f"`{line.a}` and `{line.b}`: {line.way} {line.winner}".strip(), f"{', '.join(WAYS)}", told)
    if not line.a or not line.b:
        raise _bad("A line maps a field of each side.", "first_name = firstName", told)
    for to in SIDES:
        if line.of(to).startswith("@") and line.goes(to):
            raise _bad(
                f"`{line.of(to)}` can be read only.",
                f"a way of {'b>a' if to == 'b' else 'a>b'}: nobody's status is ever set by a mapping",
                told,
            )
    if "email" in {line.a.lower(), line.b.lower()}:
        raise _bad(
            "The address is what people are matched by; no line maps it.",
            "a link holds when it changes",
            told,
        )


def _check_rule(rule: Rule, told: str) -> None:
    if rule.side not in SIDES or rule.does not in {"create", "update", "act"}:
        raise _bad(
            f"A rule of {rule.side} that does {rule.does}.", "side a or b; create, update or act", told
        )
    for when in rule.when:
        if when.about not in ASKS or when.asks not in ASKS[when.about]:
            may = ", ".join(ASKS.get(when.about, ASKS))
            raise _bad(f'"{when.about} {when.asks}" is no condition.', may, told)
        if when.about in {"field", "list", "tag"} and not when.name:
            raise _bad(f"A condition about a {when.about} needs its name.", "its name", told)
    for act in rule.then:
        if act.kind not in ACTS or not act.name:
            raise _bad(f'"{act.kind} {act.name}".', f"one of {', '.join(ACTS)}, and a name", told)
        if act.undo and act.kind not in UNDOABLE:
            raise _bad("An unsubscribe cannot be taken back.", "the same without undo", told)


def _default(name: str) -> Any:
    return {"unsubscribes": {}}.get(name, Sync.__dataclass_fields__[name].default)


def _bad(said: str, would: str, where: str = "") -> BadInput:
    return BadInput(
        "sync-value",
        said,
        where=where or "the definition of a sync",
        kept="nothing was saved",
        next=[f"right would be: {would}"],
    )


def mapped(lines: Sequence[Line], side: Side) -> set[str]:
    """Return the columns of a side that lines name."""
    return {line.of(side) for line in lines}
