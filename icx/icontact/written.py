"""Written: what a write came to, row by row.

iContact answers 200 with warnings also when it refused rows, lists only the accepted ones, and gives no pointer from a
warning to a row. So each row that was sent is looked for among the accepted ones, by what identifies it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from icx.icontact.resources import Resource


@dataclass(frozen=True)
class Missing:
    """A row that was sent and is not among the accepted ones.

    `index` is its place among the sent rows. `reason` is the service's own words, or None when several rows are
    missing and nothing tells which words belong to which: send those singly to learn each one's.
    """

    index: int
    row: Mapping[str, Any] = field(repr=False)
    reason: str | None


@dataclass(frozen=True)
class Written:
    """The outcome of a write: the accepted `rows` as iContact echoes them, its `warnings`, and what is `missing`.

    After a write an empty text comes as "" and a moment later, read again, as null; both are None here.
    """

    rows: tuple[dict[str, Any], ...] = field(repr=False)
    warnings: tuple[str, ...]
    status: int
    missing: tuple[Missing, ...] = ()
    accepted: Mapping[int, dict[str, Any]] = field(
        default_factory=dict, repr=False
    )  # index of the sent row → row

    @property
    def ok(self) -> bool:
        """Whether every row was accepted."""
        return not self.missing

    def __repr__(self) -> str:
        return (
            f"Written({len(self.rows)} accepted, {len(self.missing)} missing, {len(self.warnings)} warnings)"
        )


def matched(
    what: Resource,
    sent: Sequence[Mapping[str, Any]],
    echoed: Sequence[dict[str, Any]],
    warnings: Sequence[str],
    status: int,
) -> Written:
    """Return the outcome of a batch: each sent row paired with the accepted row of the same key.

    Rows with their primary key are updates and matched by it; else a contact by its address, a list by its name, a
    subscription by contact and list. Two sent rows of one key need two accepted rows.
    """
    waiting: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    by_id: dict[Any, dict[str, Any]] = {}
    for echo in echoed:
        waiting.setdefault(_key(what, echo), []).append(echo)
        if what.id is not None:
            by_id[echo[what.id]] = echo
    accepted: dict[int, dict[str, Any]] = {}
    for index, row in enumerate(sent):
        given_id = row.get(what.id) if what.id is not None else None
        if given_id is not None:
            found = by_id.get(int(given_id) if what.id_form == "number" else given_id)
        else:
            same = waiting.get(_key(what, row), [])
            found = same.pop(0) if same else None
        if found is not None and _as_asked(what, row, found):
            accepted[index] = found
    left = [index for index in range(len(sent)) if index not in accepted]
    reason = (" ".join(warnings) or None) if len(left) == 1 else None
    missing = tuple(Missing(index, sent[index], reason) for index in left)
    return Written(tuple(echoed), tuple(warnings), status, missing, accepted)


def one_written(
    what: Resource, sent: Mapping[str, Any], echoed: dict[str, Any], warnings: Sequence[str], status: int
) -> Written:
    """Return the outcome of a write to one row."""
    done = _as_asked(what, sent, echoed)
    missing = () if done else (Missing(0, sent, " ".join(warnings) or None),)
    return Written((echoed,), tuple(warnings), status, missing, {0: echoed} if done else {})


def _as_asked(what: Resource, sent: Mapping[str, Any], echoed: Mapping[str, Any]) -> bool:
    """A status, and the ids of a subscription, must be what was asked: a refused change is echoed as it was."""
    asked = ("status", "contactId", "listId") if what.name == "subscriptions" else ("status",)
    return all(
        str(sent[field]) == str(echoed.get(field)) for field in asked if sent.get(field) not in (None, "")
    )


def _key(what: Resource, row: Mapping[str, Any]) -> tuple[str, ...]:
    # Addresses come back in whatever case the service keeps them.
    return tuple(
        str(row.get(field) or "").strip().lower() if field == "email" else str(row.get(field) or "").strip()
        for field in what.match
    )
