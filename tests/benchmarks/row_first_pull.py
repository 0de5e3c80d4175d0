"""Row 7: a first pull from a service that takes 100 ms to answer, beside what its concurrency permits; its calls, counted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.big_account import Size
from benchmarks.harness import Figure, bench, seconds
from benchmarks.page_server import Served, serving
from benchmarks.row_pages import ours
from icx.pull import PullReport
from icx.pull.units import COLLECTIONS, KINDS
from icx.settings import Settings

LATENCY = 0.1


@bench(7, "XS", "S1")
def first_pull(size: Size) -> Iterator[Figure]:
    """Every message has 250 opens: all of an account's calls but a few are made for messages."""
    served = Served(contacts=size.contacts // 50, messages=size.messages, opens=250, latency=LATENCY)
    reports: list[PullReport] = []
    with serving(served) as address, tempfile.TemporaryDirectory() as folder:
        took = seconds(lambda: reports.append(ours(address, Path(folder))))
    settings, calls = Settings(), reports[0].calls
    rows = served.contacts + served.messages * (1 + served.opens)
    most = rows / settings.page_size + len(COLLECTIONS) + served.messages * (1 + len(KINDS))
    ideal = calls * LATENCY / settings.threads
    wrong = "" if reports[0].ledger.events == served.messages * served.opens else "events are missing"
    yield Figure(
        f"first pull, {served.messages:,} messages, 100 ms a call", ideal / took, "of what 4 at a time permit", 0.8,
        least=True, note=f"{took:.0f} s, {calls:,} calls", wrong=wrong,
    )  # fmt: skip
    yield Figure(
        "its calls",
        calls,
        "calls",
        round(most),
        against="rows by page + collections + messages × (statistics + kinds)",
    )
