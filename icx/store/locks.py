"""Named locks of a workspace: held by a process, free again when it ends, however it ends."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from icx.clock import SYSTEM, Clock
from icx.errors import IcxError, TryLater
from icx.store import damage


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, since when (aware UTC), for what."""

    pid: int
    since: datetime
    what: str


@contextmanager
def hold(
    folder: Path,
    name: str,
    *,
    what: str = "",
    busy: Callable[[Holder | None], IcxError] | None = None,
    clock: Clock = SYSTEM,
) -> Iterator[None]:
    """Hold the lock `name` of the workspace while the block runs.

    Raises `busy(holder)` (by default TryLater, "already-running") at once when somebody else holds it.
    """
    stem = _stem(name)
    note = folder / f"{stem}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise damage.read_only(folder) from None
    lock = FileLock(folder / f"{stem}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise (busy or _busy(name))(_holder(note)) from None
    try:
        since = clock.now().astimezone(UTC).isoformat()
        note.write_text(
            json.dumps({"pid": os.getpid(), "since": since, "what": what or name}), encoding="utf-8"
        )
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def holder(folder: Path, name: str) -> Holder | None:
    """Return who holds the lock `name`, without touching it; None when nobody does or the holder is gone."""
    found = _holder(folder / f"{_stem(name)}.json")
    return found if found is not None and alive(found.pid) else None


def alive(pid: int) -> bool:
    """Tell whether a process of this machine still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stem(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _holder(note: Path) -> Holder | None:
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        return Holder(int(told["pid"]), datetime.fromisoformat(told["since"]), str(told["what"]))
    except (OSError, ValueError, KeyError):
        return None


def _busy(name: str) -> Callable[[Holder | None], IcxError]:
    def error(holder: Holder | None) -> IcxError:
        by = f"process {holder.pid}, since {holder.since:%H:%M} UTC" if holder else "another process"
        return TryLater(
            "already-running",
            f"{holder.what if holder else name} is already under way.",
            where=by,
            kept="this one did nothing",
            next=["wait for it, then the same command"],
        )

    return error
