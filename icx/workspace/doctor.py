"""What is wrong, found step by step: the login tried anew, then everything icx itself needs on this machine.

Looking changes nothing; each finding is a value. `bundle` packs them for somebody who is asked to help.
"""

from __future__ import annotations

import platform
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from icx.connections.diagnosis import STEPS, Step
from icx.errors import IcxError
from icx.look import page
from icx.look.page import Html, Kind
from icx.store import private
from icx.words import counted

if TYPE_CHECKING:
    from icx.connections.saved import SavedConnection
    from icx.workspace.workspace import Workspace

SHORT_OF_ROOM = 2**30  # bytes free on the disk below which a pull or a build may fail
Next = Sequence[str] | str


@dataclass(frozen=True)
class Finding:
    """One thing looked at: good, worth a word, or bad; `next` is what to type (an argument list) or to do."""

    name: str
    state: Literal["good", "warn", "bad"]
    text: str
    next: Next = ""


@dataclass(frozen=True)
class Login:
    """How a connection's login fared: its five steps, and what to type when one of them refused.

    What is no account has one step: whether it can be read.
    """

    connection: str
    steps: Sequence[Step]
    code: str = ""
    where: str = ""
    next: Next = ""

    @property
    def good(self) -> bool:
        return not self.code

    @property
    def said(self) -> str:
        """In one line, with the step that refused and those that were not tried.

        >>> from icx.connections.diagnosis import Step
        >>> tried = [Step("service", "good", ""), Step("login", "refused", "401")]
        >>> rest = [Step(name, "not tried", "") for name in ("account", "folder", "rights")]
        >>> Login("acme", [*tried, *rest], "login-refused").said
        'the login is refused (step 2 of 5; account, folder, rights not tried)'
        """
        if len(self.steps) == 1:
            return self.steps[0].text
        if self.good:
            return "the login is good, all five steps"
        at = next((place for place, step in enumerate(self.steps) if step.state in {"refused", "asks"}), 0)
        rest = [step.name for step in self.steps if step.state == "not tried"]
        after = f"; {', '.join(rest)} not tried" if rest else ""
        return f"{_REFUSED[STEPS[at]]} (step {at + 1} of {len(STEPS)}{after})"


_REFUSED = {
    "service": "iContact does not answer",
    "login": "the login is refused",
    "account": "the account is not one this login sees",
    "folder": "the client folder is not one this login sees",
    "rights": "a right is missing",
}


@dataclass(frozen=True)
class Examined:
    """What `icx doctor` found. `bundle` is the file for somebody who helps, when one was written."""

    at: datetime
    logins: Sequence[Login]
    here: Sequence[Finding]
    bundle: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def needs(self) -> list[tuple[str, Next]]:
        """What needs somebody, worst first: (what, what to type)."""
        refused = [(f"{one.connection}: {one.said}", one.next) for one in self.logins if not one.good]
        order = {"bad": 0, "warn": 1}
        found = sorted((one for one in self.here if one.state != "good"), key=lambda one: order[one.state])
        return refused + [(f"{one.name}: {one.text}", one.next) for one in found]

    @property
    def bad(self) -> bool:
        return any(not one.good for one in self.logins) or any(one.state == "bad" for one in self.here)

    def __repr__(self) -> str:
        needs = self.needs
        return f"Examined({needs[0][0] if needs else 'nothing needs you'})"

    def _repr_html_(self) -> str:
        parts: list[object] = []
        for one in self.logins:
            state = page.pill("ok" if one.good else "bad", one.said)
            rows = [(step.name, page.pill(_KINDS[step.state], step.state), step.text) for step in one.steps]
            parts.append(
                page.panel(one.connection, page.table(("step", "state", "what was seen"), rows), right=state)
            )
        rows = [
            (one.name, page.pill(_KINDS[one.state], one.state), page.join(one.text, _typed(one.next)))
            for one in self.here
        ]
        parts.append(page.panel("This machine", page.table(("what", "state", "what was seen"), rows)))
        if self.bundle is not None:
            parts.append(page.note("", "Bundle without secret or address", str(self.bundle)))
        return str(page.root(page.head("Doctor"), *parts, name="Doctor"))

    def as_dict(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "logins": [
                {
                    "connection": one.connection,
                    "good": one.good,
                    "code": one.code or None,
                    "where": one.where or None,
                    "steps": [asdict(step) for step in one.steps],
                    "next": one.next or None,
                }
                for one in self.logins
            ],
            "here": [asdict(one) for one in self.here],
            "bundle": None if self.bundle is None else str(self.bundle),
        } | self.facts


