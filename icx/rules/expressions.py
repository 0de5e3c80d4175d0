"""Rules as typed in Python: `f.opens_90d >= 3` for any field, and functions for lists, events, audiences."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, cast

from icx.errors import BadInput
from icx.fields import Catalogue, Field
from icx.rules.nodes import Compare, Days, Event, Group, InAudience, Link, OnList, Rule, Scalar, This
from icx.rules.operators import IGNORE_CASE

Given = Scalar | date | datetime


class FieldRef:
    """A field in an expression; comparing it makes a rule. `f.city?` shows what the field is."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, field: Field, key: str | None = None) -> None:
        self._field = field
        self._key = key
        self.__doc__ = f"{field!r}\n\n{field.sql}"

    def __repr__(self) -> str:
        return repr(self._field)

    def __getitem__(self, key: str) -> FieldRef:
        """Return one entry of a map field: `f.open_hours["9"] >= 3`."""
        return FieldRef(self._field, str(key))

    def __eq__(self, other: object) -> Compare:  # type: ignore[override]
        return self._leaf("=", other)

    def __ne__(self, other: object) -> Compare:  # type: ignore[override]
        return self._leaf("!=", other)

    def __lt__(self, other: Given) -> Compare:
        return self._leaf("<", other)

    def __le__(self, other: Given) -> Compare:
        return self._leaf("<=", other)

    def __gt__(self, other: Given) -> Compare:
        return self._leaf(">", other)

    def __ge__(self, other: Given) -> Compare:
        return self._leaf(">=", other)

    def __bool__(self) -> bool:
        raise BadInput(
            "rule-value",
            f"`{self._field.name}` alone is no rule: compare it, and join rules with &, | and ~.",
            where=self._field.name,
            kept="nothing was changed",
            next=[f"f.{self._field.name} == …, or f.{self._field.name}.has_value()"],
        )

    def equals(self, value: Given, *, ignore_case: bool = False) -> Compare:
        return self._leaf("=", value, ignore_case)

    def does_not_equal(self, value: Given, *, ignore_case: bool = False) -> Compare:
        return self._leaf("!=", value, ignore_case)

    def contains(self, text: str, *, ignore_case: bool = False) -> Compare:
        return self._leaf("contains", text, ignore_case)

    def does_not_contain(self, text: str, *, ignore_case: bool = False) -> Compare:
        return self._leaf("doesNotContain", text, ignore_case)

    def begins_with(self, text: str, *, ignore_case: bool = False) -> Compare:
        return self._leaf("beginsWith", text, ignore_case)

    def does_not_begin_with(self, text: str, *, ignore_case: bool = False) -> Compare:
        return self._leaf("doesNotBeginWith", text, ignore_case)

    def ends_with(self, text: str, *, ignore_case: bool = False) -> Compare:
        return self._leaf("endsWith", text, ignore_case)

    def does_not_end_with(self, text: str, *, ignore_case: bool = False) -> Compare:
        return self._leaf("doesNotEndWith", text, ignore_case)

    def is_in(self, *values: Any, ignore_case: bool = False) -> Compare:
        """One of some values: `f.city.is_in("Durham", "Raleigh")`, or one list of them."""
        return self._leaf("in", _several(values), ignore_case)

    def not_in(self, *values: Any, ignore_case: bool = False) -> Compare:
        return self._leaf("notIn", _several(values), ignore_case)

    def between(self, low: Given, high: Given) -> Compare:
        """From one value to another, both included."""
        return self._leaf("between", (_plain(low), _plain(high)))

    def not_between(self, low: Given, high: Given) -> Compare:
        return self._leaf("notBetween", (_plain(low), _plain(high)))

    def within(
        self, days: float | None = None, *, this: Literal["day", "week", "month", "year"] | None = None
    ) -> Compare:
        """In the last n days of 24 hours before the audience's moment, or in the current week."""
        return self._leaf("within", _window(days, this))

    def not_within(
        self, days: float | None = None, *, this: Literal["day", "week", "month", "year"] | None = None
    ) -> Compare:
        """Happened, but outside the window; `~f.x.within(days=7)` also wants those where it never did."""
        return self._leaf("notWithin", _window(days, this))

    def has(self, value: str) -> Compare:
        """A list field holds the text; a map field has the key."""
        return self._leaf("has", value)

    def has_not(self, value: str) -> Compare:
        return self._leaf("hasNot", value)

    def is_missing(self) -> Compare:
        return Compare(self._field.name, "null", None, self._key)

    def has_value(self) -> Compare:
        return Compare(self._field.name, "notNull", None, self._key)

    def _leaf(self, operator: str, value: object, ignore_case: bool = False) -> Compare:
        kept = value if isinstance(value, tuple | Days | This) else _plain(value)
        name = IGNORE_CASE[operator] if ignore_case else operator
        return Compare(self._field.name, name, cast(Any, kept), self._key)


