"""Row 6: pages to table end to end, beside a script of requests and pandas and beside dlt, from a server that waits for nobody."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import requests

from benchmarks.big_account import Size
from benchmarks.datasets import cache
from benchmarks.harness import Figure, bench, peak, seconds
from benchmarks.page_server import Served, serving
from icx.clock import SYSTEM
from icx.icontact import Client
from icx.pull import PullReport, pull
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal

DLT = "dlt[duckdb,parquet]==1.31.0"
OPENS = 50_000  # of each message


def ours(address: str, folder: Path, *, contacts_only: bool = False) -> PullReport:
    """Pull into a new store as `icx pull` does: four threads, every call on the tape, every unit counted."""
    store, journal = Store(folder / "icx.duckdb"), Journal(folder / "journal.sqlite", SYSTEM)
    run = journal.start_run("pull", "acme", "bench")
    with Client(
        address,
        "app",
        "ada@example.com",
        "secret",
        account_id=1,
        client_folder_id=2,
        tape=journal.tape_sink(run),
    ) as client:
        return pull(
            store,
            journal,
            client,
            "acme",
            settings=Settings(),
            clock=SYSTEM,
            contacts_only=contacts_only,
            run=run,
        )


def script(address: str, folder: Path, places: dict[str, str]) -> int:
    """What people write today: a page, a DataFrame, a table. Nothing is compared, nothing can be gone on with."""
    read = 0
    with duckdb.connect(str(folder / "script.duckdb")) as con, requests.Session() as session:
        for place, date in places.items():
            name, offset, total = place.rpartition("/")[2], 0, 1
            while offset < total:
                asked: dict[str, Any] = {"limit": 1000, "offset": offset}
                page = session.get(f"{address}/a/1/c/2/{place}", params=asked, timeout=60).json()
                frame = pd.DataFrame(page[name])
                frame["contactId"] = frame["contactId"].astype("int64")
                frame[date] = pd.to_datetime(frame[date], utc=True)
                con.register("frame", frame)
                there = con.execute(
                    "select count(*) from duckdb_tables() where table_name = ?", [name]
                ).fetchall()
                con.execute(
                    f"insert into {name} select * from frame"
                    if there[0][0]
                    else f"create table {name} as from frame"
                )
                con.unregister("frame")
                offset, total = offset + len(frame), page["total"]
            read += offset
    return read


def dlt(address: str, folder: Path, messages: int) -> tuple[float, int]:
    """Run dlt in an environment of its own, made once; it is no dependency of icx."""
    home = cache() / "dlt"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", DLT], check=True)
        (home / "ready").touch()
    peer = Path(__file__).with_name("peer_dlt.py")
    made = subprocess.run(
        [python, peer, address, str(messages), folder], check=True, stdout=subprocess.PIPE, text=True
    )
    took, rows = made.stdout.split()[-2:]
    return float(took), int(rows)


@bench(6, "XS", "S1")
def pages_to_table(size: Size) -> Iterator[Figure]:
    """The same events three ways, in turn, each into a new file; the quickest of two rounds."""
    messages = max(1, size.events // 20 // OPENS)
    served = Served(contacts=1_000, messages=messages, opens=OPENS)
    rows, places = messages * OPENS, {f"messages/{88_000 + n}/opens": "openTime" for n in range(messages)}
    times: dict[str, list[float]] = {"icx": [], "script": [], "dlt": []}
    wrong = ""
    with serving(served) as address:
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                here = Path(folder)
                reports: list[PullReport] = []
                times["icx"].append(
                    seconds(lambda here=here, reports=reports: reports.append(ours(address, here)))
                )  # type: ignore[misc]
                times["script"].append(seconds(lambda here=here: script(address, here, places)))  # type: ignore[misc]
                took, theirs = dlt(address, here, messages)
                times["dlt"].append(took)
                open_ = [cell for cell in reports[0].ledger.cells if cell.state in ("due", "provisional")]
                if reports[0].ledger.events != rows or theirs != rows or open_:
                    wrong = f"{reports[0].ledger.events:,} and {theirs:,} rows of {rows:,}, {len(open_)} units open"
    quickest = {name: min(took) for name, took in times.items()}
    note = ", ".join(f"{name} {rows / took:,.0f} rows/s" for name, took in quickest.items())
    yield Figure("events, pages to table", quickest["dlt"] / quickest["icx"], "×", 8, least=True,
                 against="dlt, tuned", note=note, wrong=wrong, times=times)  # fmt: skip
    yield Figure("events, pages to table", quickest["script"] / quickest["icx"], "×", 2, least=True,
                 against="requests and pandas", wrong=wrong, times=times)  # fmt: skip


@bench(6, "XS", "S1")
def people_to_table(size: Size) -> Iterator[Figure]:
    """Contacts of 18 fields, with their history and consent facts, beside the script that only stores them."""
    people = size.contacts // 5
    times: dict[str, list[float]] = {"icx": [], "script": []}
    with serving(Served(contacts=people)) as address:
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                here = Path(folder)
                times["icx"].append(seconds(lambda here=here: ours(address, here, contacts_only=True)))  # type: ignore[misc]
                times["script"].append(
                    seconds(lambda here=here: script(address, here, {"contacts": "createDate"}))
                )  # type: ignore[misc]
    icx, plain = min(times["icx"]), min(times["script"])
    yield Figure("contacts, pages to table", plain / icx, "×", 2, least=True, against="requests and pandas",
                 note=f"{people / icx:,.0f} rows/s, the script {people / plain:,.0f}", times=times)  # fmt: skip


@bench(6, "XS", "S1", "S2")
def memory_of_a_pull(size: Size) -> Iterator[Figure]:
    """The most memory a pull of so many events holds; at S2 ten million."""
    rows = max(size.events // 10, OPENS)
    with (
        serving(Served(contacts=1_000, messages=rows // OPENS, opens=OPENS)) as address,
        tempfile.TemporaryDirectory(dir=cache()) as folder,
        peak() as told,
    ):
        took = seconds(lambda: ours(address, Path(folder)))
        yield Figure(
            f"memory while {rows:,} events come in",
            told() * 1000,
            "MB",
            400,
            note=f"{rows / took:,.0f} rows/s",
        )
