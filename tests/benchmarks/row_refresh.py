"""Row 3: a refresh after new events and a clock that moved, beside a whole build at the same moment, row by row equal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.big_account import AS_OF, Size, grow
from benchmarks.datasets import NAME, account
from benchmarks.harness import Figure, bench, in_turn, ratio, worked

# Every column of every row, whatever the order of the rows and of the marks' lists. To `hash` an empty list or map is
# a missing one.
DIGEST = """
select count(*), sum(hash(r, open_marks is null, click_marks is null, hashedurls is null)) from (
  select * replace (list_sort(open_marks) as open_marks, list_sort(click_marks) as click_marks) from profile_rows
) r
"""
MACHINE = "select count(*), sum(hash(m)) from machine_events m"


def digest(con: Any) -> list[Any]:
    return [con.execute(sql).fetchall() for sql in (DIGEST, MACHINE)]


@bench(3, "XS", "S1", "S2", "hard")
def refresh(size: Size) -> Iterator[Figure]:
    """From the profile at AS_OF: 1, 8 and 31 days on, each a step from the one before, then a whole build there.

    Of the largest account one day on: a whole build takes minutes.
    """
    with account(size, built=True) as acme, acme.store.open(NAME) as con:
        con.execute("set threads = 2")
        moment, builds = AS_OF, []
        for step, days in enumerate((1,) if size.name == "S2" else (1, 8, 31), start=1):
            moment = grow(con, size, step, since=moment, days=days)
            times = in_turn(1, ours=lambda: builds.append(acme.build()))
            equal = digest(con)
            times |= in_turn(1, whole=lambda: acme.build(full=True))
            yield Figure(
                f"+1 % events, {days} day{'s' if days > 1 else ''} on", ratio(times, "ours", "whole"),
                target={"S1": 0.4, "S2": 0.25}.get(size.name) if days == 1 else None,
                against=f"a whole build at that moment ({min(times['whole']):.1f} s)",
                note=f"{builds[-1].anew:,} people computed anew, every column of every row equal; {worked(times, 'ours', 'whole')}",
                wrong="" if equal == digest(con) else "the rows are not those of a whole build", times=times,
            )  # fmt: skip
