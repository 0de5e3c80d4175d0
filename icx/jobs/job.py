"""A job: what is done, when, and who hears when it goes wrong; kept as a readable file without a secret."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from icx import mask
from icx.errors import BadInput, IcxError
from icx.jobs.schedule import check_zone, english, parse
from icx.store import shared

VERSION = 1
KINDS = ("notebook", "import", "export", "trigger", "sync")
OVERLAP = ("skip", "wait")
MISSED = ("once", "skip")
LONGEST_NAME = 80
#: What a value of a file is; the others are made into something, or compared, and say so themselves.
_OF: dict[tuple[type, str], set[str]] = {
    (str, "a text"): {
        "every",
        "zone",
        "kind",
        "notebook",
        "connection",
        "audience",
        "to",
        "stale",
        "description",
        "trigger",
        "sync",
    },
    (dict, "names with their values"): {"params", "answers"},
    (bool, "true or false"): {"contacts_only", "create"},
    (int, "a whole number"): {"retries"},
}


@dataclass(frozen=True)
class Paused:
    """Who paused a job, since when (aware, UTC), and why."""

    by: str
    since: datetime
    why: str = ""


@dataclass(frozen=True)
class Alert:
    """Who hears: a command (an argument list, run without a shell), a webhook (see `icx.notify`), or both."""

    command: tuple[str, ...] = ()
    webhook: str = ""

    def __bool__(self) -> bool:
        return bool(self.command or self.webhook)

    @property
    def ways(self) -> list[str]:
        """The names of the ways there are."""
        return [name for name, there in (("command", self.command), ("webhook", self.webhook)) if there]


NOBODY = Alert()


@dataclass(frozen=True)
class Job:
    """Something done by the clock.

    `kind` says what: a `notebook` with `params`; an `import` (pull, build, check) of `connection`; an `export`
    of `audience` to the list `to`, with the `answers` to its plan's stops given beforehand; what is due of a `trigger`; or
    a `sync` of two connections, with `answers` too.

    `every` is the schedule as it was typed, in the zone `zone`. `overlap` is what becomes of a time that comes
    while the run before is under way, `missed` of times that passed while nothing ran. A failed run is tried
    `retries` times more, first after `backoff` minutes, then after twice as long each time. `band` is how many
    people the audience may have (either end None: open), `refused_share` the share of refused rows that alerts
    (None: the workspace's). Times are aware, UTC; `counts_from` is the moment from which times count.
    """

    name: str
    kind: str
    every: str
    zone: str
    counts_from: datetime
    description: str = ""
    notebook: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    connection: str = ""
    contacts_only: bool = False
    audience: str = ""
    to: str = ""
    trigger: str = ""
    sync: str = ""
    create: bool = False
    stale: str = "stay"
    answers: Mapping[str, str] = field(default_factory=dict)
    overlap: str = "skip"
    missed: str = "once"
    retries: int = 2
    backoff: float = 5.0
    band: tuple[int | None, int | None] | None = None
    refused_share: float | None = None
    alert: Alert = NOBODY
    paused: Paused | None = None

    @property
    def cron(self) -> str:
        return parse(self.every)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def about(self) -> str:
        """What it does, in one phrase."""
        if self.kind == "import":
            return f"import {self.connection}" + (", contacts only" if self.contacts_only else "")
        if self.kind == "export":
            return f"{self.audience} to {self.to}"
        if self.kind == "trigger":
            return f"trigger {self.trigger}"
        if self.kind == "sync":
            return f"sync {self.sync}"
        return Path(self.notebook).name

    @property
    def of(self) -> str:
        """The connection it is about; empty when a notebook does not say."""
        if self.kind == "export":
            return self.to.partition("/")[0]
        return self.connection or str(self.params.get("connection") or "")

    def __repr__(self) -> str:
        return f"Job({self})"

    def __str__(self) -> str:
        return f"{self.name}: {self.about}, {english(self.cron)} ({self.zone})"

    def as_dict(self) -> dict[str, Any]:
        """Return what the file holds: this version's number, what was chosen, nothing that is the default."""
        kept: dict[str, Any] = {"icx": VERSION}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in {"name", "kind", "every", "zone"} or value != _default(one.name):
                kept[one.name] = _plain(value)
        return kept

    def choices(self) -> dict[str, Any]:
        """Return what was chosen, without who hears of it (a command may hold an address)."""
        return {
            name: value for name, value in self.as_dict().items() if name not in {"icx", "alert", "paused"}
        }


def checked(job: Job) -> Job:
    """Return a job that can be kept, its name composed; raise what is wrong with it before anything is saved."""
    from icx.notify import check_command, check_webhook

    name = check_name(job.name)
    parse(job.every)
    check_zone(job.zone)
    wrong = _choice(job)
    if wrong:
        raise bad(name, *wrong)
    if job.alert.webhook:
        check_webhook(job.alert.webhook)
    check_command(job.alert.command)
    return replace(job, name=name)


def _choice(job: Job) -> tuple[str, str] | None:
    """Return what does not go together, and what would; None when all does."""
    if job.kind not in KINDS:
        return f'"{job.kind}" is no kind of job', f"one of {', '.join(KINDS)}"
    needed = {
        "notebook": ("notebook",),
        "import": ("connection",),
        "export": ("audience", "to"),
        "trigger": ("trigger",),
        "sync": ("sync",),
    }[job.kind]
    absent = [each for each in needed if not getattr(job, each)]
    if absent:
        return f"the kind {job.kind} needs {' and '.join(absent)}", "name it, then the same command"
    if job.overlap not in OVERLAP:
        return f'overlap "{job.overlap}"', f"one of {', '.join(OVERLAP)}"
    if job.missed not in MISSED:
        return f'missed "{job.missed}"', f"one of {', '.join(MISSED)}"
    if not 0 <= job.retries <= 20 or not 0 <= job.backoff <= 24 * 60:
        return "retries are 0 to 20, the wait before the first 0 to 1,440 minutes", "--retries 2 --backoff 5"
    if job.refused_share is not None and not 0 <= job.refused_share <= 1:
        return "a share is between 0 and 1", "0.01 for 1 %"
    if job.band is not None:
        low, high = job.band
        if low is None and high is None:
            return "a band has at least one end", "--band 100:5000"
        if low is not None and high is not None and low > high:
            return f"the band {low:,} to {high:,} is empty", f"--band {high}:{low}"
        if not job.audience:
            return "a band needs the audience whose size it is about", "--audience NAME"
    return None


def check_name(name: str) -> str:
    """Return a name as it is kept: letters, digits, blanks, - and _, a letter or digit first.

    >>> check_name(" loyal weekly ")
    'loyal weekly'
    """
    kept = unicodedata.normalize("NFC", name).strip()
    if not re.fullmatch(r"[^\W_][\w -]*", kept) or len(kept) > LONGEST_NAME or kept.lower() in shared.DEVICES:
        raise BadInput(
            "job-name",
            f"A job is named with letters, digits, blanks, - and _, at most {LONGEST_NAME}, a letter first.",
            where=f'"{mask.plain(name)[:60]}"',
            kept="nothing was saved",
            next=['a name such as "loyal weekly"'],
        )
    return kept


def save(folder: Path, job: Job) -> Path:
    """Write a job's file, whole or not at all, and return its path; one of the same name is replaced."""
    job = checked(job)
    for other in names(folder):
        if other != job.name and other.casefold() == job.name.casefold():
            raise bad(job.name, f'there is a job "{other}"; upper and lower case are one', f"name it {other}")
    path = folder / f"{job.name}.json"
    text = json.dumps(job.as_dict(), indent=2, ensure_ascii=False) + "\n"
    shared.write(path, text)
    return path


def names(folder: Path) -> list[str]:
    """Return the names of the saved jobs, sorted."""
    return sorted(path.stem for path in folder.glob("*.json") if not path.name.startswith("."))


def load(folder: Path, name: str) -> Job:
    """Return a saved job (upper and lower case are one), or name the nearest."""
    wanted = unicodedata.normalize("NFC", name).strip()
    known = names(folder)
    for one in known:
        if one.casefold() == wanted.casefold():
            return read(folder / f"{one}.json")
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
    raise BadInput(
        "job-unknown",
        f'There is no job "{mask.plain(name)[:60]}".' + (f" Nearest: {', '.join(near)}." if near else ""),
        where=f"{len(known)} in data/jobs" if known else "no job is saved yet",
        kept="nothing was changed",
        next=[["icx", "schedule", "list"]],
    )


def delete(folder: Path, name: str) -> Path:
    """Delete a job and return where it was; what it did stays in the journal."""
    path = folder / f"{load(folder, name).name}.json"
    path.unlink()
    return path


def everything(folder: Path) -> tuple[list[Job], list[IcxError]]:
    """Return every job, and what is wrong with the files that hold none."""
    jobs, wrong = [], []
    for name in names(folder):
        try:
            jobs.append(read(folder / f"{name}.json"))
        except IcxError as error:
            wrong.append(error)
    return jobs, wrong


def read(path: Path) -> Job:
    """Return the job in a file; the file's name is the job's."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        shared.check_version(kept.pop("icx", VERSION), VERSION, what="job", where="")
        unknown = sorted(set(kept) - {one.name for one in fields(Job)})
        if unknown:
            raise ValueError(f"{unknown[0]} is nothing a job has")
        return checked(Job(**_typed(kept) | {"name": unicodedata.normalize("NFC", path.stem)}))
    except IcxError as error:
        error.data["job"] = path.stem
        error.where = f"data/jobs/{path.name}" + (f": {error.where_text()}" if error.where else "")
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(
            "job-file",
            "A file with a job cannot be read.",
            where=f"data/jobs/{path.name}: {mask.plain(error)}",
            kept="it does not run; nothing was changed",
            next=[f"mend {path.name}, or take it from the folder"],
            data={"job": path.stem},
        ) from None


def _typed(kept: dict[str, Any]) -> dict[str, Any]:
    """Return a file's values as a job has them."""
    found = dict(kept)
    for (kind, words), each in _OF.items():
        for name in each & set(kept):
            if not isinstance(kept[name], kind):
                raise TypeError(f"{name} is {words}")
    found["counts_from"] = datetime.fromisoformat(kept["counts_from"])
    if found["counts_from"].tzinfo is None:
        raise ValueError("counts_from has no zone")
    if kept.get("band") is not None:
        low, high = kept["band"]
        found["band"] = (None if low is None else int(low), None if high is None else int(high))
    if kept.get("alert"):
        command, webhook = kept["alert"].get("command", []), kept["alert"].get("webhook", "")
        if not isinstance(command, list) or not all(isinstance(word, str) for word in [*command, webhook]):
            raise TypeError("alert is a command, a list of words, and a webhook, a text")
        found["alert"] = Alert(tuple(command), webhook)
    if kept.get("paused"):
        paused = kept["paused"]
        found["paused"] = Paused(paused["by"], datetime.fromisoformat(paused["since"]), paused.get("why", ""))
    return found


def _default(name: str) -> Any:
    for one in fields(Job):
        if one.name == name:
            return one.default_factory() if callable(one.default_factory) else one.default
    raise KeyError(name)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Alert):
        return {
            key: each for key, each in (("command", list(value.command)), ("webhook", value.webhook)) if each
        }
    if isinstance(value, Paused):
        return {"by": value.by, "since": value.since.isoformat(), "why": value.why}
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def bad(name: str, what: str, instead: str) -> BadInput:
    """Return that a job cannot be kept as it is."""
    return BadInput(
        "job-choice",
        f'The job "{name}" cannot be kept as it is: {what}.',
        where=f"data/jobs/{name}.json",
        kept="nothing was saved",
        next=[instead],
    )
