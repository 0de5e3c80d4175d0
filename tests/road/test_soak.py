"""A soak: a workspace that is left open while the account lives on; day after day it is pulled, built, checked, planned.

What must stay flat: the memory of the process, and the bytes on disk against the bytes that came in. Old pages and
calls go as in a workspace with jobs; plans are what was promised to whom, and stay. `ICX_SOAK=200` makes it longer than
the slow tests do, `-s` prints every day.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
import requests

from icx.rules import F
from icx.workspace import Workspace
from road.account import Account, account

DAY = 86_400
AS_OF = 1_772_445_600  # 2 March 2026
PEOPLE, OPENS = 2_000, 300  # opens of the one mail a day: little beside what is there, which takes memory too
EVENT = 10  # bytes an event may take in the store
BLOCK = 262_144  # of DuckDB's file, which has now a few more free and now a few less
PLANNED = 40  # and a person in a plan
KEPT = 10  # days that pages and calls are kept


@dataclass
class Ahead:
    """The machine's clock at another date."""

    days: float = 0.0
    began: float = field(default_factory=time.time)

    def now(self) -> datetime:
        return datetime.fromtimestamp(AS_OF + time.time() - self.began, UTC) + timedelta(days=self.days)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


@dataclass(frozen=True)
class Round:
    """What stood after one day: megabytes of memory, bytes on disk by what holds them, seconds it took."""

    memory: float
    disk: dict[str, int]
    took: float


def mails(one: Account, moment: datetime) -> None:
    """Somebody sends a mail to the first list, and people open it; the service's file is written as the service would."""
    with closing(sqlite3.connect(one.held.file, timeout=30)) as con, con:
        folder, at = one.sandbox.client_folder_id, int(moment.timestamp())
        ((message,),) = con.execute("select max(message_id) + 1 from messages")
        ((send,),) = con.execute("select max(send_id) + 1 from sends")
        con.execute(
            "insert into messages (message_id, folder_id, message_type, subject, create_date)"
            " values (?, ?, 'normal', ?, ?)",
            [message, folder, f"Letter {message}", at - 9 * 3600],
        )
        con.execute(
            "insert into sends (send_id, folder_id, message_id, include_list_ids, released_time, scheduled_time,"
            " recipient_count) select ?, ?, ?, min(list_id), ?, ?, ? from lists where folder_id = ? and not deleted",
            [send, folder, message, at - 8 * 3600, at - 8 * 3600, PEOPLE, folder],
        )
        con.execute(
            "insert into events (folder_id, message_id, kind, contact_id, event_time)"
            " select ?, ?, 'open', contact_id, ? + (contact_id * 7919 + ?) % 28000 from contacts"
            " where folder_id = ? order by (contact_id * 7919 + ?) % 1009 limit ?",
            [folder, message, at - 8 * 3600, message, folder, message, OPENS],
        )


def memory() -> float:
    """Megabytes of memory of this process that are in use now."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def disk(root: Path) -> dict[str, int]:
    """Bytes below the workspace, by the second name of their path."""
    found: dict[str, int] = {}
    for path in root.rglob("*"):
        if path.is_file():
            parts = path.relative_to(root).parts
            name = "/".join(parts[:2]).removesuffix("-wal").removesuffix("-shm").removesuffix(".wal")
            found[name] = found.get(name, 0) + path.stat().st_size
    return found


def dated(folder: Path, now: float) -> None:
    """Give files the date of the clock that they were made under: the disk goes by the machine's, which is ahead."""
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_mtime > now:
            os.utime(path, (now, now))


def day(one: Account, ws: Workspace, clock: Ahead) -> Round:
    """Let a day go by, and do what is done every day."""
    began = time.perf_counter()
    place = f"{one.sandbox.control_url}/clock"
    requests.post(place, json={"seconds": DAY}, timeout=30).raise_for_status()
    clock.days += 1
    mails(one, clock.now())
    assert ws.pull("acme").ok
    ws.build("acme")
    ws.check(name="acme")
    plan = ws.plan("Openers", "acme/lists/Soaked", create=True)
    assert plan.counts.wanted > 0
    dated(ws.layout.data, clock.now().timestamp())
    ws.tidy(remove=True)
    return Round(memory(), disk(ws.layout.root), time.perf_counter() - began)


def printed(rounds: list[Round]) -> str:
    names = sorted(
        {name for one in rounds for name in one.disk}, key=lambda name: -rounds[-1].disk.get(name, 0)
    )
    lines = ["round  memory MB  took s  " + "  ".join(f"{name} kB" for name in names)]
    lines += [
        f"{number:5}  {one.memory:9.1f}  {one.took:6.2f}  "
        + "  ".join(f"{one.disk.get(name, 0) / 1e3:{len(name) + 3}.0f}" for name in names)
        for number, one in enumerate(rounds, 1)
    ]
    return "\n".join(lines)


def grown(rounds: list[Round], of: Callable[[Round], float]) -> tuple[float, float]:
    """What the ten days after the first fifteen had, and the last ten: the middle of each."""
    return median(map(of, rounds[15:25])), median(map(of, rounds[-10:]))


@pytest.mark.slow
def test_memory_and_files_stay_flat_while_days_go_by(tmp_path: Path) -> None:
    many = int(os.environ.get("ICX_SOAK", "45"))
    clock, as_of = Ahead(), datetime.fromtimestamp(AS_OF, UTC).isoformat()
    with account(tmp_path / "account.sqlite", contacts=PEOPLE, messages=30, as_of=as_of) as one:
        root = one.workspace(tmp_path / "soak", f"keep_days = {KEPT}\nkeep_failed_days = {KEPT}\n")
        with Workspace(root, clock=clock) as ws:
            ws.pull("acme")
            ws.build("acme")
            ws.audience("Openers", F(ws.catalogue("acme")).email_open_ct >= 1, connection="acme")
            rounds = []
            for _ in range(many):
                rounds.append(day(one, ws, clock))
                print(printed(rounds[-1:]).splitlines()[-1], flush=True)
    print(printed(rounds))
    days = many - 25  # from the middle of the early days to that of the last ones
    early, late = grown(rounds, lambda one: one.memory)
    assert late < 1.1 * early
    early, late = grown(rounds, lambda one: sum(one.disk.values()) - one.disk["data/plans"])
    assert late - early < 4 * OPENS * EVENT * days + 3 * BLOCK
    early, late = grown(rounds, lambda one: one.disk["data/plans"])
    assert (late - early) / days < PLANNED * PEOPLE
