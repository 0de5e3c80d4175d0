"""Applies one plan in a process of its own, so that it can be killed: facts as JSON, the one word."""

import json
from pathlib import Path

from icx.clock import SYSTEM
from icx.icontact import Client
from icx.plan import apply
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal
from icx.store.plans import Plans


def main(words: list[str]) -> None:
    facts = json.loads(words[0])
    data = Path(facts["data"])
    with Journal(data / "journal.sqlite", SYSTEM) as journal, Client(**facts["login"]) as client:
        print("ready", flush=True)
        applied = apply(
            facts["plan"],
            client=client,
            store=Store(data / "icx.duckdb", clock=SYSTEM),
            plans=Plans(journal),
            settings=Settings(batch_size=facts["batch_size"]),
            clock=SYSTEM,
            who="maya",
            answers=facts["answers"],
            progress=lambda at: print("progress", at.what, at.done, at.note, flush=True),
        )
    print(json.dumps(applied.as_dict()), flush=True)
