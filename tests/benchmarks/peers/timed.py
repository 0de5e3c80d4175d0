"""One engine's run of row 2, as a process: `main` reads the folders, does the job some times and prints what it took.

Run by whatever Python has the engine; so it imports nothing but Python's own.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

# The columns of icontact_users, and of the profile, in the order of the default columns.
CONTACT = {
    "id": "ic_contact_id", "email_key": "email", "email_domain": "email_domain", "prefix": "prefix",
    "first_name": "first_name", "last_name": "last_name", "suffix": "suffix", "street": "street_address",
    "street_line_2": "address_2", "city": "city", "state": "region", "postal_code": "postal_code",
    "phone": "phone", "fax": "fax", "business": "ic_business", "status": "ic_status",
    "bounce_count": "ic_bounce_count", "create_date": "ic_user_created",
}  # fmt: skip
COUNTS = {
    "email_bouncect": "bounce",
    "email_click_ct": "click",
    "email_open_ct": "open",
    "email_unsubscribect": "unsubscribe",
}
LAST = {
    "email_last_click_ts": "click",
    "email_last_open_ts": "open",
    "email_lastbounce_ts": "bounce",
    "email_lastunsubscribe_ts": "unsubscribe",
}
FIRST = {
    "email_first_click_ts": "click",
    "email_first_open_ts": "open",
    "email_firstbounce_ts": "bounce",
    "email_firstunsubscribe_ts": "unsubscribe",
}
ACTIVE = ("email_last_open_ts", "email_last_click_ts", "email_lastunsubscribe_ts")

Job = Callable[[Path, Path, str], None]


def main(job: Job, others: Callable[[], Iterable[int]] = tuple) -> None:
    """Do `job(tables, new folder, as_of)` as often as asked and print a line of JSON for each.

    `seconds` by the clock, `cpu` seconds of all its cores, `rss` the most bytes held since the process began; those of
    the processes `others()` too. The engine's start is no part of it.
    """
    tables, out, as_of, rounds = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    processes = [os.getpid(), *others()]
    for _ in range(rounds):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        worked, began = sum(map(_worked, processes)), time.perf_counter()
        job(tables, out, as_of)
        took = time.perf_counter() - began
        told = {
            "seconds": took,
            "cpu": sum(map(_worked, processes)) - worked,
            "rss": sum(map(_held, processes)),
        }
        print(json.dumps(told), flush=True)


def _worked(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _held(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
