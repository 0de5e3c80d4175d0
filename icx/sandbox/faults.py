"""Faults: the table of what can go wrong on order, and what one order says.

Help, docs/faults.md and the tests are made from `KINDS`. The mark behind each says how sure it is that iContact
does this: [doc] its articles say so, [rec] recorded, [code] clients in the field guard against it, [3rd] another
vendor says so, [inf] inferred from how such services behave.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Literal

ALWAYS = 1_000_000_000  # `times` of an order that stands until it is taken back
WINDOWS = {"minute": 60, "hour": 3_600, "day": 86_400}

Effect = Literal["answer", "account", "clock"]


@dataclass(frozen=True)
class Kind:
    """A row of the table. `defaults` are what an order of this kind means when it says nothing else.

    `effect`: what it touches; of the faults a request meets, one at most is about its answer. `passes`: a caller who
    asks again, or another day, gets over it, so that a random plan may hold it.
    """

    name: str
    what: str
    mark: str
    defaults: Mapping[str, Any]
    effect: Effect = "answer"
    passes: bool = True


def _kind(
    name: str, what: str, mark: str, *, effect: Effect = "answer", passes: bool = True, **defaults: Any
) -> Kind:
    return Kind(name, what, mark, defaults, effect, passes)


_STANDING: dict[str, Any] = {"times": ALWAYS, "passes": False}

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("503", "busy, with words: nothing is done", "[doc]"),
        _kind("503-bare", "busy, without a body: nothing is done", "[inf]"),
        _kind("429", "too many calls, and no Retry-After", "[inf]"),
        _kind("429-after", "too many calls, Retry-After: `seconds`", "[inf]", seconds=5.0),
        _kind("401", "the login is refused, whatever was so before", "[rec]", passes=False),
        _kind("500", "a fault of the service's own: nothing is done", "[doc]"),
        _kind("truncate", "half of the answer, then the connection ends", "[inf]"),
        _kind("cut-json", "half of the JSON, sent as if it were whole", "[inf]"),
        _kind("html-page", "a page of HTML instead of JSON, with 200", "[inf]"),
        _kind("html-type", "JSON under text/html", "[rec]"),
        _kind("empty", "200 without a body", "[inf]"),
        _kind("null-list", "null in place of the rows; the total stays", "[rec]"),
        _kind("slow", "the first byte comes after `seconds`", "[inf]", seconds=3.0),
        _kind("drip", "the answer comes in ten pieces over `seconds`", "[inf]", seconds=3.0),
        _kind("hold", "nothing is done or answered until the caller is gone", "[inf]", passes=False),
        _kind("close-before", "the connection ends, nothing was done", "[inf]"),
        _kind("close-during", "the connection ends, the write is done `seconds` later", "[inf]", seconds=0.2),
        _kind("close-after-write", "it is carried out, the connection ends without an answer", "[inf]"),
        _kind("total-moves", "the total is `by` higher than it is", "[code]"),
        _kind("duplicates", "a later page begins `by` rows too early", "[inf]"),
        _kind("insert", "`by` rows are put in first, wherever they sort", "[inf]", effect="account"),
        _kind("delete", "`by` rows of the pages before are deleted first", "[inf]", effect="account"),
        _kind("bad-row", "every page with row `row` is a 500", "[code]", **_STANDING),
        _kind("bad-letter", "every page with row `row` is a 200 without a body", "[inf]", **_STANDING),
        _kind("late-events", "`by` new events of the oldest message", "[doc]", effect="account", by=3),
        _kind(
            "unknown-contacts",
            "`by` events of people /contacts does not list",
            "[code]",
            effect="account",
            by=3,
        ),
        _kind(
            "clock-skew",
            "from now on the service's clock goes `seconds` ahead",
            "[inf]",
            effect="clock",
            seconds=600.0,
        ),
        *(
            _kind(f"quota-{per}", f"more than `by` calls within one {per}: 503 until it is over", mark, by=by, **_STANDING)
            for per, by, mark in (("minute", 60, "[code]"), ("hour", 10_000, "[3rd]"), ("day", 70_000, "[3rd]"))
        ),
        *(
            _kind(
                f"throttle-{per}",
                f"more than `by` calls within one {per}: each takes `seconds`",
                "[inf]",
                by=by,
                seconds=3.0,
                **_STANDING,
            )
            for per, by in (("minute", 60), ("hour", 10_000), ("day", 70_000))
        ),
        _kind("warnings", "`by` rows of a batch are refused: 200 with warnings", "[rec]"),
    )
}  # fmt: skip


@dataclass
class Fault:
    """One order: skip `after` matching requests, then fail the next `times`.

    `match` is a method and the path below the folder, `*` for anything. `seconds` and `by` mean what the table says;
    `row` counts from 0; `seed` chooses which people an order about the account takes.
    """

    match: str
    fault: str
    after: int = 0
    times: int = 1
    seconds: float = 0.0
    by: int = 1
    row: int = 0
    seed: int = 1

    @property
    def effect(self) -> Effect:
        return KINDS[self.fault].effect if self.fault in KINDS else "answer"

    def fits(self, target: str) -> bool:
        """Say whether `GET /contacts?limit=5` (paths below the folder) is meant; `*` stands for anything.

        >>> Fault("GET /contacts", "503").fits("GET /contacts?limit=5")
        True
        >>> Fault("GET /messages/*/opens", "503").fits("GET /messages/7/opens")
        True
        >>> Fault("* /lists", "503").fits("GET /contacts")
        False
        """
        return fnmatchcase(target, self.match.replace("[", "[[]").replace("?", "[?]") + "*")


_TYPES: Mapping[str, type] = {
    "match": str, "fault": str, "after": int, "times": int, "seconds": float, "by": int, "row": int, "seed": int,
}  # fmt: skip
assert set(_TYPES) == {field.name for field in fields(Fault)}


def made(order: Mapping[str, Any]) -> Fault:
    """Return the fault an order asks for; ValueError when it is none.

    >>> made({"fault": "slow", "match": "GET /lists"}).seconds
    3.0
    """
    if unknown := set(order) - set(_TYPES):
        raise ValueError(f"a fault is {{{', '.join(_TYPES)}}}; it has no {', '.join(sorted(unknown))}")
    name = str(order.get("fault", ""))
    if name not in KINDS and not (name.isdigit() and 400 <= int(name) <= 599):
        raise ValueError(
            f"there is no fault {name!r}; there are: {', '.join(KINDS)}, and any other 4xx or 5xx"
        )
    given = {"match": "*", **(KINDS[name].defaults if name in KINDS else {}), **order, "fault": name}
    try:
        fault = Fault(**{key: _TYPES[key](value) for key, value in given.items()})
    except (TypeError, ValueError):
        raise ValueError(f"a number of the fault {name} cannot be read") from None
    if min(fault.after, fault.times, fault.row) < 0 or fault.by < 1:
        raise ValueError(f"a number of the fault {name} is too small")
    return fault


def read(text: str) -> dict[str, Any]:
    """Read an order as it is typed: `NAME[@MATCH][:key=value,…]`.

    >>> read("503@GET /contacts:after=2,times=3")
    {'fault': '503', 'match': 'GET /contacts', 'after': '2', 'times': '3'}
    >>> read("html-type")
    {'fault': 'html-type'}
    """
    head, _, rest = text.partition(":")
    name, at, match = head.partition("@")
    order: dict[str, Any] = {"fault": name.strip()} | ({"match": match.strip()} if at else {})
    for pair in filter(None, rest.split(",")):
        key, given, value = pair.partition("=")
        if not given:
            raise ValueError(f"{pair!r} is no key=value of a fault")
        order[key.strip()] = value.strip()
    return order


MATCHES = (
    "*", "GET /contacts", "GET /contacts", "GET /subscriptions", "GET /lists", "GET /customfields", "GET /campaigns",
    "GET /messages?", "GET /sends", "GET /messages/*/statistics", "GET /messages/*/opens", "GET /messages/*/clicks",
    "GET /messages/*/bounces", "GET /messages/*/unsubscribes", "POST /subscriptions", "PUT /subscriptions",
    "POST /contacts", "POST /lists",
)  # fmt: skip


def random_orders(seed: int) -> list[dict[str, Any]]:
    """Return a plan of three to eight orders, the same for the same seed; whoever asks again gets over all of them.

    >>> random_orders(7) == random_orders(7) != random_orders(8)
    True
    """
    luck = random.Random(f"sandbox faults {seed}")
    kinds = [kind.name for kind in KINDS.values() if kind.passes]
    return [
        {
            "fault": luck.choice(kinds),
            "match": luck.choice(MATCHES),
            "after": luck.choice((0, 0, 0, 1, 1, 2, 3, 5, 8)),
            "times": luck.choice((1, 1, 1, 2, 3)),
            "seconds": luck.choice((0.05, 0.2)),
            "by": luck.choice((1, 1, 2, 3)),
            "seed": luck.randrange(1_000),
        }
        for _ in range(luck.randint(3, 8))
    ]


def plan(text: str) -> list[dict[str, Any]]:
    """Return the orders of a plan named by one word, `random:SEED`; ValueError when it is none."""
    name, _, seed = text.partition(":")
    if name != "random" or not seed.removeprefix("-").isdecimal():
        raise ValueError(f"{text!r} is no plan of faults like random:7")
    return random_orders(int(seed))


def _explained() -> Iterable[tuple[str, str]]:
    for kind in KINDS.values():
        said = {key: f"{value:g}" for key, value in kind.defaults.items() if key != "times"}
        defaults = f" ({', '.join(f'{key}={value}' for key, value in said.items())})" if said else ""
        stands = "; stands until taken back" if kind.defaults.get("times") == ALWAYS else ""
        yield kind.name, f"{kind.what}{defaults}{stands} {kind.mark}"
    yield "4xx, 5xx", "any other status, with words: nothing is done [inf]"


def help_text() -> str:
    """Return the table for the command line."""
    lines = [
        f"  {name:<19}{re.sub('`([a-z]+)`', lambda found: found[1].upper(), what)}"
        for name, what in _explained()
    ]
    return "\n".join(["faults: --fault 'NAME@GET /contacts:after=2,times=3'; keys: after, times, seconds,",
                      "by, row, seed; a standing one ends with DELETE /_sandbox/faults", *lines])  # fmt: skip


def markdown() -> str:
    """Return docs/faults.md."""
    rows = [
        f"| `{name}` | {what.rpartition(' ')[0]} | {what.rpartition(' ')[2]} |" for name, what in _explained()
    ]
    return "\n".join([
        "# Faults the sandbox makes on order", "",
        "This page is printed by `python -m icx.sandbox.faults`; a test holds it to the code.", "",
        "```", "icx sandbox --fault '503@GET /contacts:after=2,times=3'", "icx sandbox --faults random:7", "```", "",
        "An order is `NAME[@MATCH][:key=value,…]`: `MATCH` is a method and a path below the client folder (`*` is",
        "anything), `after` requests are let through, the next `times` fail. While it runs, the same orders go as JSON",
        "to `POST /_sandbox/faults` (`{\"fault\": \"503\", \"match\": \"GET /contacts\"}`, or `{\"plan\": \"random:7\"}`);",
        "`DELETE` takes all back. `POST /_sandbox/clock` with `{\"seconds\": 60}` lets the account's time jump.", "",
        "The mark says how sure it is that iContact does this: [doc] its articles say so, [rec] recorded, [code] clients",
        "in the field guard against it, [3rd] another vendor says so, [inf] inferred.", "",
        "| fault | what happens | mark |", "|---|---|---|", *rows, "",
    ])  # fmt: skip


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - this is how the page is made
