"""Applies one plan in a process of its own, so that it can be killed: facts as JSON, the one word."""

import json
from pathlib import Path
from typing import Any

from icx.clock import SYSTEM, Clock
from icx.icontact import Client
from icx.plan import Applied, apply
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal
from icx.store.plans import Plans


def applied(facts: dict[str, Any], clock: Clock = SYSTEM, **more: Any) -> Applied:
    """Apply the plan the facts name, with the answers they give to its stops."""
    data = Path(facts["data"])
    with Journal(data / "journal.sqlite", clock) as journal, Client(**facts["login"], clock=clock) as client:
        return apply(
            facts["plan"],
            client=client,
            store=Store(data / "icx.duckdb", clock=clock),
            plans=Plans(journal),
            settings=Settings(batch_size=facts["batch_size"]),
            clock=clock,
            who="maya",
            answers=facts["answers"],
            **more,
        )


def main(words: list[str]) -> None:
    print("ready", flush=True)
    done = applied(
        json.loads(words[0]),
        progress=lambda at: print("progress", at.what, at.done, at.note, flush=True),
    )
    print(json.dumps(done.as_dict()), flush=True)
