"""The accounts that are measured: made once a machine into a cache folder, copied for each measurement."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import icx.profile
from benchmarks.big_account import AS_OF, VERSION, Size, fill
from icx.clock import ManualClock
from icx.profile import Build, build
from icx.pull import register
from icx.settings import Settings
from icx.store import Store

NAME = "acme"
# So that a big run fits a machine of 24 GB on which others work too; None is DuckDB's own, 80 % of the machine's.
MEMORY = {"S2": "12GB"}


def cache() -> Path:
    """Return the folder of what is made once: build/bench, or what ICX_BENCH names."""
    return Path(os.environ.get("ICX_BENCH") or Path(__file__).parents[2] / "build" / "bench")


@dataclass(frozen=True)
class Account:
    """A store with an account in it, in a folder of its own that goes with the measurement."""

    store: Store
    folder: Path
    size: Size

    def build(self, *, full: bool = False) -> Build:
        """Build the profile at the moment of the last pull."""
        return build(
            self.store, NAME, settings=Settings(), fields_dir=None, clock=self.store.clock, full=full
        )


@contextmanager
def account(size: Size, *, built: bool = False, memory: str | None = None) -> Iterator[Account]:
    """Give a copy of the account of that size, with its profile when `built`; `memory` limits DuckDB's."""
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="copy-") as folder:
        path = Path(folder) / "icx.duckdb"
        shutil.copyfile(_kept(size, built=built), path)
        yield Account(_store(path, size, memory), Path(folder), size)


def _store(path: Path, size: Size, memory: str | None = None) -> Store:
    clock = ManualClock(AS_OF.replace(tzinfo=UTC))
    return Store(path, clock=clock, memory_limit=memory or MEMORY.get(size.name))


def _profiles() -> str:
    """Return what tells profiles apart that were computed otherwise."""
    code = Path(icx.profile.__file__).parent
    texts = [path.read_bytes() for path in sorted(code.rglob("*")) if path.suffix in {".py", ".sql"}]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:8]


def _kept(size: Size, *, built: bool) -> Path:
    """Return the kept database of that size, made now if it is not there."""
    name = f"{size.name}-{VERSION}-{_profiles() if built else 'raw'}"
    kept = cache() / name / "icx.duckdb"
    if not kept.exists():
        making = cache() / f"{name}.making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        path = making / "icx.duckdb"
        if built:
            shutil.copyfile(_kept(size, built=False), path)
        store = _store(path, size)
        with store.open():
            if built:
                Account(store, making, size).build()
            else:
                register(store, NAME, 41733, 8021)
                with store.open(NAME) as con:
                    fill(con, size)
        making.rename(kept.parent)
    return kept
