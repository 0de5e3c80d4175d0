"""A pull in a process of its own, so that it can be killed; its words are the folder and the login as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from icx.clock import SYSTEM, Clock
from icx.http.pace import Pace
from icx.icontact import Client
from icx.pull import PullReport, pull
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal


def pulled(
    folder: Path, login: dict[str, Any], *, page_size: int = 50, clock: Clock = SYSTEM, **options: Any
) -> PullReport:
    """Pull a sandbox into a folder, with the machine's own clock unless told."""
    with Journal(folder / "journal.sqlite", clock) as journal:
        run = journal.start_run("pull", "acme")
        with Client(
            login["base_url"],
            login["app_id"],
            login["username"],
            login["password"],
            account_id=login["account_id"],
            client_folder_id=login["client_folder_id"],
            clock=clock,
            pace=Pace(first=200.0, clock=clock),
            tape=journal.tape_sink(run),
        ) as client:
            report = pull(
                Store(folder / "icx.duckdb", clock=clock),
                journal,
                client,
                "acme",
                settings=Settings(page_size=page_size),
                clock=clock,
                run=run,
                **options,
            )
        journal.end_run(run)
    return report


def main(words: list[str]) -> None:
    pulled(Path(words[0]), json.loads(words[1]))
