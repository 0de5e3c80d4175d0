"""The log: what happened, a line of JSON each, in a file a day; masked as it is written, for its owner's eyes only.

Every process appends whole lines, so several may write at once and nothing is ever renamed. What cannot be written
(a full disk) is left out: no work fails because it could not be told of.
"""

from __future__ import annotations

import json
import logging
import os
import re
import traceback
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from icx import mask
from icx.clock import SYSTEM, Clock
from icx.errors import IcxError, NeedsYou, Stopped
from icx.store import private

LEVELS = ("debug", "info", "warning", "error")
#: Bytes after which a day goes on in another file.
PART = 32 * 2**20
_FILE = re.compile(r"(\d{4}-\d\d-\d\d)(?:-(\d+))?\.jsonl")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_SECRETS = ("ICX_PASSWORD", "ICX_APP_ID")
_LOGGER = logging.getLogger("icx")
_LOGGER.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Line:
    """One thing that happened. `at` is aware, UTC; `event` is its kind in a word, `facts` are for machines."""

    at: datetime
    level: str
    event: str
    text: str
    run: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "level": self.level,
            "event": self.event,
            "run": self.run or None,
            "text": self.text,
        } | self.facts


class Log:
    """The log of a workspace, in `folder`; made with its first line."""

    def __init__(self, folder: Path, clock: Clock = SYSTEM) -> None:
        self.folder = folder
        self.clock = clock

    def write(self, level: str, event: str, text: str, *, run: str = "", **facts: Any) -> None:
        """Append a line; never raises. Addresses are masked in everything, and so are the secrets of the environment."""
        now = self.clock.now().astimezone(UTC)
        line = {"at": now.isoformat(timespec="milliseconds"), "level": level, "event": event, "run": run}
        told = {
            key: value
            for key, value in (line | {"text": text, "pid": os.getpid()} | facts).items()
            if value != ""
        }
        safe = _masked(told)
        _LOGGER.log(logging.getLevelName(level.upper()), "%s", safe["text"], extra={"icx": safe})
        with suppress(OSError):
            self._append(f"{now:%Y-%m-%d}", json.dumps(safe, ensure_ascii=False, default=str) + "\n")

    def failed(self, error: BaseException, *, run: str = "", what: str = "") -> None:
        """Append what went wrong: the four parts of an error of icx; of any other where in the code it was.

        An error that goes through several runs is told once, by the innermost.
        """
        if getattr(error, "_logged", False):
            return
        with suppress(AttributeError):
            error._logged = True  # type: ignore[attr-defined]
        before = f"{what}: " if what else ""
        if isinstance(error, IcxError):
            level = "warning" if isinstance(error, NeedsYou | Stopped) else "error"
            parts = {"code": error.code, "where": error.where_text(), "kept": error.kept, "next": error.next}
            self.write(level, "error", f"{before}{error.message} [{error.code}]", run=run, **parts)
            return
        if not isinstance(error, Exception):
            self.write("warning", "stopped", f"{before}stopped from outside", run=run)
            return
        frames = [
            f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_tb(error.__traceback__)
        ]
        # A database's error quotes the value it could not take: that may be a person's.
        message = _QUOTED.sub("'…'", str(error))
        said = f"{before}icx itself went wrong: {type(error).__name__}: {message}"
        self.write("error", "bug", said[:2_000], run=run, trace=frames[-40:])

    def read(
        self, *, runs: Collection[str] | None = None, level: str = "debug", since: datetime | None = None
    ) -> Iterator[Line]:
        """Yield lines from the oldest on: of these runs, of at least this level, from this moment (aware) on."""
        least = LEVELS.index(level)
        for path in self.files():
            if since is not None and path.name[:10] < f"{since.astimezone(UTC):%Y-%m-%d}":
                continue
            with suppress(OSError), path.open(encoding="utf-8", errors="replace") as lines:
                for text in lines:
                    line = _line(text)
                    if line is None or LEVELS.index(line.level) < least:
                        continue
                    if (runs is None or line.run in runs) and (since is None or line.at >= since):
                        yield line

    def files(self) -> list[Path]:
        """Return the log's files, the oldest first."""
        found = [
            (match[1], int(match[2] or 1), path)
            for path in self.folder.glob("*.jsonl")
            if (match := _FILE.fullmatch(path.name))
        ]
        return [path for *_, path in sorted(found)]

    def _append(self, day: str, line: str) -> None:
        private.folder(self.folder)
        part = 1
        while (
            path := self.folder / f"{day}{'' if part == 1 else f'-{part}'}.jsonl"
        ).exists() and path.stat().st_size > PART:
            part += 1
        # One write of a file that is open for appending: lines of several processes do not mix.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode("utf-8", "replace"))
        finally:
            os.close(handle)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        for name in _SECRETS:
            secret = os.environ.get(name)
            if secret:
                value = value.replace(secret, f"({name})")
        return mask.plain(mask.addresses_in(value))
    if isinstance(value, dict):
        return {str(key): _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list | tuple) else value


def _line(text: str) -> Line | None:
    """Return a line of the file; None for one that was cut off as it was written."""
    try:
        told = json.loads(text)
        at, level = datetime.fromisoformat(told.pop("at")), told.pop("level")
        if level not in LEVELS:
            return None
        return Line(at, level, told.pop("event"), told.pop("text"), told.pop("run", ""), told)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
