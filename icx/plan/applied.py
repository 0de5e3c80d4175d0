"""What an apply came to: people added, left out, refused by the service, and the list read back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from icx import mask
from icx.errors import IcxError, Refused
from icx.plan.words import LEFT_OUT, people
from icx.store.plans import Summary
from icx.words import counted

#: What becomes of a row; rows in the other states are still to be sent.
FINAL = ("done", "refused", "left_out")


@dataclass(frozen=True)
class Progress:
    """Where long work is: `done` of `of` (None: not known), a rate per second, a note, a wait (aware UTC)."""

    what: str
    done: int
    of: int | None = None
    rate: float | None = None
    note: str = ""
    waiting_until: datetime | None = None


@dataclass(frozen=True)
class ReadBack:
    """The list after the apply: members expected and found, and the ids that differ."""

    expected: int
    found: int
    missing: tuple[int, ...] = ()
    extra: tuple[int, ...] = ()

    @property
    def equal(self) -> bool:
        return not self.missing and not self.extra


@dataclass(frozen=True)
class Applied:
    """The outcome of an apply. `state` is finished, stopped (it goes on), waiting, tested, or dry.

    `left_out` counts people by why the apply did less than the plan; `refusals` holds the service's words
    with the contacts concerned. `not_sent` people are still to come when the same plan is applied again.
    `already` says that it was finished before, and this call did nothing.
    """

    plan_id: str
    state: str
    added: int = 0
    asked: int = 0
    created: int = 0
    parked: int = 0
    unsubscribed: int = 0
    fields_sent: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    refused_by_service: int = 0
    refusals: tuple[tuple[str, tuple[int, ...]], ...] = ()
    in_doubt: int = 0
    not_sent: int = 0
    read_back: ReadBack | None = None
    already: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the apply's JSON."""
        back = self.read_back
        return {
            "plan": self.plan_id,
            "state": self.state,
            "added": self.added,
            "asked": self.asked,
            "created": self.created,
            "parked": self.parked,
            "unsubscribed": self.unsubscribed,
            "fields_sent": self.fields_sent,
            "left_out": self.left_out,
            "refused_by_service": self.refused_by_service,
            "refusals": [{"words": words, "contacts": list(ids)} for words, ids in self.refusals],
            "in_doubt": self.in_doubt,
            "not_sent": self.not_sent,
            "read_back": {
                "expected": back.expected,
                "found": back.found,
                "equal": back.equal,
                "missing": list(back.missing),
                "extra": list(back.extra),
            }
            if back
            else None,
            "already": self.already,
        }

    def __str__(self) -> str:
        if self.state == "dry":
            return f"Dry: {self.plan_id} is shown, and nothing was sent. With -p apply=true it is."
        done = [f"{self.added:,} added"]
        done += [f"{self.asked:,} asked to confirm"] if self.asked else []
        done += [f"{self.created:,} of them created"] if self.created else []
        done += [f"{self.parked:,} parked"] if self.parked else []
        done += [f"{self.unsubscribed:,} unsubscribed"] if self.unsubscribed else []
        done += [f"fields of {self.fields_sent:,} sent"] if self.fields_sent else []
        left = sum(self.left_out.values())
        if self.state in {"stopped", "waiting"}:
            return (
                f"Stopped: {', '.join(done)} and recorded, {self.not_sent:,} not sent, {self.in_doubt:,} in doubt."
                f" Next: icx apply {self.plan_id}"
            )
        refused = f"{self.refused_by_service:,} refused by the service"
        if self.refusals:
            words, ids = self.refusals[0]
            shown = ", ".join(f"#{contact}" for contact in ids[:3])
            refused += f': "{mask.plain(mask.addresses_in(words))}" ({shown}{", …" if len(ids) > 3 else ""})'
        head = f"{self.plan_id} is finished already; nothing was sent now. Then" if self.already else "Done"
        lines = [f"{head}: {', '.join(done)}, {left:,} left out, {refused}"]
        if self.read_back:
            lines.append(read_back_line(self.read_back) + f" Undo: icx undo {self.plan_id}")
        return "\n".join(lines)

    def problem(self, limit: float) -> IcxError | None:
        """Return the error to report although it is done: too many refused rows, or a list that differs."""
        back = self.read_back
        if back is not None and not back.equal:
            return Refused(
                "read-back-differs",
                f"Done, but the list read back differs: {back.expected:,} expected, {back.found:,} found.",
                where=f"missing {_ids(back.missing)}; not expected {_ids(back.extra)}",
                kept=f"{people(self.added)} added and recorded; nothing is sent twice",
                next=[["icx", "plans", self.plan_id]],
            )
        sent = self.added + self.asked + self.parked + self.unsubscribed + self.refused_by_service
        if sent and self.refused_by_service / sent > limit:
            share = self.refused_by_service / sent
            return Refused(
                "refused-share",
                f"Done, but iContact refused {self.refused_by_service:,} of {counted(sent, 'row')}"
                f" ({share * 100:.1f} %, limit {limit * 100:g} %).",
                where="; ".join(
                    f'{len(ids):,} "{mask.plain(mask.addresses_in(words))}"' for words, ids in self.refusals
                ),
                kept=f"{self.added:,} added" + (", read back equal" if back else ""),
                next=[["icx", "plans", self.plan_id], ["icx", "retry", self.plan_id]],
            )
        return None


