"""What an answer of Mailchimp's that is not a yes means, as errors that say what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from icx import mask
from icx.errors import IcxError, Refused, TryLater, UnknownOutcome

# Titles of a 400 that are about one person and will be the same tomorrow.
COMPLIANCE = "Member In Compliance State"
FORGOTTEN = "Forgotten Email Not Subscribed"


@dataclass(frozen=True)
class Problem:
    """A problem document: `title` and `detail` in Mailchimp's words, `errors` of single fields, `instance` its number."""

    status: int
    title: str = ""
    detail: str = ""
    instance: str = ""
    errors: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """Everything it says, without addresses or control characters."""
        fields = " · ".join(
            f"{field}: {message}" if field else message for field, message in self.errors if message
        )
        said = ": ".join(part for part in (self.title, self.detail) if part)
        return mask.plain(mask.addresses_in(" · ".join(part for part in (said, fields) if part)))[:500]


def problem(status: int, value: Any, hidden: Callable[[str], str]) -> Problem | None:
    """Read a problem document; None when the body is none, which is how Mailchimp answers when it is overrun."""
    if not isinstance(value, Mapping) or not isinstance(value.get("title"), str):
        return None

    def text(key: str) -> str:
        found = value.get(key)
        return hidden(found) if isinstance(found, str) else ""

    errors = value.get("errors")
    rows = errors if isinstance(errors, list) else []
    told = tuple(
        (hidden(str(row.get("field", ""))), hidden(str(row.get("message", ""))))
        for row in rows
        if isinstance(row, Mapping)
    )
    return Problem(status, text("title"), text("detail"), mask.plain(text("instance"))[:80], told)


def refused_login(said: Problem, kind: str, *, worked: bool) -> Refused:
    """Return the error of a key or token that Mailchimp does not take."""
    what = "key" if kind == "key" else "token"
    return Refused(
        "login-lost" if worked else "login-refused",
        f"Mailchimp took this {what} before and refuses it now ({said.status})."
        if worked
        else f"Mailchimp refused this {what} ({said.status}): {said.words}",
        where=f"the {what}; it was revoked, is of another account, or was not copied whole",
        kept="what was read before; the saved login" if worked else "nothing was saved",
        next=["make another one in Mailchimp, then icx connect NAME --mailchimp --update"],
        data={"said": [said.words], "instance": said.instance},
    )


def refusal(said: Problem, label: str, *, writing: bool) -> IcxError:
    """Return the error of a clear no."""
    kept = "nothing was written" if writing else "all that is stored"
    if said.status == 403:
        return Refused(
            "right-missing",
            f"This login may not {'write' if writing else 'read'} this (403).",
            where=f"{label}: {said.words}",
            kept=kept,
            next=["ask the account's owner for the right, then the same command"],
            data={"said": [said.words], "instance": said.instance},
        )
    return Refused(
        "service-refused",
        f"Mailchimp refused this ({said.status}): {said.words or 'no reason given'}",
        where=label,
        kept=kept,
        next=["change what its words name, then the same command"],
        data={"status": said.status, "title": said.title, "instance": said.instance},
    )


def busy(label: str, waited: float, status: int) -> TryLater:
    """Return the error of a service that still asks to wait; `waited` in seconds."""
    return TryLater(
        "service-busy",
        f"Mailchimp has asked us to wait for {duration(waited)} and still does ({status}).",
        where=label,
        kept="all that was read before",
        next=[
            "later: the same command; it takes ten calls at once, from all programs of the account together"
        ],
    )


def unreachable(label: str, tries: int, waited: float, why: str, *, sent: str) -> TryLater:
    """Return the error of a service that cannot be reached."""
    return TryLater(
        "service-unreachable",
        "Mailchimp does not answer.",
        where=f"{label}, {tries} {'try' if tries == 1 else 'tries'} in {duration(waited)}: {why}; {sent}",
        kept="all that is stored",
        next=["check the network and the data centre at the end of the key, then the same command"],
    )


def unreadable(label: str, tries: int, why: str) -> TryLater:
    """Return the error of an answer that was no answer, `tries` times."""
    return TryLater(
        "answer-unreadable",
        f"Mailchimp's answer was {why} {tries} {'time' if tries == 1 else 'times'}.",
        where=label,
        kept="what was read before it; stored rows as they were",
        next=["later: the same command"],
    )


def unknown_outcome(label: str, why: str) -> UnknownOutcome:
    """Return the error of a write whose fate is not known."""
    return UnknownOutcome(
        "in-doubt",
        f"A change was sent to Mailchimp and it is not known whether it arrived ({why}).",
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
