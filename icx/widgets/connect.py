"""The connection wizard: what to create where, three values, one live check; nothing is saved unless all is right.

It is no stock password field: those keep what is typed as state, and JupyterLab writes state into the notebook. Here
the three values travel once, in a question, and are secrets before anything else is done with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import traitlets

from icx import mask
from icx.connections.base import LINK, PATH
from icx.connections.diagnosis import STEPS, Step, Verified, contacts_in, verify
from icx.connections.login import Login
from icx.connections.saved import SavedConnection, check_name
from icx.connections.table import Seen
from icx.errors import BadInput, IcxError, NeedsYou
from icx.http import Secret
from icx.icontact import PRODUCTION
from icx.look import page
from icx.look.page import Html
from icx.widgets.base import Answer, Widget, module, told

KINDS = (
    {"kind": "icontact", "label": "iContact", "words": "e-mail marketing service; its API 2.x"},
    {
        "kind": "sandbox",
        "label": "A simulated iContact",
        "words": "on this machine, with made-up people; nothing leaves it",
    },
    {
        "kind": "mailchimp",
        "label": "Mailchimp",
        "words": "e-mail marketing service; one of its audiences, by a key",
    },
    {
        "kind": "table",
        "label": "A table",
        "words": "CSV, Parquet, DuckDB or another database: kept in step by a sync",
    },
)


class Logins(Protocol):
    """What the wizard needs of a workspace's accounts."""

    def saved(self) -> list[SavedConnection]:
        """Return the saved connections."""

    def login(self, name: str) -> Login:
        """Return the login of a saved connection."""

    def connect(self, name: str, login: Login, **chosen: Any) -> tuple[SavedConnection, Verified, str | None]:
        """Verify and save; return what was saved, what was found, and where the secrets went."""

    def simulate(self, name: str) -> SavedConnection:
        """Start a simulated account and save it."""

    def table(
        self,
        name: str,
        source: str,
        identity: str,
        *,
        email: str | None,
        writable: list[str],
        description: str | None,
    ) -> tuple[SavedConnection, Seen]:
        """Read a table once and save it; return what was seen in it."""

    def mailchimp(
        self,
        name: str,
        key: Secret,
        *,
        audience: str | None,
        base_url: str | None,
        description: str | None,
        reset: bool,
    ) -> tuple[SavedConnection, Sequence[str], str | None]:
        """Try a key and save one of its audiences; return what was saved, what is told of it, and where the key went."""

    def columns(self, source: str) -> list[str]:
        """Return the columns of a table that is not saved yet."""

    def holds(self, name: str) -> Mapping[str, int]:
        """Return how many contacts and messages are stored under a connection's name."""