class F:
    """The fields of a catalogue as attributes, for rules: `(f.opens_90d >= 3) & (f.city == "Durham")`.

    A field whose name is no Python word is `f["its name"]`. An unknown name raises `field-unknown` with the
    nearest ones.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __repr__(self) -> str:
        return f"{len(self._catalogue)} fields; f.<tab> lists them"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._catalogue if name.isidentifier())]

    def __getattr__(self, name: str) -> FieldRef:
        # Python and IPython ask every object for names like __deepcopy__ and _repr_html_.
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> FieldRef:
        return FieldRef(self._catalogue.find(name, "this expression"))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._catalogue)

    def everybody(self) -> Rule:
        """All contacts of the connection."""
        return Group()

    def nobody(self) -> Rule:
        return Group("or")

    def on_list(
        self, name: str, state: Literal["normal", "pending", "unsubscribed", "on", "not on"] = "on"
    ) -> OnList:
        """On a list (by name or "#id"): normal or pending, or in one state."""
        return OnList(state, name)

    def not_on_list(self, name: str) -> OnList:
        return OnList("not on", name)

    def in_audience(self, name: str) -> InAudience:
        return InAudience("in", name)

    def not_in_audience(self, name: str) -> InAudience:
        return InAudience("notIn", name)

    def opened(self, at_least: int | None = None, **narrowed: Any) -> Event:
        """Opened mail: `f.opened(3, days=90)`, `f.opened(at_most=2)`, `f.opened(times=0, message=88104)`.

        Also since=, until= (dates or moments), distinct="messages", human=True, count=(">", 3).
        """
        return _event("open", at_least, **narrowed)

    def clicked(self, at_least: int | None = None, **narrowed: Any) -> Event:
        """Clicked links, as `opened`, and url="/sale" for links containing it."""
        return _event("click", at_least, **narrowed)

    def bounced(self, at_least: int | None = None, **narrowed: Any) -> Event:
        return _event("bounce", at_least, **narrowed)

    def unsubscribed(self, at_least: int | None = None, **narrowed: Any) -> Event:
        return _event("unsubscribe", at_least, **narrowed)

    def did(self, at_least: int | None = None, **narrowed: Any) -> Event:
        """Had any event at all: an open, a click, a bounce or an unsubscribe."""
        return _event("any", at_least, **narrowed)


def _event(
    kind: Literal["open", "click", "bounce", "unsubscribe", "any"],
    at_least: int | None = None,
    *,
    at_most: int | None = None,
    times: int | None = None,
    count: tuple[Any, ...] | None = None,
    days: float | None = None,
    since: date | str | None = None,
    until: date | str | None = None,
    message: int | None = None,
    url: str | tuple[str, str] | None = None,
    distinct: Literal["messages"] | None = None,
    human: bool = False,
) -> Event:
    given = [n for n in (at_least, at_most, times, count) if n is not None]
    if len(given) > 1 and not (at_least is not None and at_most is not None and len(given) == 2):
        raise BadInput(
            "rule-value",
            "How often is said twice.",
            where="this expression",
            kept="nothing was changed",
            next=["one of at_least=, at_most=, times=, count=; at_least and at_most together make a range"],
        )
    operator: str = ">="
    wanted: int | tuple[int, int] = 1 if at_least is None else at_least
    if at_least is not None and at_most is not None:
        operator, wanted = "between", (at_least, at_most)
    elif at_most is not None:
        operator, wanted = "<=", at_most
    elif times is not None:
        operator, wanted = "=", times
    elif count is not None:
        operator, wanted = str(count[0]), count[1] if len(count) == 2 else (count[1], count[2])
    between = None
    if since is not None or until is not None:
        between = (_moment(since), _moment(until))
    link = None if url is None else Link("contains", url) if isinstance(url, str) else Link(*url)
    return Event(kind, operator, wanted, days, between, message, link, distinct, human)


def _moment(value: date | str | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value


def _window(days: float | None, this: Literal["day", "week", "month", "year"] | None) -> Days | This:
    if (days is None) == (this is None):
        raise BadInput(
            "rule-value",
            "A window is a number of days, or the current day, week, month or year.",
            where="this expression",
            kept="nothing was changed",
            next=['within(days=7), or within(this="week")'],
        )
    return Days(days) if days is not None else This(this)  # type: ignore[arg-type]


def _several(values: tuple[Any, ...]) -> tuple[Scalar, ...]:
    if len(values) == 1 and isinstance(values[0], list | tuple | set | frozenset):
        values = tuple(sorted(values[0]) if isinstance(values[0], set | frozenset) else values[0])
    return tuple(_plain(value) for value in values)


def _plain(value: object) -> Scalar:
    """Return a value as the JSON would hold it: dates and times as their ISO text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float | bool):
        return value
    # pandas and numpy hand out their own numbers
    item = getattr(value, "item", None)
    if callable(item) and isinstance(plain := item(), str | int | float | bool):
        return plain
    raise BadInput(
        "rule-value",
        f"A field is compared with a text, a number, a date, true or false; {type(value).__name__} is none.",
        where="this expression",
        kept="nothing was changed",
        next=["for people without a value: f.city.is_missing()"],
    )