def read_back_line(back: ReadBack) -> str:
    """Return what the list showed when it was read back."""
    same = "the same people by id" if back.equal else "NOT the same people"
    return f"Read back: {counted(back.expected, 'member')} expected, {back.found:,} found, {same}."


def tally(
    plan_id: str,
    state: str,
    summary: Summary,
    planned: int,
    read_back: ReadBack | None = None,
    *,
    fields: int = 0,
) -> Applied:
    """Return the outcome from the journal's counts.

    `planned` is how many memberships the plan wanted to write, `fields` of how many people fields travel.
    """
    done: Counter[str] = Counter()
    left: Counter[str] = Counter()
    sent_fields = 0
    for (action, found, words), count in summary.counts.items():
        if found == "done":
            done[action] += count
        if found == "left_out" and action not in {"fields", "contact"}:
            left[LEFT_OUT.get(words, words)] += count
        if found in FINAL and action == "fields":
            sent_fields += count
    said: dict[str, list[int]] = {}
    for text, contact in summary.refusals:
        said.setdefault(text, []).append(contact)
    return Applied(
        plan_id=plan_id,
        state=state,
        added=done["add"] + done["create"] + done["restore"],
        asked=done["add_pending"],
        created=done["contact"],
        parked=done["park"],
        unsubscribed=done["unsubscribe"],
        fields_sent=done["fields"],
        left_out=dict(left),
        refused_by_service=len(summary.refusals),
        refusals=tuple(
            (text, tuple(ids)) for text, ids in sorted(said.items(), key=lambda item: -len(item[1]))
        ),
        in_doubt=summary.in_doubt,
        not_sent=max(0, planned - summary.touched) + max(0, fields - sent_fields),
        read_back=read_back,
    )


def from_result(result: dict[str, Any]) -> Applied:
    """Return the outcome that `as_dict` wrote into the journal."""
    kept = dict(result)
    back = kept.pop("read_back")
    refusals = tuple((one["words"], tuple(one["contacts"])) for one in kept.pop("refusals"))
    found = (
        ReadBack(back["expected"], back["found"], tuple(back["missing"]), tuple(back["extra"]))
        if back
        else None
    )
    return Applied(plan_id=kept.pop("plan"), refusals=refusals, read_back=found, **kept)


def _ids(ids: tuple[int, ...]) -> str:
    if not ids:
        return "nobody"
    return ", ".join(f"#{contact}" for contact in ids[:5]) + (" …" if len(ids) > 5 else "")
