"""One apply in a process of its own, in the middle of which another client edits the list, and which may be killed.

Words: the facts as JSON. Points are counted: each call before it leaves and after it came back or failed, each write
of the journal before it, before it is committed and after it. `die` is the number of the point at which the process
ends by SIGKILL, `full` of the one from which no file may grow any more. Deeds of the other client are written straight into the account, so that icx's own writes stay
countable there, and are logged. Between the last look at people and the write about them no deed is done: no reader
of this service can see one there.
"""

import json
import os
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from apply_in_a_process import applied

from icx.clock import SystemClock
from icx.errors import IcxError
from icx.http.session import Session
from icx.store.journal import Journal

SAYS_NO = ("leaves", "asks never", "is deleted", "bounces")
DEEDS = (*SAYS_NO, "leaves", "joins", "is moved away")


class Hasty(SystemClock):
    """For somebody who does not like to wait: a second passes in a hundredth of one."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 100)
        self.ahead += seconds - seconds / 100


class Meddling:
    """The other client, and the hand that kills."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.state, self.target, self.other = facts["state"], facts["target"], facts["other"]
        self.people, self.chance, self.die = facts["people"], facts["chance"], facts["die"]
        self.full = facts.get("full")
        self.luck = random.Random(facts["seed"])
        self.log = os.open(facts["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.points = 0

    def note(self, **what: Any) -> None:
        os.write(self.log, json.dumps(what).encode() + b"\n")

    def point(self, name: str) -> None:
        self.points += 1
        if self.points == self.die:
            self.note(killed=name)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.points == self.full:
            self.note(full=name)
            self.chance = 0.0  # the other client's account lies on this disk too
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))

    def may_meddle(self, method: str, path: str, params: Any) -> bool:
        """Not before a write, nor in the middle of the look that precedes it."""
        looking = path.endswith("/subscriptions") and "contactId" in (params or {})
        return method == "GET" and not looking and "/subscriptions/" not in path

    def meddle(self) -> None:
        if self.luck.random() < self.chance:
            deed, contact = self.luck.choice(DEEDS), self.luck.choice(self.people)
            with closing(sqlite3.connect(self.state, timeout=30)) as con, con:
                con.row_factory = sqlite3.Row
                if self.done(con, deed, contact):
                    self.note(deed=deed, contact=contact)

    def done(self, con: sqlite3.Connection, deed: str, contact: int) -> bool:
        (person,) = con.execute("select * from contacts where contact_id = ?", [contact]).fetchall()
        found = con.execute(
            "select status from subscriptions where list_id = ? and contact_id = ?", [self.target, contact]
        ).fetchall()
        now = found[0]["status"] if found else None
        put = (
            "insert into subscriptions (list_id, contact_id, folder_id, status, add_date) values (?, ?, ?, ?, 1700000000)"
            " on conflict (list_id, contact_id) do update set status = excluded.status"
        )
        status = {"asks never": "donotcontact", "bounces": "bounced", "is deleted": "deleted"}.get(deed)
        if status is not None:
            if person["status"] != "normal":
                return False
            con.execute("update contacts set status = ? where contact_id = ?", [status, contact])
            if status == "deleted":
                con.execute("delete from subscriptions where contact_id = ?", [contact])
        elif deed == "leaves":
            con.execute(put, [self.target, contact, person["folder_id"], "unsubscribed"])
        elif deed == "joins":
            if now is not None or person["status"] != "normal":
                return False
            con.execute(put, [self.target, contact, person["folder_id"], "normal"])
        else:
            if now != "normal":
                return False
            con.execute(
                "delete from subscriptions where list_id = ? and contact_id = ?", [self.target, contact]
            )
            con.execute(put, [self.other, contact, person["folder_id"], "normal"])
        return True


@contextmanager
def meddled(meddling: Meddling) -> Iterator[None]:
    """Inside, every call and every write of the journal is a point."""
    send: Callable[..., Any] = Session.send
    write = Journal.write

    def sending(self: Session, method: str, path: str, **more: Any) -> Any:
        meddling.point(f"before {method} {path.rpartition('/c/')[2]}")
        if meddling.may_meddle(method, path, more.get("params")):
            meddling.meddle()
        try:
            return send(self, method, path, **more)
        finally:
            meddling.point(f"after {method} {path.rpartition('/c/')[2]}")

    @contextmanager
    def writing(self: Journal) -> Iterator[sqlite3.Connection]:
        meddling.point("before the journal")
        with write(self) as db:
            yield db
            meddling.point("before the commit")
        meddling.point("after the journal")

    Session.send, Journal.write = sending, writing  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Session.send, Journal.write = send, write  # type: ignore[method-assign]


def main(words: list[str]) -> None:
    facts = json.loads(words[0])
    meddling = Meddling(facts)
    with meddled(meddling):
        try:
            said = applied(facts, clock=Hasty()).as_dict()
        except IcxError as error:
            said = {"gave_up": error.code, "words": str(error)}
    print(json.dumps(said | {"points": meddling.points}), flush=True)
