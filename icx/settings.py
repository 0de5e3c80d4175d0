"""Settings: what a workspace may change, with the defaults that hold in an empty folder."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icx.errors import BadInput


@dataclass(frozen=True)
class Settings:
    """The workspace's `icx.toml`, or these defaults.

    `zone` is how times are shown and weeks begin. Calls are counted per application id and account.
    Shares are fractions (0.5 is 50 %). `push = false` is for a workspace that only looks: no apply makes any request.
    Runs of notebooks with their pages, reports and the tape of calls are kept `keep_days`, failed runs
    `keep_failed_days` (0: for ever), at most `keep_runs` of each notebook (0: all).
    `alert_command` (a list of words) and `alert_webhook` hear of a job that goes wrong and names nobody itself.
    """

    zone: str = "America/New_York"
    calls_per_hour: int = 10_000
    calls_per_day: int = 70_000
    page_size: int = 1_000
    threads: int = 4
    batch_size: int = 150  # as many as one read by id takes: each batch is looked at right before it leaves
    push: bool = True
    tag_filter: bool = False
    tag_text: str = "lytics-aid"
    tag_aid: str = ""
    machine_seconds: int = 10
    machine_links: int = 3
    growth_limit: float = 0.5
    removal_limit: float = 0.1
    refused_share: float = 0.01
    contact_basis: str = ""
    one_sender: tuple[tuple[str, ...], ...] = ()
    singles_limit: int = 50
    alert_command: tuple[str, ...] = ()
    alert_webhook: str = ""
    keep_days: int = 90
    keep_failed_days: int = 365
    keep_runs: int = 100

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


def read_settings(path: Path) -> Settings:
    """Return the settings in `path` (`icx.toml`), or the defaults when there is no such file."""
    if not path.exists():
        return Settings()
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, str(error)) from None
    known = {field.name: field for field in fields(Settings)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            raise _wrong(path, f"{key} is not a setting; settings are {', '.join(known)}")
        default = known[key].default
        if key == "one_sender":
            values[key] = tuple(tuple(group) for group in value)
        elif isinstance(default, tuple):
            if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
                raise _wrong(path, f'{key} = {value!r} is not a list of words such as ["mail", "ops"]')
            values[key] = tuple(value)
        elif isinstance(default, bool) != isinstance(value, bool) or not isinstance(
            value, (int, float) if isinstance(default, float) else type(default)
        ):
            raise _wrong(path, f"{key} = {value!r} is not like {default!r}")
        else:
            values[key] = value
    settings = Settings(**values)
    try:
        _ = settings.tz
    except (ZoneInfoNotFoundError, ValueError):
        raise _wrong(path, f"zone = {settings.zone!r} is not a time zone such as America/New_York") from None
    return settings


def _wrong(path: Path, text: str) -> BadInput:
    return BadInput(
        "settings",
        "The settings cannot be read as they are.",
        where=f"{path.name}: {text}",
        kept="nothing was started",
        next=[f"mend {path.name}, then the same command"],
    )
