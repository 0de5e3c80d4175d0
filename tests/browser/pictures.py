"""The pictures of the README, from real objects: a simulated account of a fixed seed and day, planned and not sent.

python tests/browser/pictures.py docs        (or: make pictures)
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import chromium

from icx.clock import ManualClock
from icx.workspace import Workspace

DAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ACCOUNT = {"contacts": 10_412, "messages": 96, "seed": 1, "account": 41733, "folder": 8021}
FRAME = "<style>body { padding: 20px 24px; } section { margin: 0 auto; }</style>"


def shown() -> dict[str, str]:
    """What a notebook shows of the demo's account before anything is sent."""
    with tempfile.TemporaryDirectory() as folder, Workspace(folder, clock=ManualClock(DAY), who="maya") as ws:
        state = ws.layout.data / "sandbox-acme.sqlite"
        ws.accounts.start_sandbox("acme", state, **ACCOUNT, as_of=DAY.isoformat())
        ws.pull("acme")
        ws.build("acme")
        f = ws.fields
        rule = (f.opens_90d >= 3) & (f.city == "Durham") & ~f.email_last_click_ts.within(days=7)
        loyal = ws.audience("Loyal in Durham", rule, description="Our best readers near the shop")
        plan = ws.plan(loyal, "acme/lists/Durham regulars")
        return {
            "plan": plan._repr_html_(),
            "audience": loyal._repr_html_(),
            "checks": ws.check("profile")._repr_html_(),
        }


def main(folder: Path) -> None:
    sizes = {"plan": (960, 640), "audience": (960, 550), "checks": (1080, 640)}
    for name, piece in shown().items():
        width, height = sizes[name]
        page = chromium.notebook({name: FRAME + piece}, "light", width, script="")
        chromium.picture(page, folder.resolve() / f"{name}.png", width=width + 48, height=height)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
