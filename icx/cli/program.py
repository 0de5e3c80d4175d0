"""How this icx is started from anywhere: its script beside this Python, or this Python itself."""

from __future__ import annotations

import sys
from pathlib import Path


def program() -> list[str]:
    """Return the words, with absolute paths, that start the icx that runs now."""
    script = Path(sys.executable).parent / "icx"
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-c", "from icx.cli import main; main()"]
