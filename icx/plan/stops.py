"""Stops: what a plan asks before it acts, and what answers it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from icx.plan.decide import Counts
from icx.plan.words import grown
from icx.settings import Settings
from icx.words import counted, form

YES = {"y", "yes"}


class Gate(Protocol):
    """The verdict on the data a plan uses; `icx.quality.gate` gives one."""

    @property
    def ok(self) -> bool: ...
    @property
    def failed(self) -> Sequence[Any]: ...
    @property
    def stale(self) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Stop:
    """One question. `confirm` is what has to be typed: `y`, a count, a list's name; empty takes any text.

    `key` is also the key of `--confirm`. `words` is the short line of the plan, `question` the one asked.
    """

    key: str
    confirm: str
    words: str
    question: str
    value: float | int | None = None
    limit: float | int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the stop as the plan's JSON has it."""
        facts = {"key": self.key, "value": self.value, "limit": self.limit, "confirm": self.confirm}
        return {key: value for key, value in facts.items() if value is not None}

    def answered(self, answer: str | None) -> bool:
        """Tell whether an answer is the one asked for.

        >>> Stop("growth", "1204", "", "").answered("1,204")
        True
        >>> Stop("welcome", "Durham regulars", "", "").answered("durham regulars")
        False

        A list's name may be followed by the most messages there may be.

        >>> mails = Stop("welcome", "Durham regulars", "", "", value=1204)
        >>> mails.answered("Durham regulars:1500"), mails.answered("Durham regulars:1000")
        (True, False)
        """
        if answer is None:
            return False
        if self.key == "welcome" and (limit := up_to(answer)) is not None and limit[0] == self.confirm:
            return self.value is not None and self.value <= limit[1]
        if self.confirm == "y":
            return answer.strip().lower() in YES
        if not self.confirm:
            return bool(answer.strip())
        return answer == self.confirm or answer.strip().replace(",", "") == self.confirm


def count(text: str) -> int | None:
    """Return a count as people type one, or None.

    >>> count("1,204"), count("many"), count("-3")
    (1204, None, None)
    """
    digits = text.replace(",", "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() else None


def up_to(answer: str) -> tuple[str, int] | None:
    """Return a list's name and the most messages that may go to it, or None; a name may hold colons of its own.

    >>> up_to("Durham: regulars:1,500"), up_to("Durham regulars")
    (('Durham: regulars', 1500), None)
    """
    name, colon, text = answer.rpartition(":")
    most = count(text)
    return (name, most) if colon and name and most is not None else None


def stops(
    counts: Counts,
    *,
    list_name: str,
    first: bool,
    last_push: int | None,
    welcome: int,
    basis: str,
    makes_parking_list: str | None,
    settings: Settings,
) -> tuple[Stop, ...]:
    """Return what has to be answered before this plan may be applied, the weightiest last."""
    found = []
    adding, leaving = counts.add + counts.create, counts.park + counts.unsubscribe
    if first and adding:
        found.append(Stop("first-push", "y", "first push to this list", "first push to this list. Go on?"))
    if makes_parking_list:
        found.append(
            Stop(
                "parking",
                "y",
                f'makes the list "{makes_parking_list}"',
                f'the list "{makes_parking_list}" is made. Go on?',
            )
        )
    growth = adding / counts.members if counts.members else None
    doubled = last_push is not None and adding > 2 * last_push
    if (growth is not None and growth > settings.growth_limit) or doubled:
        if growth is not None and growth > settings.growth_limit:
            words = f"grows {grown(growth)}, limit {_percent(settings.growth_limit)}"
            value, limit = round(growth, 2), settings.growth_limit
        else:
            words = f"adds {adding:,}, the last push {last_push:,}"
            value, limit = float(adding), 2.0 * (last_push or 0)
        question = f"it {words.split(',')[0]}. Type how many people may be added:"
        found.append(Stop("growth", str(adding), words, question, value, limit))
    if leaving > settings.removal_limit * counts.members:
        share = leaving / counts.members
        words = f"{leaving:,} leave the list, {_percent(share)}, limit {_percent(settings.removal_limit)}"
        question = f"{counted(leaving, 'person')} {'leaves' if leaving == 1 else 'leave'} the list. Type how many may:"
        found.append(Stop("removals", str(leaving), words, question, round(share, 2), settings.removal_limit))
    if counts.create and not basis:
        found.append(
            Stop(
                "basis",
                "",
                f"creates {counted(counts.create, 'contact')} without a stated basis",
                f"{counted(counts.create, 'contact')} {form(counts.create, 'is')} created. On what basis? (a sentence):",
                counts.create,
            )
        )
    if welcome:
        found.append(
            Stop(
                "welcome",
                list_name,
                "welcome mail",
                f"up to {welcome:,} welcome messages go out. Type the list's name:",
                welcome,
            )
        )
    if counts.unsubscribe:
        found.append(
            Stop(
                "unsubscribe",
                str(counts.unsubscribe),
                f"unsubscribes {counts.unsubscribe:,}, which cannot be undone",
                f"{counted(counts.unsubscribe, 'person')} {form(counts.unsubscribe, 'is')} unsubscribed for good. Type how many:",
                counts.unsubscribe,
            )
        )
    return tuple(found)


def open_stops(found: Sequence[Stop], answers: Mapping[str, str]) -> list[Stop]:
    """Return the stops that nobody has answered as asked."""
    return [stop for stop in found if not stop.answered(answers.get(stop.key))]


def confirm_options(found: Sequence[Stop]) -> list[str]:
    """Return the options that answer these stops without a terminal, as arguments.

    >>> confirm_options([Stop("first-push", "y", "", ""), Stop("growth", "1204", "", "")])
    ['--yes', '--confirm', 'growth=1204']
    """
    arguments = ["--yes"] if any(stop.confirm == "y" for stop in found) else []
    for stop in found:
        if stop.confirm != "y":
            arguments += ["--confirm", f"{stop.key}={stop.confirm or 'how they agreed'}"]
    return arguments


def _percent(share: float) -> str:
    return f"{share * 100:,.0f} %"
