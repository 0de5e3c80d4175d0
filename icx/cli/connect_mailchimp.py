"""The part of connect that is about Mailchimp: a key, or the leave of an account's owner; then which audience."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from icx.cli.console import Console
from icx.cli.options import Options
from icx.cli.result import Result
from icx.errors import IcxError, NeedsYou

if TYPE_CHECKING:
    from icx.http import Secret
    from icx.mailchimp import MailchimpLogin
    from icx.workspace import Workspace
    from icx.workspace.mailchimp import Joined

KEYS = "Profile › Extras › API keys"
APPS = "Profile › Extras › Registered apps"


def connect_mailchimp(
    ws: Workspace,
    console: Console,
    options: Options,
    name: str,
    *,
    audience: str | None,
    client_id: str | None,
    base_url: str | None,
    description: str | None,
    default: bool,
    update: bool,
    reset: bool,
) -> Result:
    """Ask for what is missing, try it, let the audience be picked, and save it."""
    from icx.cli.connect import confirm_reset
    from icx.workspace.mailchimp import connect

    login = _login(ws, console, name, client_id, base_url, update=update)
    if reset:
        confirm_reset(console, options, name)
    while True:
        try:
            done = connect(
                ws.accounts, name, login, audience=audience, description=description, default=default, reset=reset
            )  # fmt: skip
            return _saved(done)
        except IcxError as question:
            audience = _picked(console, question)


def _login(
    ws: Workspace, console: Console, name: str, client_id: str | None, base_url: str | None, *, update: bool
) -> MailchimpLogin:
    from icx.connections.mailchimp import login_for
    from icx.http import Secret
    from icx.mailchimp import Key

    if client_id is not None:
        return _by_leave(console, name, client_id, base_url)
    old = next((one for one in ws.accounts.connections.all() if one.name == name), None)
    typed = os.environ.get("ICX_MAILCHIMP_KEY", "")
    if old is not None and old.kind == "mailchimp" and not update and not typed:
        return login_for(old, ws.accounts.connections.secrets.load(old.name, old.secret_key))
    missing = _missing("ICX_MAILCHIMP_KEY", "the key")
    if not typed:
        console.note(
            f"  In Mailchimp: {KEYS}. A key is for an account of your own; for others: --oauth CLIENT_ID"
        )
    return Key(
        Secret(typed or console.ask("Mailchimp API key  ", hidden=True, missing=lambda: missing)), base_url
    )


def _by_leave(console: Console, name: str, client_id: str, base_url: str | None) -> MailchimpLogin:
    """Let the account's owner give leave in a browser; the code comes back to this machine, or is pasted."""
    from icx.http import Secret
    from icx.mailchimp import oauth

    asked = oauth.ask(client_id, base_url=base_url or oauth.LOGIN)
    wanted = _missing("ICX_MAILCHIMP_SECRET", "the app's client secret")
    secret: Secret = Secret(
        os.environ.get("ICX_MAILCHIMP_SECRET", "")
        or console.ask("Client secret      ", hidden=True, missing=lambda: wanted)
    )
    no_terminal = NeedsYou(
        "needs-answer",
        "The account's owner has to say yes in a browser, and there is no terminal to go on at.",
        where=asked.base_url,
        kept="nothing was saved",
        next=["the same command in a terminal"],
    )
    console.note(f"  The app's redirect address must be {asked.redirect} ({APPS})")
    console.note(f"  Open this in a browser: {asked.url}")
    try:
        listener = oauth.Listener(asked)
    except OSError:
        code = console.ask("  Paste the address the browser ended at  ", missing=lambda: no_terminal)
        return oauth.token_for(asked, secret, oauth.code_in(code, asked))
    with listener:
        code = console.ask(
            "  Enter once the page says so, or paste the address it ended at  ", missing=lambda: no_terminal
        )
        return oauth.token_for(asked, secret, oauth.code_in(code.strip() or listener.answer, asked))


def _picked(console: Console, question: IcxError) -> str:
    """Turn the question which audience into an answer typed by a person, or pass it on."""
    choices = question.data.get("choices")
    if not console.interactive or not isinstance(choices, list):
        raise question
    console.note(f"  {question.message}")
    for number, choice in enumerate(choices, 1):
        console.note(f"  {number} {choice['name']} ({choice['id']})")
    typed = console.ask(f"  Which audience? (1–{len(choices)}) ", missing=lambda: question).strip()
    ids = {str(number): str(choice["id"]) for number, choice in enumerate(choices, 1)}
    ids |= {str(choice["id"]): str(choice["id"]) for choice in choices}
    if typed not in ids:
        raise question
    return ids[typed]


def _saved(done: Joined) -> Result:
    saved = done.saved
    place = {
        "keyring": "in the system keyring",
        "file": f"in data/secrets/{saved.name}.json, readable by you alone",
    }.get(done.place or "", "kept where it was")
    lines = [
        f"Mailchimp accepted: {saved.company} › {saved.folder_name} ({saved.options['audience']})",
        *(f"  {line}" for line in done.told()),
        f"Saved {saved.name}; the key is {place}. Next: icx pull {saved.name}",
    ]
    facts = {
        "connection": saved.name,
        "kind": saved.kind,
        "company": saved.company,
        "audience": saved.options["audience"],
        "audience_name": saved.folder_name,
        "members": done.members,
        "double_optin": done.double_optin,
        "welcomes": done.welcomes,
        "fields": [{"name": column.name, "label": column.label, "required": column.required} for column in done.fields],
        "secret_in": done.place,
    }  # fmt: skip
    return Result("connect/1", "\n".join(lines), facts)


def _missing(variable: str, what: str) -> NeedsYou:
    return NeedsYou(
        "needs-answer",
        "A secret is needed, and there is no terminal to ask.",
        where=f"`{variable}` is not set",
        kept="nothing was saved or picked for you",
        next=[f"set {variable} to {what}, or use a terminal; then the same command"],
    )
