"""Rules as SQL: a condition over one row of `profile`, with every value bound and no user's word in the text.

Identifiers come from the catalogue only. A leaf is written so that it is true or false and never null, so
`not` is the exact complement and a condition can be used inside any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from icx.fields import Catalogue, FieldType
from icx.rules.lookup import Lookup
from icx.rules.nodes import Compare, Days, Event, Group, InAudience, Link, OnList, Rule, This, child
from icx.rules.operators import COMPARE, KEEP_CASE, compare_counts
from icx.rules.values import Moment, check_event, check_state, field_of, place, span, typed

EVENTS = "icontact_activity"
# Moments at which events are likely a machine's, kept by each build: contact, message, kind, time.
MACHINES = "machine_events"
WITHOUT_MACHINES = (
    f" anti join {MACHINES} m on m.contact_id = e.contact_id and m.message_id = e.message_id"
    " and m.event_type = e.event_type and m.event_ts = e.event_ts"
)
# Counts that everybody passes who did it at all, and those that nobody of them passes.
EVER = {(">=", 1), (">", 0), ("!=", 0)}
NEVER = {("<", 1), ("<=", 0), ("=", 0)}
# Who was on a list at a moment: today's subscriptions with the changes since then taken back.
THEN = """select s.contact_id from (
  select
    coalesce(c.contact_id, n.contact_id) as contact_id,
    case when c.contact_id is not null then c.was.v else n.status end as status
  from (
    select contact_id, status from subscriptions
    where list_id = ? and (add_date is null or add_date < ?)
  ) n
  full join (
    select contact_id, arg_min({'v': old}, happened_at) as was from changes
    where entity = 'subscription' and field = 'status' and list_id = ? and happened_at > ?
    group by contact_id
  ) c on c.contact_id = n.contact_id
) s"""
FUNCTIONS = {
    "contains": ("contains", ""),
    "doesNotContain": ("contains", "not "),
    "beginsWith": ("starts_with", ""),
    "doesNotBeginWith": ("starts_with", "not "),
    "endsWith": ("ends_with", ""),
    "doesNotEndWith": ("ends_with", "not "),
}


@dataclass(frozen=True)
class Sql:
    """A statement or condition and the values of its `?`, in order."""

    text: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Among(Sql):
    """A condition on how often a contact is among the rows of another table, with what it is made of.

    `rows` selects a contact id for each row that counts, with `once` also a message's: equal rows then count once.
    Whoever holds how many there are of every contact, zero too, can so tell who passes: `operator` and `count` are as
    in `compare_counts`.
    """

    rows: Sql = Sql("")
    once: bool = False
    operator: str = ">="
    count: int | tuple[int, int] = 1

    @property
    def ever(self) -> bool | None:
        """Whether it asks for any row at all (True) or for none (False); None when it asks how many there are.

        >>> Among("", operator=">", count=0).ever, Among("", operator="<", count=1).ever, Among("", count=2).ever
        (True, False, None)
        """
        if (self.operator, self.count) in EVER:
            return True
        return False if (self.operator, self.count) in NEVER else None


@dataclass(frozen=True)
class Reading:
    """What a rule is read against.

    `where` names the file or audience in errors, `trail` the audiences being read, outermost first. `past`
    asks for lists as they were at `as_of`, from the history of changes, instead of as they are. With `marked` an
    event itself says (`machine`) whether a machine probably made it.
    """

    catalogue: Catalogue
    lookup: Lookup
    as_of: datetime
    where: str = ""
    trail: tuple[str, ...] = ()
    past: bool = False
    marked: bool = False

    @property
    def now(self) -> datetime:
        return self.as_of.astimezone(UTC).replace(tzinfo=None)


def sql(
    rule: Rule,
    catalogue: Catalogue,
    lookup: Lookup,
    as_of: datetime,
    *,
    where: str = "",
    profile: str = "profile",
) -> Sql:
    """Return a select of the contact ids of everybody the rule is true of.

    `as_of` is aware; `profile` is the table to choose from, found through the search path.
    """
    found = condition(rule, Reading(catalogue, lookup, as_of, where))
    return Sql(f"select contact_id from {quoted(profile)} where {found.text}", found.params)


def condition(rule: Rule, reading: Reading, path: str = "") -> Sql:
    """Return a condition over a row of `profile` that is true or false, never null.

    That of a leaf on lists or events is an `Among`.
    """
    where = place(reading.where, path)
    if isinstance(rule, Group):
        return _group(rule, reading, path)
    if isinstance(rule, Compare):
        return _compare(rule, reading, where)
    if isinstance(rule, OnList):
        return _on_list(rule, reading, where)
    if isinstance(rule, Event):
        return _event(rule, reading, where)
    if isinstance(rule, InAudience):
        found = condition(*referred(rule, reading, path))
        return Sql(found.text if rule.operator == "in" else f"(not {found.text})", found.params)
    raise TypeError(f"{rule!r} is not a rule")


def referred(leaf: InAudience, reading: Reading, path: str = "") -> tuple[Rule, Reading]:
    """Return the rule of another audience and what that is read against."""
    rule = reading.lookup.audience(leaf.audience, place(reading.where, path), reading.trail)
    trail = (*reading.trail, leaf.audience)
    return rule, replace(reading, where=f"audience {leaf.audience}", trail=trail)


def quoted(identifier: str) -> str:
    """Return an identifier of the catalogue as SQL may hold it."""
    return '"' + identifier.replace('"', '""') + '"'


def _group(rule: Group, reading: Reading, path: str) -> Sql:
    parts = [condition(each, reading, child(path, n)) for n, each in enumerate(rule.rules)]
    if parts:
        text = "(" + f" {rule.combinator} ".join(part.text for part in parts) + ")"
    else:
        text = "true" if rule.combinator == "and" else "false"
    return Sql(f"(not {text})" if rule.negated else text, tuple(p for part in parts for p in part.params))


def _compare(leaf: Compare, reading: Reading, where: str) -> Sql:
    own, kind = field_of(leaf, reading.catalogue, where)
    zone = reading.lookup.zone
    value = typed(leaf, own, kind, zone, where)
    column = Sql(quoted(own.name))
    if leaf.key is not None:
        column = Sql(f"map_extract({column.text}, ?)[1]", (leaf.key,))
    present = _present(column, kind)
    if leaf.operator == "notNull":
        return present
    if leaf.operator == "null":
        return Sql(f"(not {present.text})", present.params)
    if isinstance(value, Days | This):
        start, end = span(value, reading.as_of, zone)
        test = _fill("({0} >= ? and {0} < ?)", column, start, end)
        test = test if leaf.operator == "within" else Sql(f"not {test.text}", test.params)
    elif kind == "time":
        test = _time(leaf.operator, column, value)
    elif kind in {"text list", "text→integer", "text→time"}:
        test = _holds(leaf.operator, column, kind, value)
    else:
        test = _single(leaf.operator, column, value)
    return Sql(f"({present.text} and {test.text})", present.params + test.params)


def _present(column: Sql, kind: FieldType) -> Sql:
    """Return whether there is a value; the first half also keeps the second from being null."""
    second = {
        "text": " and {0} <> ''",
        "number": " and not isnan({0})",
        "text list": " and array_length({0}) > 0",
        "text→integer": " and cardinality({0}) > 0",
        "text→time": " and cardinality({0}) > 0",
    }.get(kind, "")
    return _fill("({0} is not null" + second + ")", column)


def _single(operator: str, column: Sql, value: Any) -> Sql:
    if operator in KEEP_CASE:
        folded = Sql(f"lower({column.text})", column.params)
        values = tuple(fold(v) for v in value) if isinstance(value, tuple) else fold(value)
        return _single(KEEP_CASE[operator], folded, values)
    if operator in COMPARE:
        return _fill("{0} " + operator.replace("!=", "<>") + " ?", column, value)
    if operator in {"in", "notIn"}:
        marks = ", ".join("?" for _ in value)
        return _fill("{0} " + ("in" if operator == "in" else "not in") + f" ({marks})", column, *value)
    if operator in {"between", "notBetween"}:
        negated = "not " if operator == "notBetween" else ""
        return _fill(negated + "{0} between ? and ?", column, *value)
    name, negated = FUNCTIONS[operator]
    return _fill(negated + name + "({0}, ?)", column, value)


def _time(operator: str, column: Sql, value: Any) -> Sql:
    """Compare with a moment, or with a whole day: on it, before its start, after its end."""
    if operator in {"between", "notBetween"}:
        low, high = value
        negated = "not " if operator == "notBetween" else ""
        last = "< ?" if high.end else "<= ?"
        return _fill(negated + "({0} >= ? and {0} " + last + ")", column, low.start, high.end or high.start)
    assert isinstance(value, Moment)
    if value.end is None:
        return _fill("{0} " + operator.replace("!=", "<>") + " ?", column, value.start)
    if operator in {"=", "!="}:
        negated = "not " if operator == "!=" else ""
        return _fill(negated + "({0} >= ? and {0} < ?)", column, value.start, value.end)
    bound = value.start if operator in {"<", ">="} else value.end
    return _fill("{0} " + {"<": "<", ">=": ">=", "<=": "<", ">": ">="}[operator] + " ?", column, bound)


def _holds(operator: str, column: Sql, kind: FieldType, value: Any) -> Sql:
    wanted: Sequence[str] = value if isinstance(value, tuple) else (value,)
    own = "{0}" if kind == "text list" else "map_keys({0})"
    negated = "not " if operator in {"hasNot", "notIn"} else ""
    marks = ", ".join("?" for _ in wanted)
    return _fill(f"{negated}list_has_any({own}, [{marks}])", column, *wanted)


def _on_list(leaf: OnList, reading: Reading, where: str) -> Sql:
    check_state(leaf, where)
    list_id = reading.lookup.list_id(leaf.name, where)
    states = ("normal", "pending") if leaf.state in {"on", "not on"} else (leaf.state,)
    marks = ", ".join("?" for _ in states)
    out = leaf.state == "not on"
    if reading.past:
        given = (list_id, reading.now, list_id, reading.now, *states)
        those = Sql(f"{THEN} where s.status in ({marks})", given)
    else:
        those = Sql(
            f"select s.contact_id from subscriptions s where s.list_id = ? and s.status in ({marks})",
            (list_id, *states),
        )
    text = f"(contact_id {'not in' if out else 'in'} ({those.text}))"
    return Among(text, those.params, those, operator="=" if out else ">", count=0)


def _event(leaf: Event, reading: Reading, where: str) -> Sql:
    """Count events per person. Zero passes some counts, and people without an event have no group to count,
    so for these the condition is: not among the people whose count does not pass."""
    happened = event_condition(leaf, reading, where)
    source = f"{EVENTS} e{WITHOUT_MACHINES if leaf.human and not reading.marked else ''}"
    events, given = f"from {source} where {happened.text}", happened.params
    passes = _single(
        leaf.operator, Sql("count(distinct e.message_id)" if leaf.distinct else "count(*)"), leaf.count
    )
    zero = compare_counts(leaf.operator, 0, leaf.count)
    those = f"select e.contact_id {events}"
    if (leaf.operator, leaf.count) in EVER | NEVER:
        passes = Sql("")
    else:
        those += f" group by e.contact_id having {f'not ({passes.text})' if zero else passes.text}"
    return Among(
        f"(contact_id {'not in' if zero else 'in'} ({those}))",
        (*given, *passes.params),
        Sql(f"select e.contact_id{', e.message_id' if leaf.distinct else ''} {events}", given),
        leaf.distinct is not None,
        leaf.operator,
        leaf.count,
    )


def event_condition(leaf: Event, reading: Reading, where: str = "") -> Sql:
    """Return a condition over one event, called `e`: whether it is one that the leaf counts.

    Where events are not marked, what machines probably did is for the caller to leave out.
    """
    first, last = check_event(leaf, reading.lookup.zone, where)
    tests: list[Sql] = [Sql("e.event_ts < ?", (reading.now,))]
    if leaf.kind != "any":
        tests.append(Sql("e.event_type = ?", (leaf.kind,)))
    if leaf.days is not None:
        tests.append(Sql("e.event_ts >= ?", (span(Days(leaf.days), reading.as_of, UTC)[0],)))
    if first:
        tests.append(Sql("e.event_ts >= ?", (first.start,)))
    if last:
        tests.append(Sql(f"e.event_ts {'<' if last.end else '<='} ?", (last.end or last.start,)))
    if leaf.message is not None:
        tests.append(Sql("e.message_id = ?", (leaf.message,)))
    if leaf.url is not None:
        tests.append(_link(leaf.url))
    if leaf.human and reading.marked:
        tests.append(Sql("not e.machine"))
    text = " and ".join(test.text for test in tests)
    return Sql(f"({text})", tuple(p for test in tests for p in test.params))


def _link(link: Link) -> Sql:
    test = _single(link.operator, Sql("e.event_url"), link.value)
    return Sql(f"(e.event_url is not null and e.event_url <> '' and {test.text})", test.params)


def fold(text: str) -> str:
    """Return text as DuckDB's `lower` has it: letter by letter, so no letter becomes two.

    >>> fold("ΟΔΟΣ İ")
    'οδοσ i'
    """
    return "".join("i" if letter == "\u0130" else letter.lower() for letter in text)


def _fill(template: str, column: Sql, *values: Any) -> Sql:
    """Put a column into a template as often as it names it, with its own values in the right places."""
    pieces = template.split("{0}")
    params: list[Any] = []
    given = iter(values)
    for position, piece in enumerate(pieces):
        params.extend(next(given) for _ in range(piece.count("?")))
        if position < len(pieces) - 1:
            params.extend(column.params)
    return Sql(column.text.join(pieces), tuple(params))
