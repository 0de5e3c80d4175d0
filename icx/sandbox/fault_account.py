"""Faults about the account: what somebody else does to it while a caller reads."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass

from icx.sandbox.call import next_id
from icx.sandbox.fault_queue import Asked
from icx.sandbox.faults import Fault
from icx.sandbox.state import State
from icx.sandbox.tracking import KINDS

FAR = 1_000_000_000  # ids from here on belong to nobody


@dataclass
class _Edit:
    """One change of one folder."""

    con: sqlite3.Connection
    folder: int
    now: int
    luck: random.Random

    def ids(self, sql: str) -> list[int]:
        return [row[0] for row in self.con.execute(sql, [self.folder])]

    def contact(self) -> int:
        contact = next_id(self.con, "contacts", "contact_id", 70_001)
        self.con.execute(
            "insert into contacts (contact_id, folder_id, email, first_name, create_date) values (?, ?, ?, 'Late', ?)",
            [contact, self.folder, f"late.{contact}@example.com", self.now],
        )
        return contact

    def subscription(self) -> None:
        lists = self.ids("select list_id from lists where folder_id = ? and not deleted order by 1")
        if lists:
            self.con.execute(
                "insert into subscriptions (list_id, contact_id, folder_id, status, add_date)"
                " values (?, ?, ?, 'normal', ?)",
                [self.luck.choice(lists), self.contact(), self.folder, self.now],
            )

    def event(self, message: int, kind: str, contact: int) -> None:
        self.con.execute(
            "insert into events (folder_id, message_id, kind, contact_id, event_time, url) values (?, ?, ?, ?, ?, ?)",
            [self.folder, message, kind, contact, self.now,
             "https://shop.example.com/late" if kind == "click" else None],
        )  # fmt: skip

    def messages(self) -> list[int]:
        return self.ids(
            "select message_id from sends where folder_id = ? and status = 'released' group by 1 order by min(released_time)"
        )

    def somebody(self) -> int:
        people = self.ids(
            "select contact_id from contacts where folder_id = ? and status <> 'deleted' order by 1 limit 1000"
        )
        return self.luck.choice(people) if people else FAR


def change(state: State, fault: Fault, folder: int, asked: Asked) -> None:
    """Do to the account what a fault says; what it is about is the collection that is being read."""
    word = asked.path.rsplit("/", 1)[-1]
    with state.write() as con:
        edit = _Edit(con, folder, state.now(), random.Random(f"{fault.seed} {fault.fault} {fault.times}"))
        for _ in range(fault.by):
            if fault.fault == "insert":
                _insert(edit, asked.path, word)
            elif fault.fault == "delete":
                _delete(edit, asked, word)
            elif messages := edit.messages():
                late = fault.fault == "late-events"
                kind = edit.luck.choice(["open", "open", "click"])
                message = messages[0] if late else edit.luck.choice(messages)
                edit.event(message, kind, edit.somebody() if late else FAR + edit.luck.randrange(1_000))


def _insert(edit: _Edit, path: str, word: str) -> None:
    if word == "contacts":
        edit.contact()
    elif word == "subscriptions":
        edit.subscription()
    elif word in KINDS:
        edit.event(int(path.split("/")[2]), KINDS[word][0], edit.somebody())


def _delete(edit: _Edit, asked: Asked, word: str) -> None:
    """Delete a row of a page that was read before this one."""
    before = asked.rows.start
    if word in KINDS:
        sql = "select event_id from events where folder_id = ? and message_id = ? and kind = ? order by 1 limit ?"
        rows = edit.con.execute(
            sql, [edit.folder, int(asked.path.split("/")[2]), KINDS[word][0], before]
        ).fetchall()
        if rows:
            edit.con.execute("delete from events where event_id = ?", edit.luck.choice(rows))
    elif word == "subscriptions":
        sql = "select list_id, contact_id from subscriptions where folder_id = ? order by 1, 2 limit ?"
        rows = edit.con.execute(sql, [edit.folder, before]).fetchall()
        if rows:
            edit.con.execute(
                "delete from subscriptions where list_id = ? and contact_id = ?", edit.luck.choice(rows)
            )
    elif word == "contacts":
        sql = "select contact_id from contacts where folder_id = ? and status <> 'deleted' order by 1 limit ?"
        rows = edit.con.execute(sql, [edit.folder, before]).fetchall()
        if rows:
            gone = edit.luck.choice(rows)
            edit.con.execute("update contacts set status = 'deleted' where contact_id = ?", gone)
            edit.con.execute("delete from subscriptions where contact_id = ?", gone)