class Connect(Widget):
    """The wizard in a notebook. `start` is `new`, `update` or `diagnose`; `label` names the connection meant."""

    _esm = module("connect")
    form = traitlets.Dict().tag(sync=True)

    def __init__(self, logins: Logins, label: str = "", start: str = "") -> None:
        self._logins = logins
        known = {one.name for one in logins.saved()}
        begin = start or ("update" if label in known else "new")
        form = {"kinds": list(KINDS), "link": LINK, "path": PATH, "start": begin, "label": label}
        super().__init__(form=form)

    def __repr__(self) -> str:
        names = ", ".join(one.name for one in self._logins.saved()) or "none yet"
        return f"Connect(saved: {names})"

    def static_html(self) -> Html:
        rows = [
            (one.name, f"{one.company} (#{one.account_id})", f"{one.folder_name} (#{one.client_folder_id})")
            for one in self._logins.saved()
        ]
        saved = (
            page.table(("connection", "account", "client folder"), rows)
            if rows
            else page.note("", "No connection is saved here yet.", "Run this cell, or type icx connect acme")
        )
        return page.root(page.head("Connect"), saved, name="Connect")

    # --- what the browser asks -----------------------------------------------------------------------------------

    def ask_saved(self) -> Answer:
        """Return the saved connections, user names masked."""
        return {"saved": [_plain(one) for one in self._logins.saved()]}

    def ask_simulate(self, label: str) -> Answer:
        """Start a simulated account; the label is a file's name too."""
        check_name(label)
        return {"state": "done", "saved": _plain(self._logins.simulate(label)), "steps": [], "place": None}

    def ask_table(
        self,
        label: str,
        source: str = "",
        identity: str = "",
        *,
        email: str = "",
        writable: str = "",
        description: str | None = None,
    ) -> Answer:
        """Read a table once, and save it when it can be used; `writable` names columns, as A,B or *."""
        try:
            if not label:
                raise _no_label(label)
            if not source.strip() or not identity.strip():
                raise self._what_is_missing(source.strip())
            columns = [column.strip() for column in writable.split(",") if column.strip()]
            saved, seen = self._logins.table(
                label, source.strip(), identity.strip(),
                email=email.strip() or None, writable=columns, description=description,
            )  # fmt: skip
        except IcxError as error:
            return {"state": "refused", "steps": [], "problem": told(error)}
        may = f"may be written: {', '.join(columns)}" if columns else "only read: no column may be written"
        lines = [mask.plain(line.strip()) for line in [*seen.text().splitlines(), may]]
        return {"state": "done", "saved": _plain(saved), "steps": [], "place": None, "lines": lines}

    def ask_mailchimp(
        self,
        label: str,
        key: str = "",
        *,
        base_url: str = "",
        description: str | None = None,
        audience: str | None = None,
        confirm: str = "",
    ) -> Answer:
        """Try a key of Mailchimp's, and save the audience when nothing is left to ask; `state` as of `ask_try`."""
        try:
            if not label:
                raise _no_label(label)
            if not key.strip():
                raise NeedsYou(
                    "needs-answer",
                    "The key is needed.",
                    where="the form",
                    kept="nothing was sent or saved",
                    next=["paste it as Mailchimp shows it, with its ending such as -us19; then check again"],
                )
            saved, lines, place = self._logins.mailchimp(
                label, Secret(key), audience=audience, base_url=base_url.strip() or None,
                description=description, reset=bool(confirm) and confirm == label,
            )  # fmt: skip
        except IcxError as error:
            return {**self._question(label, error), "steps": []}
        where = f"{saved.company} › {saved.folder_name} ({saved.options['audience']})"
        told = [where, *lines, f"The key is kept in {_place(saved.name, place)}."]
        return {
            "state": "done", "saved": _plain(saved), "steps": [], "place": None,
            "lines": [mask.plain(line) for line in told], "then": f'ws.pull("{saved.name}")',
        }  # fmt: skip

    def _what_is_missing(self, source: str) -> NeedsYou:
        columns = self._logins.columns(source) if source else []
        return NeedsYou(
            "needs-answer",
            "Which column tells the rows apart?" if source else "Which table?",
            where=f"its columns are {', '.join(columns)}" if source else "a file, or DATABASE#TABLE",
            kept="nothing was saved",
            next=["fill it in, then check again"],
        )

    def ask_diagnose(self, label: str) -> Answer:
        """Try a saved login again, step by step; change nothing."""
        saved = next((one for one in self._logins.saved() if one.name == label), None)
        if saved is None:
            raise _no_label(label)
        try:
            found = verify(
                self._logins.login(label),
                account=saved.account_id,
                folder=saved.client_folder_id,
                contacts_only=saved.contacts_only,
                name=label,
            )
        except IcxError as error:
            return {"state": "refused", "steps": _steps(error), "problem": told(error)}
        return {"state": "good", "steps": [asdict(step) for step in found.steps], "saved": _plain(saved)}

    def ask_try(
        self,
        label: str,
        app_id: str = "",
        username: str = "",
        password: str = "",
        *,
        base_url: str = "",
        description: str | None = None,
        account: int | None = None,
        folder: int | None = None,
        contacts_only: bool = False,
        confirm: str = "",
    ) -> Answer:
        """Check a login at once, and save it when nothing is left to ask.

        `state` is `done`, `refused` (with the problem), `choose` (an account or a folder), `contacts_only` (opens
        and clicks may not be read; going on is offered) or `other` (another account or folder than before: what
        would be dropped, and the name to type as `confirm`).
        """
        login = self._login(label, app_id, username, password, base_url)
        if not label:
            raise _no_label(label)
        chosen: dict[str, Any] = {
            "account": account,
            "folder": folder,
            "contacts_only": contacts_only,
            "description": description,
            "reset": bool(confirm) and confirm == label,
        }
        try:
            saved, found, place = self._logins.connect(label, login, **chosen)
        except IcxError as error:
            return {"notes": list(login.notes), **self._question(label, error)}
        return {
            "state": "done",
            "saved": _plain(saved),
            "steps": [asdict(step) for step in found.steps],
            "notes": list(login.notes),
            "place": _place(label, place),
        }

    def ask_size(
        self,
        label: str,
        account: int,
        folder: int,
        app_id: str = "",
        username: str = "",
        password: str = "",
        *,
        base_url: str = "",
    ) -> Answer:
        """Return how many contacts one folder to choose from has; None where this login may not read it."""
        login = self._login(label, app_id, username, password, base_url)
        return {"contacts": contacts_in(login, account, folder)}

    def _question(self, label: str, error: IcxError) -> Answer:
        steps = _steps(error)
        if error.code == "needs-answer" and "choose" in error.data:
            return {
                "state": "choose",
                "steps": steps,
                "what": error.data["choose"],
                "choices": error.data["choices"],
                "account": error.data.get("account"),
                "words": error.message,
            }
        if error.data.get("contacts_only"):
            return {"state": "contacts_only", "steps": steps, "problem": told(error)}
        if error.code == "other-account":
            return {
                "state": "other",
                "steps": steps,
                "problem": told(error),
                "holds": dict(self._logins.holds(label)),
            }
        return {"state": "refused", "steps": steps, "problem": told(error)}

    def _login(self, label: str, app_id: str, username: str, password: str, base_url: str) -> Login:
        """Return the login of the form; what was left blank is taken from the saved one."""
        known: Login | None = None
        if any(one.name == label for one in self._logins.saved()) and not (app_id and username and password):
            try:
                known = self._logins.login(label)
            except IcxError:
                known = None
        app: str | Secret = app_id or (known.app_id if known else "")
        word: str | Secret = password or (known.password if known else "")
        user = username or (known.username if known else "")
        absent = [
            words
            for words, value in (
                ("an application id", Secret(app).reveal()),
                ("a user name", user),
                ("the API password", Secret(word).reveal()),
            )
            if not value.strip()
        ]
        if absent:
            raise NeedsYou(
                "needs-answer",
                f"{' and '.join(absent)[0].upper()}{' and '.join(absent)[1:]} {'is' if len(absent) == 1 else 'are'} needed.",
                where="the form",
                kept="nothing was sent or saved",
                next=["fill it in, then check again"],
            )
        return Login.clean(app, user, word, base_url or (known.base_url if known else PRODUCTION))


def _plain(saved: SavedConnection) -> dict[str, Any]:
    return {
        "name": saved.name,
        "kind": saved.kind,
        "company": mask.plain(saved.company),
        "account_id": saved.account_id,
        "folder": mask.plain(saved.folder_name),
        "client_folder_id": saved.client_folder_id,
        "contacts_only": saved.contacts_only,
        "username": mask.address(saved.username) if saved.username else "",
        "description": mask.plain(saved.description),
    }


def _steps(error: IcxError) -> list[dict[str, Any]]:
    """Return the steps of the check; an error before the first has none of them tried."""
    found = error.data.get("steps")
    if isinstance(found, list):
        return found
    return [asdict(Step(name, "not tried", "not tried")) for name in STEPS]


def _place(name: str, place: str | None) -> str:
    """Return in words where a secret is kept."""
    kept = {"keyring": "the system keyring", "file": f"data/secrets/{name}.json, readable by you alone"}
    return kept.get(place or "", "the place where it was")


def _no_label(label: str) -> BadInput:
    return BadInput(
        "connection-name",
        f"There is no connection `{label}`." if label else "A label is needed.",
        where="label",
        kept="nothing was sent or saved",
        next=["give a short name, as you will type it later: acme"],
    )
