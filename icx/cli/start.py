"""Commands to begin with: demo, init, connect, sandbox."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from icx.cli.common import command, workspace
from icx.cli.console import Console
from icx.cli.options import Options
from icx.cli.result import Result
from icx.errors import IcxError, NeedsYou

if TYPE_CHECKING:
    from icx.connections.login import Login
    from icx.workspace import Workspace

Obj = tuple[Options, Console]
LINK = "https://app.icontact.com/icp/core/externallogin"


@command(
    "demo", "See the whole road on a simulated account on this machine.", "icx demo", "icx demo --seed 7"
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--contacts", default=10_412, show_default=True, help="How many contacts the account has.")
@click.option("--messages", default=96, show_default=True, help="How many messages were sent in two years.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another account.")
def demo(obj: Obj, folder: Path | None, contacts: int, messages: int, seed: int) -> Result:
    from icx.cli.demo import show

    options, console = obj
    given = options.workspace if options.workspace != Path() else Path("demo")
    return show(console, options, folder or given, contacts=contacts, messages=messages, seed=seed)


@command(
    "init", "Lay out a workspace in a folder; what is there stays.", "icx init clients/acme", "icx init ."
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def init(obj: Obj, folder: Path | None) -> Result:
    from icx.workspace.layout import init as lay_out

    options, _ = obj
    root = folder or options.workspace
    made = lay_out(root)
    lines = [f"A workspace in {root}: {len(made)} things made, the rest was there."]
    lines += [f"  {path.relative_to(root)}" for path in made]
    lines.append(f"Next: icx connect acme{'' if root == Path() else f' --workspace {root}'}")
    return Result(
        "init/1", "\n".join(lines), {"root": str(root), "made": [str(p.relative_to(root)) for p in made]}
    )


@command(
    "connect",
    "Save a login after trying it; with --update give new credentials to a saved one.",
    "icx connect acme",
    "icx connect acme --app-id 1f3c… --username maya@example.com --account 41733 --folder 8021",
)
@click.argument("name", required=False)
@click.option("--base-url", help="The service's address, if not iContact's own.")
@click.option("--app-id", help="The application's id: yours, or one somebody gave you.")
@click.option("--username", help="Your login e-mail.")
@click.option("--account", type=int, help="The account's id, when the login sees several.")
@click.option("--folder", type=int, help="The client folder's id, when the account has several.")
@click.option("--contacts-only", is_flag=True, help="Go on where opens and clicks may not be read.")
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
    description: str | None,
    default: bool,
    update: bool,
    reset: bool,
) -> Result:
    options, console = obj
    ws = workspace(obj)
    name = name or console.ask(
        "A short name, as you will type it later    ", missing=lambda: _missing("a name", "icx connect acme")
    )
    login = _login(ws, console, name, base_url, app_id, username, update=update)
    if reset:
        _confirm_reset(console, options, name)
    given = {"account": account, "folder": folder, "contacts_only": contacts_only}
    while True:
        try:
            done = ws.accounts.connect(
                name, login, account=given["account"], folder=given["folder"], contacts_only=bool(given["contacts_only"]),
                description=description, default=default, reset=reset,
            )  # fmt: skip
            break
        except IcxError as question:
            given |= _answer(console, question)
    for note in done.notes:
        console.note(f"  {note}")
    saved = done.saved
    place = {
        "keyring": "in the system keyring",
        "file": f"in data/secrets/{name}.json, readable by you alone",
    }.get(done.place or "", "kept where it was")
    text = (
        f"Login accepted: {saved.company} ({saved.account_id}) › {saved.folder_name} ({saved.client_folder_id})\n"
        f"Saved {name}{', contacts only' if saved.contacts_only else ''}; the password is {place}. Next: icx pull {name}"
    )
    data = {
        "connection": name,
        "account_id": saved.account_id,
        "client_folder_id": saved.client_folder_id,
        "company": saved.company,
        "folder": saved.folder_name,
        "contacts_only": saved.contacts_only,
        "secret_in": done.place,
        "notes": list(done.notes),
    }
    return Result("connect/1", text, data)


def _login(
    ws: Workspace,
    console: Console,
    name: str,
    base_url: str | None,
    app_id: str | None,
    username: str | None,
    *,
    update: bool,
) -> Login:
    """Put a login together from options, the saved connection, the environment, and questions."""
    from icx.connections.login import Login
    from icx.http import Secret
    from icx.icontact import PRODUCTION

    old = next((one for one in ws.accounts.connections.all() if one.name == name), None)
    known: Login | None = None
    if old is not None:
        try:
            known = ws.accounts.connections.login(old)
        except IcxError:
            known = None
    environment = os.environ
    fresh_id = app_id or environment.get("ICX_APP_ID")
    fresh_password = environment.get("ICX_PASSWORD")
    if not fresh_id and not known:
        console.note(
            "  In iContact: Settings and Billing › iContact Integrations › Custom API Integrations › Create"
        )
        console.note(f"  An id somebody gave you counts once it is enabled at {LINK}")
        fresh_id = console.ask(
            "Application id    ",
            missing=lambda: _missing("an application id", f"icx connect {name} --app-id …"),
        )
    user = username or (old.username if old else None)
    if not user:
        user = console.ask(
            "User name         ", missing=lambda: _missing("a user name", f"icx connect {name} --username …")
        )
    if not fresh_password and (update or known is None):
        fresh_password = console.ask(
            "API password      ",
            hidden=True,
            missing=lambda: _missing("a password", "set ICX_PASSWORD, or use a terminal"),
        )
    secret = Secret(fresh_password) if fresh_password else known.password if known else Secret("")
    identity = Secret(fresh_id) if fresh_id else known.app_id if known else Secret("")
    return Login.clean(identity, user, secret, base_url or (old.base_url if old else PRODUCTION))


def _answer(console: Console, question: IcxError) -> dict[str, int | bool]:
    """Turn a question of the verification into an answer typed by a person, or pass it on."""
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
    if answer not in ids:
        raise question
    return {which: ids[answer]}


def _confirm_reset(console: Console, options: Options, name: str) -> None:
    question = NeedsYou(
        "needs-answer",
        f"What was pulled as {name} is dropped when it points at another folder; consent facts always stay.",
        where="no terminal to ask",
        kept="nothing was saved or dropped",
        next=[f"the same command with --confirm reset={name}"],
    )
    answer = options.confirm.get("reset")
    if answer is None:
        console.note(f"  {question.message}")
        answer = console.ask(f"  Type {name} to go on: ", missing=lambda: question)
    if answer.strip() != name:
        raise question


def _missing(what: str, how: str) -> NeedsYou:
    return NeedsYou(
        "needs-answer",
        f"{what[0].upper()}{what[1:]} is needed, and there is no terminal to ask.",
        where="icx connect",
        kept="nothing was saved or picked for you",
        next=[how],
    )


@click.command(
    "sandbox",
    help="Run a simulated iContact on this machine until Ctrl-C.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def sandbox(obj: Obj, words: tuple[str, ...]) -> int:
    options, _ = obj
    from icx.sandbox.serve import main

    given = list(words) + (["--json"] if options.json else [])
    return int(main(given) or 0)
