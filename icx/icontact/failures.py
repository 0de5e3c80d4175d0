"""What an answer of iContact's that is not a yes means, as errors that say what to do next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from icx import mask
from icx.errors import IcxError, Refused, TryLater, UnknownOutcome


def errors_in(answer: Any) -> list[str]:
    """Return the service's own words: its `errors`, else nothing."""
    return _words(answer, "errors")


def warnings_in(answer: Any) -> list[str]:
    """Return the warnings of an answer; none is the usual case and the key is then absent."""
    return _words(answer, "warnings")


def hide(answer: Any, hidden: Callable[[str], str]) -> None:
    """Replace the words of an answer by what `hidden` gives for them: a service may repeat the login it refuses."""
    for key in ("errors", "warnings"):
        if words := _words(answer, key):
            answer[key] = [hidden(one) for one in words]


def _words(answer: Any, key: str) -> list[str]:
    found = answer.get(key) if isinstance(answer, dict) else None
    if isinstance(found, str):
        return [found]
    if isinstance(found, dict):
        found = list(found.values())
    return [str(one) for one in found] if isinstance(found, list) else []


def was_erased(label: str) -> Refused:
    """Return that a write is about somebody who was erased here, so it was not sent."""
    return Refused(
        "erased-refused",
        "Somebody who was erased here is not sent to iContact again.",
        where=label,
        kept="nothing of this call was sent",
        next=["make the plan again: whoever was erased is in no audience"],
    )


def quoted(words: Sequence[str]) -> str:
    """Return the service's words in quotes, without addresses or control characters."""
    return " ".join(f'"{mask.plain(mask.addresses_in(one))[:300]}"' for one in words)


def refused_login(
    words: Sequence[str], app_id: str, username: str, label: str, worked: datetime | None
) -> Refused:
    """Return the error of a 401: iContact has one text for a wrong user name, API password or application id."""
    data = {"said": [mask.addresses_in(one) for one in words]}
    if worked is not None:
        return Refused(
            "login-lost",
            f"The login worked until {worked:%H:%M} UTC and is refused since (401).",
            where=label,
            kept="what was read before; the saved login",
            next=["icx connect NAME --update tries a login step by step; then the same command"],
            data=data,
        )
    return Refused(
        "login-refused",
        "iContact refused this login (401). One of three values is wrong; it does not say which.",
        where=f"1 API password · 2 user name {mask.address(username)} · 3 application id {mask.app_id(app_id)}",
        kept="nothing was saved",
        next=["type the three values again: icx connect NAME --update"],
        data=data,
    )


def refusal(status: int, words: Sequence[str], label: str, *, writing: bool) -> IcxError:
    """Return the error of a clear no: a status of 400 and above that is no 401 and no fault of the service."""
    said = quoted(words) or "no reason given"
    kept = "nothing was written" if writing else "all that is stored"
    if status == 402:
        return Refused(
            "account-unpaid",
            "iContact answers, but this account is not paid up (402).",
            where=label,
            kept="everything stored; nothing was sent",
            next=["settle it in iContact, then the same command"],
        )
    if status == 403:
        return Refused(
            "right-missing",
            f"This login may not {'write' if writing else 'read'} this (403).",
            where=label,
            kept=kept,
            next=["ask the account's owner for the right, then the same command"],
            data={"said": list(map(mask.addresses_in, words))},
        )
    return Refused(
        "service-refused",
        f"iContact refused this ({status}): {said}",
        where=label,
        kept=kept,
        next=["change what its words name, then the same command"],
        data={"status": status},
    )


def busy(label: str, waited: float, status: int = 503) -> TryLater:
    """Return the error of a service that still answers 503 after all waiting; `waited` in seconds."""
    return TryLater(
        "service-busy",
        f"iContact has asked us to wait for {duration(waited)} and still does ({status}).",
        where=label,
        kept="all that was read before",
        next=["later: the same command; if often, lower calls_per_hour"],
    )


def unreachable(label: str, tries: int, waited: float, why: str, *, sent: str) -> TryLater:
    """Return the error of a service that cannot be reached."""
    return TryLater(
        "service-unreachable",
        "iContact does not answer.",
        where=f"{label}, {tries} {'try' if tries == 1 else 'tries'} in {duration(waited)}: {why}; {sent}",
        kept="all that is stored",
        next=["check the network, then the same command"],
    )


def unreadable(label: str, tries: int, why: str) -> TryLater:
    """Return the error of an answer that was no answer, `tries` times."""
    return TryLater(
        "answer-unreadable",
        f"iContact's answer was {why} {tries} {'time' if tries == 1 else 'times'}.",
        where=label,
        kept="what was read before it; stored rows as they were",
        next=["later: the same command"],
    )


def unknown_outcome(label: str, why: str) -> UnknownOutcome:
    """Return the error of a write whose fate is not known."""
    return UnknownOutcome(
        "in-doubt",
        f"A change was sent and it is not known whether it arrived ({why}).",
        where=label,
        kept="it was not sent again",
        next=["read back what is there now, then go on"],
        data={"why": why},
    )


def duration(seconds: float) -> str:
    """Return a waiting time as people say it.

    >>> duration(62), duration(1800)
    ('62 s', '30 min')
    """
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
