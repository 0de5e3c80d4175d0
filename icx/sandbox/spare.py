"""A folder for as long as the sandbox runs, also when it is ended from outside."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

PREFIX = "icx-sandbox-"


@contextmanager
def spare_folder() -> Iterator[Path]:
    """Make a folder under the temporary one, and remove it when the block ends.

    A process that is killed outright cannot remove its folder, so the next one does.
    """
    sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def sweep(where: Path) -> int:
    """Remove folders that our own sandboxes left, whose process is gone; return how many."""
    if not hasattr(os, "getuid"):
        return 0  # without owners there is no telling whose a folder is
    removed = 0
    with os.scandir(where) as entries:
        for entry in entries:
            found = re.match(rf"{PREFIX}(\d+)-", entry.name)
            if found is None or _runs(int(found.group(1))):
                continue
            try:
                state = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # another sandbox sweeps at the same time
            if stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid():
                shutil.rmtree(entry.path, ignore_errors=True)
                removed += 1
    return removed


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # somebody else's
    return True


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Make every wish to end a KeyboardInterrupt while the block runs, so that what is open gets closed.

    The web server hears the signal first and, once it is down, sends it to the process again: with the handler of
    the system that is its death on the spot, and nothing is removed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wishes = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, _interrupt) for number in wishes}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
