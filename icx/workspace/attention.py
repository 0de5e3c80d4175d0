"""What of an account needs somebody, worst first, each with the call that mends it."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from icx.look.page import Kind, number, share
from icx.look.when import days, moment
from icx.workspace.overview import Domain, Overview, Picture

STALE = timedelta(hours=36)  # a pull older than this is worth a word


class Attention(NamedTuple):
    """Something to look at: how bad, what, why, and the call that mends it."""

    kind: Kind
    what: str
    why: str
    call: str


def attention(seen: Overview, picture: Picture) -> list[Attention]:
    """Return what needs somebody, worst first."""
    assert seen.saved is not None
    name = seen.saved.name
    found: list[Attention] = []
    red = picture.ledger.red()
    for cell in red[:3]:
        unit = f', unit=({cell.unit.message_id}, "{cell.unit.collection}")' if cell.unit.is_events else ""
        found.append(
            Attention("bad", f"{capital(cell.name)} do not add up", cell.reason, f'ws.pull("{name}"{unit})')
        )
    if len(red) > 3:
        found.append(
            Attention(
                "bad", f"{len(red) - 3} more counts differ", "named in the ledger", f'ws.ledger("{name}")'
            )
        )
    if seen.failed_pull is not None:
        state, at = seen.failed_pull
        words = "was cut off" if state == "cut off" else "failed"
        found.append(
            Attention(
                "bad",
                f"The last pull {words}",
                f"{moment(at, seen.now, seen.zone)}; what landed is kept, the next one goes on",
                f'ws.pull("{name}")',
            )
        )
    elif seen.now - picture.pulled_at > STALE:
        found.append(
            Attention(
                "warn",
                f"The last pull is {days(seen.now - picture.pulled_at)} old",
                "what happened since is not known here",
                f'ws.pull("{name}")',
            )
        )
    if picture.built_of is None:
        found.append(
            Attention("warn", "No profile is built yet", "audiences need one", f'ws.build("{name}")')
        )
    elif picture.built_of < picture.pulled_at:
        found.append(
            Attention(
                "warn",
                "The profile is older than the last pull",
                f"it is of {moment(picture.built_of, seen.now, seen.zone)}",
                f'ws.build("{name}")',
            )
        )
    failed = [one for one in picture.verdicts if not one.ok and one.current]
    found += [
        Attention(
            "bad",
            f"The {one.suite} did not pass its checks",
            f"judged {moment(one.ran_at, seen.now, seen.zone)}; pushes that use it wait",
            f'ws.check("{one.suite}")',
        )
        for one in failed
    ]
    if picture.built_of is not None and not any(one.current for one in picture.verdicts):
        found.append(
            Attention("warn", "The data is not checked yet", "a push checks it first", "ws.checks()")
        )
    found += [
        Attention(
            "warn",
            f"{one.plan_id} is not finished",
            f"“{one.audience}” to “{one.list_name}”: {number(one.done)} of {number(one.people)} people settled",
            f'ws.apply("{one.plan_id}")',
        )
        for one in seen.pushes
        if one.state == "applying"
    ]
    found += [
        Attention(
            "bad", f"The job “{name_}” fails", f"since {moment(since, seen.now, seen.zone)}", "ws.monitor()"
        )
        for name_, since in seen.failing
    ]
    if seen.paused:
        found.append(
            Attention(
                "warn", "All pushes are paused", "no plan is applied until they are resumed", "ws.monitor()"
            )
        )
    found += _quiet(picture)
    return sorted(found, key=lambda one: one.kind != "bad")


def _quiet(picture: Picture) -> list[Attention]:
    """Name domains whose people hardly open: a third of what the others do, of enough people to mean it."""
    known = [one for one in picture.domains if one.opened is not None]
    people, opened = sum(one.people for one in known), sum(one.opened or 0 for one in known)
    if not people or opened / people < 0.05:
        return []
    return [
        Attention(
            "warn",
            f"{one.name} hardly opens: {share(one.opened or 0, one.people)}",
            f"all these domains: {share(opened, people)}; likely filtered. {number(one.people)} contacts",
            f'ws.fields.email_domain == "{one.name}"',
        )
        for one in known
        if one.people >= 100 and odd(one, opened / people)
    ][:2]


def odd(one: Domain, usual: float) -> bool:
    return one.opened is not None and one.people >= 100 and one.opened / one.people < usual / 3


def capital(words: str) -> str:
    """Return words with a first capital letter."""
    return words[:1].upper() + words[1:]