_KINDS: dict[str, Kind] = {
    "good": "ok",
    "refused": "bad",
    "asks": "warn",
    "not tried": "",
    "bad": "bad",
    "warn": "warn",
}


def _typed(what: Next) -> Html | str:
    return page.tag("div", page.code(what if isinstance(what, str) else " ".join(what))) if what else ""


def examine(
    ws: Workspace, name: str | None = None, *, run: str | None = None, bundle: bool = True
) -> Examined:
    """Try the login of one connection (without a name of each), look at this machine, and write the bundle.

    `run` says which run's calls go into the bundle; without one those of the newest that failed do. Nothing else is
    written. What cannot be looked at because it is broken is a finding, not an error.
    """
    from icx.workspace import bundle as packing

    first = _seen(_wall, ws)  # before anything opens the workspace, which closes it to others
    logins = [_login(ws, one) for one in ([name] if name is not None else ws.accounts.connections.names())]
    found = Examined(
        ws.clock.now(), logins, [first, *(_seen(look, ws) for look in LOOKS)], facts={"versions": versions()}
    )
    return replace(found, bundle=packing.write(ws, found, run)) if bundle else found


def _login(ws: Workspace, name: str) -> Login:
    from icx.connections.diagnosis import verify

    try:
        saved = ws.accounts.connections.load(name)
        if not saved.pulled or saved.kind == "mailchimp":
            return _read(ws, saved)
        found = verify(
            ws.accounts.login(saved),
            account=saved.account_id,
            folder=saved.client_folder_id,
            contacts_only=saved.contacts_only,
            name=saved.name,
            clock=ws.clock,
        )
    except IcxError as error:
        if error.code == "connection-unknown":
            raise
        steps = [Step(**step) for step in error.data.get("steps", [])]
        if not steps:  # the login could not even be read: no step was tried
            steps = [Step(step, "not tried", error.message if step == STEPS[0] else "") for step in STEPS]
        return Login(name, steps, error.code, error.where_text(), error.next[0] if error.next else "")
    return Login(saved.name, found.steps)


def _read(ws: Workspace, saved: SavedConnection) -> Login:
    what = "audience" if saved.pulled else "table"
    try:
        found = ws.accounts.system(saved).verify()
        told = "the key is good, the audience is there"
        if not saved.pulled:
            told = f"can be read, {counted(found.rows, 'row')}"
    except IcxError as error:
        step = error.next[0] if error.next else ""
        return Login(saved.name, [Step(what, "refused", error.message)], error.code, error.where_text(), step)
    return Login(saved.name, [Step(what, "good", told)])


# --- this machine -----------------------------------------------------------------------------------------------------


def versions() -> dict[str, str]:
    """Return what icx runs on."""
    packages = (
        "icx",
        "duckdb",
        "pandas",
        "pyarrow",
        "great-expectations",
        "requests",
        "jupyterlab",
        "anywidget",
    )
    return {"python": platform.python_version(), "system": platform.platform()} | {
        name: version(name) for name in packages
    }


def _seen(look: Callable[[Workspace], Finding], ws: Workspace) -> Finding:
    try:
        return look(ws)
    except IcxError as error:
        said = f"{error.message} {error.where_text()}".strip()
        return Finding(look.__name__.strip("_"), "bad", said, error.next[0] if error.next else "")
    except Exception as error:
        return Finding(look.__name__.strip("_"), "bad", f"could not be looked at: {type(error).__name__}")


def _settings(ws: Workspace) -> Finding:
    given = ws.layout.settings.exists()
    return Finding(
        "settings", "good", f"zone {ws.settings.zone}" + ("" if given else ", no icx.toml: the defaults")
    )


def _database(ws: Workspace) -> Finding:
    from icx.store.migrate import newest

    path = ws.layout.database
    if not path.exists():
        return Finding("database", "good", "none yet; the first pull makes it")
    with ws.store.open() as con:
        ((people,),) = con.execute("select count(*) from shared.connections").fetchall()
    size = path.stat().st_size
    return Finding("database", "good", f"{_size(size)}, version {newest()}, {counted(people, 'connection')}")


