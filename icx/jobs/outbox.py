"""Alerts on their way: written down first, sent once the jobs have run, tried again for a day when nobody answers.

A webhook that hangs then holds up no job; and what made a job fail, a network that is gone, is often what keeps its
alert from arriving.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from icx import notify
from icx.jobs.history import History
from icx.jobs.job import Alert
from icx.store.journal import Journal

#: How long an alert that does not arrive is tried again: after five minutes, then twice as long, every two hours.
PATIENCE = timedelta(days=1)
FIRST, LONGEST = timedelta(minutes=5), timedelta(hours=2)


class Outbox:
    """The alerts of a workspace that are not told yet."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._history = History(journal)

    def put(self, alert: Mapping[str, Any], way: Alert) -> None:
        """Write an alert down, to be sent; one of the same id is never put twice, and one for nobody not at all."""
        if not way:
            return
        now = _text(self._journal.clock.now())
        body = json.dumps(notify.masked(alert), ensure_ascii=False, default=str)
        with self._journal.write() as db:
            db.execute(
                "insert or ignore into job_alerts (id, job, run, at, body, ways, next_at) values (?, ?, ?, ?, ?, ?, ?)",
                (alert["id"], alert["job"], alert.get("run") or "", now, body, " ".join(way.ways), now),
            )

    def deliver(self, way_of: Callable[[str], Alert]) -> None:
        """Send what is due; `way_of` says who hears of a job now, so that a way that was mended is used."""
        with self._journal.lock_if_free("alerts") as free:
            if not free:
                return
            # Webhooks that took nothing in this look, and why: none is waited for twice.
            silent: dict[str, str] = {}
            for row in self._journal.read(
                "select * from job_alerts where ways <> '' and next_at <= ? order by number",
                (_text(self._journal.clock.now()),),
            ):
                self._send(row, way_of(row["job"]), silent)

    def unheard(self, job: str) -> str:
        """Return why the newest alert of a job did not arrive; empty when it did, or is only just on its way."""
        rows = self._journal.read(
            "select ways, problem from job_alerts where job = ? order by number desc limit 1", (job,)
        )
        return str(rows[0]["problem"]) if rows and rows[0]["ways"] else ""

    def _send(self, row: Any, way: Alert, silent: dict[str, str]) -> None:
        body = json.loads(row["body"])
        # Of the ways that did not arrive those that are still there; else what was put in their place.
        ways = [name for name in row["ways"].split() if name in way.ways] or way.ways
        command = way.command if "command" in ways else ()
        webhook = way.webhook if "webhook" in ways else ""
        held = webhook in silent
        done = notify.send(body, command=command, webhook="" if held else webhook, clock=self._journal.clock)
        done += [notify.Delivery("webhook", silent[webhook])] if held else []
        lost = [one for one in done if not one.ok]
        for one in done:
            said = f"{body['alert']}: {one}"
            if one.ok or said not in row["problem"]:
                self._history.note(row["job"], "alert", said, run=row["run"])
            if one.channel == "webhook" and not one.ok:
                silent[webhook] = one.problem
        now = self._journal.clock.now()
        late = now - datetime.fromisoformat(row["at"]) > PATIENCE
        again = None if late or not lost else now + min(FIRST * 2 ** row["tries"], LONGEST)
        problem = " · ".join(f"{body['alert']}: {one}" for one in lost)
        self._keep(row, " ".join(one.channel for one in lost), problem, again, tries=row["tries"] + 1)

    def _keep(self, row: Any, ways: str, problem: str, again: datetime | None, *, tries: int) -> None:
        with self._journal.write() as db:
            db.execute(
                "update job_alerts set ways = ?, tries = ?, next_at = ?, problem = ? where number = ?",
                (ways, tries, _text(again) if again else None, problem, row["number"]),
            )


def _text(moment: datetime) -> str:
    # Of one length, so that the text's order is the time's.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
