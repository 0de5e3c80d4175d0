"""The support bundle: what somebody who helps has to know, with no secret and no address in it, and that is proven.

No row of a contact goes in, so nothing of a person but what slipped into a message; that is masked line by line. The
finished texts are then searched for every secret this workspace knows, in the forms it could be written in; one that
is found keeps the bundle from being written.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from icx import mask
from icx.errors import Damaged, IcxError
from icx.store import tape
from icx.store.log import Log
from icx.store.shared import write_bytes
from icx.workspace.doctor import Examined, last_failed, lines

if TYPE_CHECKING:
    from icx.workspace.workspace import Workspace

HIDDEN = "(hidden)"
RUNS, CALLS, TRACES, LOG_LINES = 100, 5_000, 3, 2_000
ENVIRONMENT = ("ICX_PASSWORD", "ICX_APP_ID")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


def write(ws: Workspace, found: Examined, run: str | None = None) -> Path:
    """Write `data/reports/doctor-….zip`, readable by its owner only, and return it.

    Raises IcxError (`bundle-unsafe`) when a secret would be in it; then nothing is written.
    """
    secrets = list(known_secrets(ws))
    texts = {name: clean(text, secrets) for name, text in parts(ws, found, run).items()}
    for name, text in texts.items():
        if not is_clean(text, secrets):
            raise IcxError(
                "bundle-unsafe",
                "The bundle would hold a secret or an address; it was not written.",
                where=name,
                kept="everything as it was",
                next=["tell what doctor printed instead; it is masked"],
            )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in texts.items():
            file.writestr(name, text)
    path = ws.layout.reports / f"doctor-{ws.clock.now():%Y%m%d-%H%M%S}.zip"
    return write_bytes(path, packed.getvalue())


def parts(ws: Workspace, found: Examined, run: str | None = None) -> dict[str, str]:
    """Return the texts of the bundle by file name; a part that cannot be read says why instead."""
    made: dict[str, Callable[[], str]] = {
        "doctor.txt": lambda: "\n".join(lines(found)),
        "doctor.json": lambda: _json(found.as_dict()),
        "settings.json": lambda: _json(_settings(ws)),
        "connections.json": lambda: _json([_connection(one) for one in ws.accounts.connections.all()]),
        "runs.json": lambda: _json([asdict(one) for one in ws.journal.runs(limit=RUNS)]),
        "calls.json": lambda: _json(_calls(ws, run)),
        "ledgers.json": lambda: _json(_ledgers(ws)),
        "plans.json": lambda: _json([plan.as_dict() for plan in ws.plans()[:20]]),
        "jobs.json": lambda: _json([(one.job.name, one.state, one.next_at) for one in ws.jobs()]),
        "files.txt": lambda: "\n".join(_files(ws.layout.data)),
        "traces.txt": lambda: "\n\n".join(_traces(ws.layout.reports)),
        "log.txt": lambda: "\n".join(_log(Log(ws.layout.logs).files()[-2:])),
    }
    return {name: _or_why(make) for name, make in made.items()}


def _or_why(make: Callable[[], str]) -> str:
    """A bundle is made when something is broken; what is broken must not keep the rest from being read."""
    try:
        return make()
    except Exception as error:
        said = f"{error.code}: {error.message}" if isinstance(error, IcxError) else type(error).__name__
        return f"could not be read: {said}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _settings(ws: Workspace) -> dict[str, Any]:
    """A command or a webhook often carries a key of its own: only whether there is one is told."""
    kept = asdict(ws.settings)
    for name in ("alert_command", "alert_webhook"):
        kept[name] = "(set)" if kept[name] else ""
    return kept


def _connection(saved: Any) -> dict[str, Any]:
    kept = {name: value for name, value in asdict(saved).items() if name not in {"secret_key", "description"}}
    return kept | {"username": mask.address(saved.username)}


def _calls(ws: Workspace, run: str | None) -> list[dict[str, Any]]:
    failed = last_failed(ws)
    which = run or (failed.run if failed is not None else None)
    if which is not None:  # of a job or a notebook the calls of what was part of it
        return [dict(row) for row in tape.read(ws.journal, ws.journal.family(which), CALLS)]
    rows = ws.journal.read(
        "select * from (select * from calls order by rowid desc limit ?) order by at", (CALLS,)
    )
    return [dict(row) for row in rows]


def _ledgers(ws: Workspace) -> dict[str, Any]:
    return {one.name: ws.ledger(one.name).as_dict() for one in ws.accounts.connections.accounts()}


def _files(folder: Path) -> Iterable[str]:
    """Every file with its mode, size and time; names of audiences and lists are names, not people."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            about = path.stat()
            when = datetime.fromtimestamp(about.st_mtime).astimezone().isoformat(timespec="seconds")
            yield f"{stat.filemode(about.st_mode)} {about.st_size:>12} {when} {path.relative_to(folder)}"


def _traces(folder: Path) -> Iterable[str]:
    """The newest traces without what an error quotes: a database's error quotes the value it could not take."""
    for path in sorted(folder.glob("trace-*.txt"))[-TRACES:]:
        yield _QUOTED.sub("'…'", path.read_text(encoding="utf-8", errors="replace"))


def _log(files: Iterable[Path]) -> Iterable[str]:
    for path in files:
        yield from path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]


# --- no secret, no address --------------------------------------------------------------------------------------------


def known_secrets(ws: Workspace, environment: Mapping[str, str] | None = None) -> Iterable[str]:
    """Yield every secret of this workspace's logins and of the environment.

    A connection whose file is damaged does not say where its secrets are, so nothing here has read them either.
    """
    given = os.environ if environment is None else environment
    yield from (given[name] for name in ENVIRONMENT if given.get(name))
    connections = ws.accounts.connections
    for name in connections.names():
        with suppress(Damaged):
            kept = connections.secrets.load(name, connections.load(name).secret_key)
            yield from [secret.reveal() for secret in kept.values()]


def _forms(secret: str) -> list[str]:
    """A secret as it may stand in a text: as it is, in an address, in JSON, in a header.

    >>> _forms("pä ss")
    ['pä ss', 'p%C3%A4%20ss', 'p\\\\u00e4 ss', 'cMOkIHNz']
    """
    raw = secret.encode("utf-8", "surrogatepass")
    forms = [
        secret,
        quote(raw, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(raw).decode().rstrip("="),
    ]
    return list(dict.fromkeys(forms))


def clean(text: str, secrets: Iterable[str]) -> str:
    """Return a text with every secret and every address in it hidden.

    >>> clean("login of ada@example.com with hunter2", ["hunter2"])
    'login of a…@e….com with (hidden)'
    """
    forms = sorted({form for secret in secrets if secret for form in _forms(secret)}, key=len, reverse=True)
    for form in forms:
        text = text.replace(form, HIDDEN)
    return mask.addresses_in(text)


def is_clean(text: str, secrets: Iterable[str]) -> bool:
    """Tell whether no secret and no address that could be written to is left in a text.

    >>> is_clean("a…@e….com", ["hunter2"]), is_clean("hunter2", ["hunter2"])
    (True, False)
    """
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    return mask.addresses_in(text) == text and not any(form in text for form in forms)