def _journal(ws: Workspace) -> Finding:
    """What was sent is remembered here; it is read whole, as SQLite itself checks a file."""
    path = ws.layout.journal
    if not path.exists():
        return Finding("journal", "good", "none yet; the first pull makes it")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as con:
            ((said,),) = con.execute("pragma quick_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        step = f"move {path.name} away, then icx restore newest: it brings the backup's back"
        return Finding("journal", "bad", f"{path.name} is damaged: {said}", step)
    return Finding("journal", "good", f"{_size(path.stat().st_size)}, whole")


def _room(ws: Workspace) -> Finding:
    place = ws.layout.data if ws.layout.data.exists() else ws.layout.root
    free = shutil.disk_usage(place).free
    if free < SHORT_OF_ROOM:
        return Finding("room", "bad", f"{_size(free)} free; a pull or a build needs more", ["icx", "tidy"])
    return Finding("room", "good", f"{_size(free)} free")


def _folder(ws: Workspace) -> Finding:
    import os

    place = ws.layout.data if ws.layout.data.exists() else ws.layout.root
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding(
            "folder", "bad", f"{place} cannot be written to", "--workspace elsewhere, then the same command"
        )
    return Finding("folder", "good", "can be written to")


def _wall(ws: Workspace) -> Finding:
    """Whether anybody else on this machine could read what is kept; what could be closed is closed now."""
    data = ws.layout.data
    found = private.close(data)
    left = private.wide(data)
    if left:
        why = f"{counted(len(left), 'place')} in {data} open to others, not yours to close, such as {left[0].name}"
        return Finding("owner", "bad", why, f"let their owner say chmod -R go= {shlex.quote(str(data))}")
    if found:
        names = ", ".join(sorted(path.name for path in found)[:3])
        why = f"{counted(len(found), 'place')} in {data} could be read by others ({names}); closed now"
        secret = any(path.parent == data / "secrets" for path in found)
        step = "change the API password if others use this machine" if secret else ""
        return Finding("owner", "warn", why, step)
    return Finding("owner", "good", "nobody else reads what is kept here")


def _secrets(ws: Workspace) -> Finding:
    secrets = ws.accounts.connections.secrets
    kept = sorted(secrets.directory.glob("*.json")) if secrets.directory.exists() else []
    keyring = "keyring opens" if secrets.works() else "no keyring"
    files = f"; {counted(len(kept), 'file')} only you can read" if kept else ""
    return Finding("secrets", "good", keyring + files)


def _plans(ws: Workspace) -> Finding:
    unfinished = [plan for plan in ws.plans() if plan.state == "applying"]
    if not unfinished:
        return Finding("plans", "good", "none is unfinished")
    words = ", ".join(plan.plan_id for plan in unfinished)
    return Finding("plans", "warn", f"{words} not finished", ["icx", "apply", unfinished[0].plan_id])


def _runs(ws: Workspace) -> Finding:
    failed = last_failed(ws)
    if failed is None:
        return Finding("runs", "good", "the newest of each kind ended well")
    said = str(failed.detail.get("message") or failed.detail.get("code") or failed.state)
    return Finding("runs", "warn", f"{failed.run} ({failed.verb} {failed.what}) {failed.state}: {said}")


def last_failed(ws: Workspace) -> Any:
    """Return the newest run that failed or was cut off and that no later one of its kind made good; None if none."""
    seen: set[tuple[str, str]] = set()
    for run in ws.journal.runs(limit=200):
        if run.state == "running" or (run.verb, run.what) in seen:
            continue
        seen.add((run.verb, run.what))
        if run.state in {"failed", "cut off"}:
            return run
    return None


LOOKS = (_settings, _folder, _room, _database, _journal, _secrets, _plans, _runs)


def lines(found: Examined) -> Iterator[str]:
    """Yield what people read on a terminal."""
    for one in found.logins:
        yield f"{one.connection}: {one.said}"
        for number, step in enumerate(one.steps, 1):
            if step.state != "not tried":
                word = step.state if step.state == "good" else step.state.upper()
                yield f"  {number} {step.name:<9}{word:<9}{step.text}"
        if one.where:
            yield f"    {'where':<18}{one.where}"
    for each in found.here:
        yield f"  {each.name:<11}{each.state if each.state == 'good' else each.state.upper():<9}{each.text}"
    yield "icx {icx} · Python {python} · DuckDB {duckdb}".format(**found.facts["versions"])


def _size(count: int) -> str:
    """Return a size in bytes as people read it.

    >>> _size(512), _size(1_900_000), _size(210_000_000_000)
    ('1 kB', '1.9 MB', '210 GB')
    """
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if count >= least:
            return f"{count / least:.1f} {unit}" if count < 100 * least else f"{count / least:,.0f} {unit}"
    return f"{max(1, round(count / 1000))} kB"
