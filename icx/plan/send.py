"""The only code that writes to iContact: intent on disk, the call, its outcome on disk; never sent twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from icx.errors import IcxError, Refused, TryLater
from icx.icontact import Client, UnknownOutcome, subscription_id
from icx.plan import reading
from icx.plan.applied import Progress
from icx.plan.consent import WRITES
from icx.plan.interrupt import Ending
from icx.plan.look import look
from icx.settings import Settings
from icx.store.plans import Intent, Outcome, Plans
from icx.words import counted, form

DOING = {
    "add_pending": "asking",
    "park": "parking",
    "restore": "bringing back",
    "unsubscribe": "unsubscribing",
    "contact": "making contacts",
    "fields": "sending fields",
}
#: What progress says while something is written.
SENDING = frozenset({"adding", *DOING.values()})
RESENDS = 3  # times a row may be sent again that, read back, had not arrived


class Row(NamedTuple):
    """One person to write: the row of the plan, the contact, and the verb (add, add_pending, create, …)."""

    row: int
    contact_id: int
    action: str
    on_list: str = "not"
    away: int | None = None  # the other list of a move: the parking list


@dataclass
class Sender:
    """Sends rows of one plan to one list, batch by batch; every outcome is in the journal before the next."""

    plan_id: str
    list_id: int
    client: Client
    plans: Plans
    settings: Settings
    ending: Ending
    progress: Callable[[Progress], None]
    confirmation: int | None = None
    batch: int = 1
    done: int = 0
    of: int = 0
    refused: int = 0
    singles: int = 0
    joined: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    said_no: list[tuple[int, str | None, str]] = field(default_factory=list)  # learned by the last looks
    _doing: str = "adding"

    # -- adding

    def add(self, rows: Sequence[Row]) -> bool:
        """Subscribe people in batches; returns False when it was asked to end before all were sent."""
        size = self.settings.batch_size
        for start in range(0, len(rows), size):
            if self.ending.asked:
                return False
            part = rows[start : start + size]
            for status in ("normal", "pending"):
                chosen = [row for row in part if (row.action == "add_pending") == (status == "pending")]
                if chosen:
                    self._subscribe(chosen, status)
        return True

    def _subscribe(self, rows: Sequence[Row], status: str) -> None:
        for before in range(RESENDS):
            rows = self._still(rows, status if before else "")
            rows = self._batch(rows, status) if rows else []
            if not rows:
                return
        raise TryLater(
            "in-doubt",
            f"{counted(len(rows), 'person')} {form(len(rows), 'was')} sent {RESENDS} times and did not arrive.",
            where=f"{self.plan_id}, list {self.list_id}",
            kept="noted as not sent; nobody is on the list twice",
            next=[["icx", "apply", self.plan_id]],
        )

    def _still(self, rows: Sequence[Row], sent: str = "") -> list[Row]:
        """Ask for these people once more, and leave out who may not be written any more.

        `sent` is the status they were sent with before, when the answer was lost and they were not found: whoever is
        there by now arrived late, and is not somebody else's doing.
        """
        to_list, from_list = self.list_id, rows[0].away
        if from_list is not None and rows[0].action == "park":
            to_list, from_list = from_list, to_list
        seen = look(self.client, to_list, rows, from_list)
        late = [row for row in rows if sent and row.contact_id in seen.there]
        for row in late:
            self._note([row], *_found(seen.there[row.contact_id], sent))
        settled = {row.row for row in late}
        self.plans.outcome(self.plan_id, [one for one in seen.left_out if one.row not in settled])
        self.said_no += seen.said_no
        return seen.still

    def _batch(self, rows: Sequence[Row], status: str) -> list[Row]:
        """Send one batch; return the rows that, read back, had not arrived and may be sent again."""
        for row in rows:
            may(row.on_list, status)
        changes = [(row.contact_id, self.list_id, status) for row in rows]
        self._intend(rows)
        try:
            written = self.client.subscribe(changes, confirmation=self._message(status))
        except UnknownOutcome as error:
            return self._look(rows, status, error)
        except Refused as error:
            missing, said = list(range(len(rows))), [error.message]
            if error.code != "service-refused":
                self._back(rows)
                raise
        except IcxError:
            self._back(rows)
            raise
        else:
            missing, said = [one.index for one in written.missing], list(written.warnings)
        gone = set(missing)
        self._note([row for index, row in enumerate(rows) if index not in gone], "done")
        self._singly([rows[index] for index in missing], status, said)
        return []

    def _singly(self, rows: Sequence[Row], status: str, said: Sequence[str]) -> None:
        """Learn each refused row's own words, by sending it alone once it is surely not there."""
        if len(rows) == 1:
            self._note(rows, "refused", " ".join(said) or "no reason given")
            return
        for row in rows:
            if self.singles >= self.settings.singles_limit:
                words = " ".join(dict.fromkeys(said)) or "no reason given"
                self._note([row], "refused", words)
                continue
            self.singles += 1
            there = self.client.get("subscriptions", subscription_id(self.list_id, row.contact_id))
            if there is not None:
                self._note([row], *_found(there["status"], status))
                continue
            if not self._still([row]):
                continue
            try:
                written = self.client.subscribe(
                    [(row.contact_id, self.list_id, status)], confirmation=self._message(status)
                )
            except UnknownOutcome as error:
                self._look([row], status, error)
            except Refused as error:
                if error.code != "service-refused":
                    raise
                self._note([row], "refused", error.message)
            else:
                reason = (written.missing[0].reason or "no reason given") if written.missing else ""
                self._note([row], "refused" if written.missing else "done", reason)

    def _look(self, rows: Sequence[Row], status: str, error: UnknownOutcome) -> list[Row]:
        """After a lost answer, ask the list who arrived; return those who did not."""
        self.progress(self._at("connection lost; the list is asked instead of sending again"))
        try:
            found = self._statuses([row.contact_id for row in rows], status)
        except IcxError as cannot:
            self._note(rows, "in_doubt")
            raise TryLater(
                "in-doubt",
                f"{counted(len(rows), 'person')} {form(len(rows), 'was')} sent, and iContact cannot be asked yet whether they arrived.",
                where=f"{self.plan_id}, batch {self.batch}; reading back: {cannot.message}",
                kept="noted as in doubt; they are not sent twice",
                next=[["icx", "apply", self.plan_id]],
            ) from error
        absent = []
        for row in rows:
            there = found.get(row.contact_id)
            if there is None:
                absent.append(row)
            else:
                self._note([row], *_found(there, status))
        self._note(absent, "not_sent")
        there_now = len(rows) - len(absent)
        self.progress(self._at(f"{there_now:,} of {len(rows):,} are there"))
        return absent

    def _statuses(self, contacts: list[int], status: str) -> dict[int, str]:
        """Return the status on the list of those of `contacts` that are on it."""
        size = self.client.page("subscriptions", listId=self.list_id, limit=1).total or 0
        if size > self.client.page_size * 4:
            pairs = [(contact, self.list_id, status) for contact in contacts]
            rows = self.client.resolve_subscribe(pairs)
            return {contact: row["status"] for (contact, _), row in rows.items() if row is not None}
        wanted = set(contacts)
        have = reading.settled(
            self.client, self.list_id, lambda have: wanted - set(have.column("contact_id").to_pylist())
        )
        return {row["contact_id"]: row["status"] for row in have.to_pylist()}

    # -- moving and unsubscribing: one call each

    def move(self, rows: Sequence[Row]) -> bool:
        """Move people to the parking list (park) or back from it (restore), one by one."""
        return self._each(rows, self._move)

    def _move(self, row: Row) -> None:
        if row.away is None:
            raise ValueError("a move needs its other list")
        home, there = (self.list_id, row.away) if row.action == "park" else (row.away, self.list_id)
        may(row.on_list, "not" if row.action == "park" else "normal")
        for before in range(RESENDS):
            if not self._still([row], "normal" if before else ""):
                return
            self._intend([row])
            try:
                written = self.client.move(home, row.contact_id, there)
            except UnknownOutcome:
                now = self._resolve(row, lambda: self.client.resolve_move(home, row.contact_id, there))
                if now == "not moved":
                    self._note([row], "not_sent")
                    continue
                self._note([row], "done" if now == "moved" else "refused", "" if now == "moved" else "gone")
                return
            except Refused as error:
                self._refused(row, error)
                return
            except IcxError:
                self._back([row])
                raise
            reason = written.missing[0].reason or "no reason given" if written.missing else ""
            self._note([row], "refused" if written.missing else "done", reason)
            return

    def unsubscribe(self, rows: Sequence[Row]) -> bool:
        """Unsubscribe people from the list, one by one; there is no way back."""
        return self._each(rows, self._unsubscribe)

    def _unsubscribe(self, row: Row) -> None:
        may(row.on_list, "unsubscribed")
        self._intend([row])
        member = subscription_id(self.list_id, row.contact_id)
        try:
            written = self.client.update("subscriptions", member, {"status": "unsubscribed"})
        except UnknownOutcome:
            pair = (row.contact_id, self.list_id, "unsubscribed")
            found = self._resolve(row, lambda: self.client.resolve_subscribe([pair]))
            now = found[row.contact_id, self.list_id]
            self._note([row], "done" if now and now["status"] == "unsubscribed" else "not_sent")
            return
        except Refused as error:
            self._refused(row, error)
            return
        except IcxError:
            self._back([row])
            raise
        reason = written.missing[0].reason or "no reason given" if written.missing else ""
        self._note([row], "refused" if written.missing else "done", reason)

    # -- plumbing

    def _each(self, rows: Sequence[Row], one: Callable[[Row], None]) -> bool:
        for row in rows:
            if self.ending.asked:
                return False
            one(row)
        return True

    def _resolve(self, row: Row, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except IcxError as cannot:
            self._note([row], "in_doubt")
            raise TryLater(
                "in-doubt",
                "1 person was sent, and iContact cannot be asked yet whether it was done.",
                where=f"{self.plan_id}, #{row.contact_id}; reading back: {cannot.message}",
                kept="noted as in doubt; it is not sent twice",
                next=[["icx", "apply", self.plan_id]],
            ) from None

    def _refused(self, row: Row, error: Refused) -> None:
        if error.code != "service-refused":
            self._back([row])
            raise error
        self._note([row], "refused", error.message)

    def _message(self, status: str) -> int | None:
        return self.confirmation if status == "pending" else None

    def _intend(self, rows: Sequence[Row]) -> None:
        def lists(row: Row) -> tuple[int | None, int | None]:
            return (self.list_id, row.away) if row.action == "park" else (row.away, self.list_id)

        self._doing = DOING.get(rows[0].action, "adding")
        intents = [Intent(row.row, row.contact_id, row.action, *lists(row)) for row in rows]
        self.plans.intend(self.plan_id, self.batch, intents)
        self.batch += 1

    def _back(self, rows: Sequence[Row]) -> None:
        """The service clearly did not do it: the rows are as if never sent."""
        self._note(rows, "not_sent")

    def _note(self, rows: Sequence[Row], state: str, words: str = "") -> None:
        self.plans.outcome(
            self.plan_id, [Outcome(row.row, row.action, state, words, row.contact_id) for row in rows]
        )
        if state == "done":
            self.done += len(rows)
            adding = {row.contact_id for row in rows if row.action in {"add", "create", "restore"}}
            self.joined |= adding
            self.left |= {row.contact_id for row in rows if row.action in {"park", "unsubscribe"}}
        if state == "refused":
            self.refused += len(rows)
        if rows and state != "not_sent":
            self.progress(self._at())

    def _at(self, note: str = "") -> Progress:
        left = self.client.pace.left()
        calls = f" · {counted(left, 'call')} left" if left is not None else ""
        text = note or f"batch {self.batch - 1} · {self.refused:,} refused{calls}"
        return Progress(self._doing, self.done, self.of, note=text)


def may(before: str, after: str) -> None:
    """The last gate before the wire: refuse any write that the consent file does not list."""
    if (before, after) not in WRITES:
        raise ValueError(f"icx never turns {before} into {after} on a list")


def _found(status: str, wanted: str) -> tuple[str, str]:
    """Return the outcome of a row that is on the list with this status."""
    if status == wanted:
        return "done", ""
    return "left_out", "left_this_list" if status == "unsubscribed" else "there"
