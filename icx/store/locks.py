"""Named locks of a workspace: held by a process, free again when it ends, however it ends."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from icx.clock import SYSTEM, Clock
from icx.errors import IcxError, TryLater
from icx.store import damage, private

#: The lock of whoever replaces the database or takes somebody out of it: nothing else is begun meanwhile.
WHOLE = "the whole workspace"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, since when (aware UTC), for what. `began` is when its process started, as the system counts."""

    pid: int
    since: datetime
    what: str
    began: str = ""


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

    Raises `busy(holder)` (by default TryLater, "already-running") at once when somebody else holds it, and
    "already-running" while somebody has the whole workspace: see `alone`.
    """
    stem = _stem(name)
    note = folder / f"{stem}.json"
    try:
        private.folder(folder)
    except OSError as error:
        raise _cannot(error, folder) from None
    lock = FileLock(folder / f"{stem}.lock", timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise (busy or _busy(name))(_holder(note)) from None
    except OSError as error:
        raise _cannot(error, folder / stem) from None
    try:
        if name != WHOLE and (other := holder(folder, WHOLE)) is not None:
            raise _busy(WHOLE)(other)
        since = clock.now().astimezone(UTC).isoformat()
        told = {"pid": os.getpid(), "since": since, "what": what or name, "began": began(os.getpid())}
        try:
            with private.alone():
                note.write_text(json.dumps(told), encoding="utf-8")
        except OSError as error:
            raise _cannot(error, note) from None
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


@contextmanager
def hold_if_free(folder: Path, name: str, *, what: str = "", clock: Clock = SYSTEM) -> Iterator[bool]:
    """Hold the lock `name` while the block runs, if it can be held; give whether it is.

    For work that somebody else does at this moment, or that comes round again: see `hold`.
    """
    with ExitStack() as held:
        try:
            held.enter_context(hold(folder, name, what=what, clock=clock))
        except TryLater:
            free = False
        else:
            free = True
        yield free


@contextmanager
def alone(folder: Path, *, what: str, clock: Clock = SYSTEM) -> Iterator[None]:
    """Hold the whole workspace while the block runs: no pull, apply, job or run is under way, and none is begun.

    Whoever begins takes a lock of its own and then looks here; this says that it is here and then looks for theirs.
    So one of the two sees the other, whatever the order. Raises TryLater ("already-running") at once.
    """
    with hold(folder, WHOLE, what=what, clock=clock):
        ours = f"{_stem(WHOLE)}.lock"
        for path in sorted(folder.glob("*.lock")):
            if path.name == ours:
                continue
            try:
                with FileLock(path, timeout=0):
                    pass
            except Timeout:
                raise _busy("something else")(_holder(path.with_suffix(".json"))) from None
        yield


def holder(folder: Path, name: str) -> Holder | None:
    """Return who holds the lock `name`, without touching it; None when nobody does or the holder is gone.

    A holder that was killed leaves its note, and the system may give its number to somebody else: a process of that
    number that started at another time is not the one that holds.
    """
    found = _holder(folder / f"{_stem(name)}.json")
    return found if found is not None and runs_still(found.pid, found.began) else None


def began(pid: int) -> str:
    """Return when a process of this machine started, in a form to compare; empty where the system does not tell."""
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except (OSError, IndexError):
        return ""
    return f"{boot} {ticks}"


def alive(pid: int) -> bool:
    """Tell whether a process of this machine still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def who(holder: Holder | None) -> str:
    """Say who holds a lock.

    >>> who(Holder(17, datetime(2026, 11, 22, 5, 2, tzinfo=UTC), "P-1"))
    'process 17, since 05:02 UTC'
    >>> who(None)
    'another process'
    """
    return f"process {holder.pid}, since {holder.since:%H:%M} UTC" if holder else "another process"


def runs_still(pid: int, began_then: str) -> bool:
    """Tell whether a process still runs; `began_then` is what `began` said of it, empty when that is not known."""
    return alive(pid) and (not began_then or began(pid) in ("", began_then))


def _cannot(error: OSError, path: Path) -> IcxError:
    return damage.of_the_machine(error, path) or damage.read_only(path)


def _stem(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _holder(note: Path) -> Holder | None:
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(told["since"])
        return Holder(int(told["pid"]), since, str(told["what"]), str(told.get("began", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _busy(name: str) -> Callable[[Holder | None], IcxError]:
    def error(holder: Holder | None) -> IcxError:
        return TryLater(
            "already-running",
            f"{holder.what if holder else name} is already under way.",
            where=who(holder),
            kept="this one did nothing",
            next=["wait for it, then the same command"],
        )

    return error
