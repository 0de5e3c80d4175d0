"""The command connect: asks what is missing, tries the login, saves nothing on a doubt."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from icx.cli.common import Obj, command, workspace
from icx.cli.connect_mailchimp import connect_mailchimp
from icx.cli.connect_table import connect_table
from icx.cli.console import Console
from icx.cli.options import Options
from icx.cli.progress import reporter
from icx.cli.result import Result
from icx.connections.base import LINK, PATH
from icx.errors import IcxError, NeedsYou

if TYPE_CHECKING:
    from icx.connections.login import Login
    from icx.connections.saved import SavedConnection
    from icx.http import Secret
    from icx.workspace import Workspace
    from icx.workspace.accounts import Connected


@command(
    "connect",
    "Save a login after trying it, to iContact or Mailchimp, or a table; --update gives a saved one new credentials.",
    "icx connect northwind",
    "icx connect crm --table crm.csv --identity email",
)
@click.argument("name", required=False)
@click.option("--base-url", help="The service's address, if not iContact's own.")
@click.option("--app-id", help="The application's id: yours, or one somebody gave you.")
@click.option("--username", help="Your login e-mail.")
@click.option("--account", type=int, help="The account's id, when the login sees several.")
@click.option("--folder", type=int, help="The client folder's id, when the account has several.")
@click.option("--contacts-only", is_flag=True, help="Go on where opens and clicks may not be read.")
@click.option(
    "--table", help="A table instead: FILE.csv, FILE.parquet, FILE.duckdb#TABLE or DATABASE-URL#TABLE."
)
@click.option("--identity", help="The table's column that tells its rows apart.")
@click.option("--email", help="The table's column of addresses; guessed if not named, and shown.")
@click.option(
    "--writable", default="", help="The table's columns icx may write, as A,B; * for all, none if not given."
)
@click.option("--mailchimp", is_flag=True, help="An audience of Mailchimp instead; its key is asked for.")
@click.option("--audience", help="Mailchimp's audience by its name or id, when the account has several.")
@click.option("--oauth", metavar="CLIENT_ID", help="Open Mailchimp by its owner's leave and not by a key.")
@click.option("--description", help="A note for yourself.")
@click.option("--default", is_flag=True, help="Make it the connection that commands without a name mean.")
@click.option("--update", is_flag=True, help="Give new credentials to a saved connection.")
@click.option(
    "--reset", is_flag=True, help="Let it point at another account or folder; what was pulled is dropped."
)
def connect(
    obj: Obj,
    name: str | None,
    base_url: str | None,
    app_id: str | None,
    username: str | None,
    account: int | None,
    folder: int | None,
    contacts_only: bool,
    table: str | None,
    identity: str | None,
    email: str | None,
    writable: str,
    mailchimp: bool,
    audience: str | None,
    oauth: str | None,
    description: str | None,
    default: bool,
    update: bool,
    reset: bool,
) -> Result:
    options, console = obj
    ws = workspace(obj)
    kind = "table" if table else "mailchimp" if mailchimp or audience or oauth else "icontact"
    if name is None:
        kind = kind if kind != "icontact" else _kind(console)
        name = console.ask(
            "A short name, as you will type it later    ",
            missing=_missing("a name", ["icx", "connect", "acme"]),
        ).strip()
    if kind == "table":
        table = table or console.ask(
            "Which table? (file, or database address#table)  ",
            missing=_missing("a table", ["icx", "connect", name, "--table", "crm.csv"]),
        )
        return connect_table(ws, console, name, table, identity, email, writable, description)
    old = next((one for one in ws.accounts.connections.all() if one.name == name), None)
    if old is not None and old.kind == "mailchimp" and (update or reset):
        kind = "mailchimp"
    if kind == "mailchimp":
        return connect_mailchimp(
            ws, console, options, name, audience=audience, client_id=oauth, base_url=base_url,
            description=description, default=default, update=update, reset=reset,
        )  # fmt: skip
    fresh = any((base_url, app_id, username, account, folder, contacts_only, update, reset))
    if old is not None and default and not fresh:
        return _made_default(ws, old, description)
    form = _Form(ws, console, name, old, base_url, app_id, username)
    login = form.login(update=update)
    if reset:
        confirm_reset(console, options, name)
    chosen: dict[str, int | bool | None] = {
        "account": account,
        "folder": folder,
        "contacts_only": contacts_only,
    }
    while True:
        try:
            done = ws.accounts.connect(
                name,
                login,
                account=chosen["account"],
                folder=chosen["folder"],
                contacts_only=bool(chosen["contacts_only"]),
                description=description,
                default=default,
                reset=reset,
                on_wait=reporter(console, name, ws.settings.tz),
            )
            break
        except IcxError as question:
            if question.code == "login-refused" and console.interactive:
                login = form.again(login, question)
            else:
                chosen |= _answer(console, question)
    return _saved(done, form.notes)


def _saved(done: Connected, notes: list[str]) -> Result:
    saved = done.saved
    place = {
        "keyring": "in the system keyring",
        "file": f"in data/secrets/{saved.name}.json, readable by you alone",
    }.get(done.place or "", "kept where it was")
    text = (
        f"Login accepted: {saved.company} ({saved.account_id}) › {saved.folder_name} ({saved.client_folder_id})\n"
        f"Saved {saved.name}{', contacts only' if saved.contacts_only else ''}; the password is {place}. "
        f"Next: icx pull {saved.name}"
    )
    return Result("connect/1", text, _facts(saved) | {"secret_in": done.place, "notes": notes})


def _made_default(ws: Workspace, saved: SavedConnection, description: str | None) -> Result:
    kept = replace(saved, description=saved.description if description is None else description)
    ws.accounts.make_default(kept)
    return Result(
        "connect/1",
        f"{saved.name} is what commands without a name mean now. Next: icx status",
        _facts(kept) | {"secret_in": None, "notes": []},
    )


def _facts(saved: SavedConnection) -> dict[str, object]:
    return {
        "connection": saved.name,
        "account_id": saved.account_id,
        "client_folder_id": saved.client_folder_id,
        "company": saved.company,
        "folder": saved.folder_name,
        "contacts_only": saved.contacts_only,
    }


class _Form:
    """The values of a login: from options, the saved connection, the environment, and questions."""

    def __init__(
        self,
        ws: Workspace,
        console: Console,
        name: str,
        old: SavedConnection | None,
        base_url: str | None,
        app_id: str | None,
        username: str | None,
    ) -> None:
        from icx.icontact import PRODUCTION

        self.console, self.name, self.old = console, name, old
        self.base_url = base_url or (old.base_url if old else PRODUCTION)
        self.app_id = app_id or os.environ.get("ICX_APP_ID")
        self.username = username or (old.username if old else None)
        self.notes: list[str] = []
        self.known: Login | None = None
        if old is not None:
            try:
                self.known = ws.accounts.connections.login(old)
            except IcxError:
                self.known = None  # what is not known is asked for

    def login(self, *, update: bool) -> Login:
        """Return the login, asking for what nobody has said."""

        from icx.http import Secret

        app_id: str | Secret | None = self.app_id or (self.known.app_id if self.known else None)
        app_id = app_id or self._ask_app_id()
        user = self.username or self._ask(
            "User name         ", "a user name", "--username", "you@example.com"
        )
        password = Secret(os.environ.get("ICX_PASSWORD", ""))
        if not password and self.known is not None and not update:
            password = self.known.password
        return self._clean(app_id, user, password or self._ask_password(), self.base_url)

    def again(self, login: Login, refused: IcxError) -> Login:
        """Ask which of the three values to type again, since iContact does not say which is wrong."""
        self.console.note(
            "  iContact answers, but refused this login (401). It does not say which is wrong; likeliest first:"
        )
        self.console.note(
            "    1 API password: the application's, not your login's   2 user name: your login e-mail"
        )
        self.console.note(f"    3 application id: one you were given counts once it is enabled at {LINK}")
        which = self.console.ask(
            "  Nothing was saved. Change which? (1, 2, 3)   ", missing=lambda: refused
        ).strip()
        if which == "1":
            return self._clean(login.app_id, login.username, self._ask_password(), login.base_url)
        if which == "2":
            user = self._ask("User name         ", "a user name", "--username", "you@example.com")
            return self._clean(login.app_id, user, login.password, login.base_url)
        if which == "3":
            return self._clean(self._ask_app_id(), login.username, login.password, login.base_url)
        raise refused

    def _clean(self, app_id: str | Secret, user: str, password: Secret, base_url: str) -> Login:
        """Return the login without what was pasted along, and say what was taken off."""
        from icx.connections.login import Login

        login = Login.clean(app_id, user, password, base_url)
        for note in login.notes:
            self.console.note(f"  {note}")
            self.notes.append(note)
        return login

    def _ask_app_id(self) -> str:
        self.console.note(f"  In iContact: {PATH}")
        self.console.note(f"  An id somebody gave you counts once it is enabled at {LINK}")
        return self._ask("Application id    ", "an application id", "--app-id", "THE-ID")

    def _ask_password(self) -> Secret:
        from icx.http import Secret

        missing = NeedsYou(
            "needs-answer",
            "A password is needed, and there is no terminal to ask.",
            where="`ICX_PASSWORD` is not set",
            kept="nothing was saved or picked for you",
            next=["set ICX_PASSWORD to the application's password, or use a terminal; then the same command"],
        )
        return Secret(self.console.ask("API password      ", hidden=True, missing=lambda: missing))

    def _ask(self, question: str, what: str, option: str, example: str) -> str:
        return self.console.ask(
            question, missing=_missing(what, ["icx", "connect", self.name, option, example])
        )


def _kind(console: Console) -> str:
    """Let the kind of system be picked from a list that narrows as one types."""
    from icx.connections.opening import KINDS

    offered = {name: kind for name, kind in KINDS.items() if name != "sandbox"}  # icx demo makes one
    while True:
        typed = console.ask(
            "Connect what? (type to search)             ",
            missing=_missing("a name", ["icx", "connect", "acme"]),
        )
        word = typed.strip().lower()
        found = [
            kind for name, kind in offered.items() if word in f"{name} {kind.label} {kind.words}".lower()
        ]
        if found:
            console.note(f"  {found[0].label}")
            return found[0].name
        console.note(f"  There is: {', '.join(kind.label for kind in offered.values())}")


def _answer(console: Console, question: IcxError) -> dict[str, int | bool | None]:
    """Turn a question of the verification into an answer typed by a person, or pass it on."""
    if not console.interactive:
        raise question
    if question.data.get("contacts_only"):
        answer = console.ask(
            f"  {question.message} Go on with contacts only? [y/N] ", missing=lambda: question
        )
        if answer.strip().lower() in {"y", "yes"}:
            return {"contacts_only": True}
        raise question
    choices = question.data.get("choices")
    if "choose" not in question.data or not isinstance(choices, list):
        raise question
    which = str(question.data["choose"])
    console.note(f"  {question.message}")
    for number, choice in enumerate(choices, 1):
        console.note(f"  {number} {choice['name']} ({choice['id']})")
    answer = console.ask(f"  Which {which}? (1–{len(choices)}) ", missing=lambda: question).strip()
    ids = {str(number): int(choice["id"]) for number, choice in enumerate(choices, 1)}
    ids |= {str(choice["id"]): int(choice["id"]) for choice in choices}
    if answer not in ids:
        raise question
    return {which: ids[answer]}


def confirm_reset(console: Console, options: Options, name: str) -> None:
    """Have the name typed before what was pulled under it is dropped."""
    question = NeedsYou(
        "needs-answer",
        f"What was pulled as {name} is dropped when it points at another folder; consent facts always stay.",
        where="--reset asks first, and there is no answer yet",
        kept="nothing was saved or dropped",
        next=[["icx", "connect", name, "--reset", "--confirm", f"reset={name}"]],
    )
    answer = options.confirm.get("reset")
    if answer is None:
        if console.interactive:
            console.note(f"  {question.message}")
        answer = console.ask(f"  Type {name} to go on: ", missing=lambda: question)
    if answer.strip() != name:
        raise question


def _missing(what: str, step: list[str]) -> Callable[[], NeedsYou]:
    return lambda: NeedsYou(
        "needs-answer",
        f"{what[0].upper()}{what[1:]} is needed, and there is no terminal to ask.",
        where="icx connect",
        kept="nothing was saved or picked for you",
        next=[step],
    )
