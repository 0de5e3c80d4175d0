"""A Mailchimp audience of a workspace: tried, saved, and opened for a pull or as a system of people."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.connections.base import Column
from icx.connections.mailchimp import Mailchimp, login_for
from icx.connections.mailchimp_source import Source
from icx.connections.saved import SavedConnection
from icx.errors import BadInput, NeedsYou, Refused
from icx.http import Pace, Secret
from icx.http.pace import Waiting
from icx.mailchimp import Client, Key, MailchimpLogin, ids
from icx.pull import reset as drop_what_was_pulled
from icx.store.names import check_name
from icx.words import counted

if TYPE_CHECKING:
    from icx.workspace.accounts import Accounts

PATIENCE = 62.0  # seconds; a person is waiting for the answer


@dataclass(frozen=True)
class Joined:
    """What was saved: the audience as it is set, its fields, and where the secret is."""

    saved: SavedConnection
    fields: Sequence[Column]
    members: int
    double_optin: bool
    welcomes: bool
    place: str | None

    def told(self) -> list[str]:
        """Return in lines what somebody should know of the audience before people are sent there."""
        needed = [column.name for column in self.fields if column.required]
        asks = (
            "asks each new member to confirm"
            if self.double_optin
            else "takes new members without asking them"
        )
        mails = ", and sends a welcome mail" if self.welcomes else ""
        return [
            f"{counted(self.members, 'subscribed member')} · it {asks}{mails}",
            f"fields: {', '.join(column.name for column in self.fields) or 'none'}"
            f"{'; needed: ' + ', '.join(needed) if needed else ''}",
        ]

    def __repr__(self) -> str:
        needed = [column.name for column in self.fields if column.required]
        asks = "new members are asked to confirm" if self.double_optin else "new members are not asked"
        return (
            f"{self.saved!r}: {self.members:,} subscribed, {len(self.fields)} fields"
            f"{', needs ' + ', '.join(needed) if needed else ''}; {asks}"
        )


def connect(
    accounts: Accounts,
    name: str,
    login: MailchimpLogin,
    *,
    audience: str | None = None,
    description: str | None = None,
    default: bool = False,
    reset: bool = False,
) -> Joined:
    """Try a key or token, choose an audience by its name or id, and save it; on any doubt nothing is saved.

    With one audience it is picked; of several none is: `needs-answer` with `data["choices"]`. A connection keeps its
    audience unless `reset` says that what was pulled of another may be dropped.
    """
    check_name(name)
    old = next((one for one in accounts.connections.all() if one.name.casefold() == name.casefold()), None)
    if old is not None and old.kind != "mailchimp":
        raise BadInput(
            "connection-name",
            f"{old.name} is another kind of connection here; an audience never takes its place.",
            where=repr(old),
            kept="nothing was saved; the connection as it was",
            next=[["icx", "connect", f"{name}-mailchimp", "--mailchimp"]],
        )
    with Client(login, clock=accounts.clock, patience=PATIENCE, timeout=(10, 60)) as client:
        client.ping()
        account = client.account()
        chosen = _chosen(name, list(client.lists()), audience or (old.options["audience"] if old else None))
        there = Mailchimp(client, str(chosen["id"]), str(chosen["name"]))
        fields = there.schema()
    fresh = SavedConnection(
        name=old.name if old else name,
        kind="mailchimp",
        base_url=login.base_url,
        account_id=ids.account(str(account["account_id"])),
        client_folder_id=ids.number(there.audience),
        company=mask.plain(str(account.get("account_name") or "Mailchimp")),
        folder_name=mask.plain(there.name),
        description=description if description is not None else old.description if old else "",
        default=default or bool(old and old.default),
        secret_key=old.secret_key if old else "",
        options={"audience": there.audience},
    )
    if old is not None and (old.account_id, old.client_folder_id) != (
        fresh.account_id,
        fresh.client_folder_id,
    ):
        if not reset:
            raise _another(old, fresh)
        drop_what_was_pulled(accounts.store, old.name, forget=True)
    if default:
        accounts.none_else_default(fresh.name)
    secret = {"mailchimp_key" if login.kind == "key" else "mailchimp_token": login.secret}
    saved, place = accounts.connections.save(fresh, secrets=secret)
    accounts.enter(saved)
    stats = chosen.get("stats") or {}
    return Joined(
        saved, fields, int(stats.get("member_count") or 0), chosen.get("double_optin") is True,
        chosen.get("has_welcome") is True, place,
    )  # fmt: skip


def login_of(
    accounts: Accounts, name: str, key: str | Secret | None, base_url: str | None = None
) -> MailchimpLogin:
    """Return the login of a key given, else of the saved connection, the environment, or what somebody types hidden."""
    if key is not None:
        return Key(key, base_url)
    old = next((one for one in accounts.connections.all() if one.name == name), None)
    if old is not None and old.kind == "mailchimp":
        return login_for(old, accounts.connections.secrets.load(old.name, old.secret_key))
    return Key(
        Secret(os.environ.get("ICX_MAILCHIMP_KEY") or getpass.getpass("Mailchimp API key  ")), base_url
    )


def client(
    accounts: Accounts,
    saved: SavedConnection,
    *,
    run: str | None = None,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Client:
    """Return a client of a saved audience; its calls go on the run's tape.

    Mailchimp counts no calls by the hour, so no budget is spent; ten at once is its limit, and the client's.
    """
    kept = accounts.connections.secrets.load(saved.name, saved.secret_key)
    made = Client(
        login_for(saved, kept),
        page_size=accounts.settings.page_size,
        pace=Pace(clock=accounts.clock),
        tape=accounts.journal().tape_sink(run) if run else None,
        clock=accounts.clock,
        on_wait=on_wait,
    )
    made.before_write = accounts.before_write
    return made


def source(accounts: Accounts, saved: SavedConnection, run: str | None) -> Source:
    """Return what a pull reads a saved audience from."""
    opened = client(accounts, saved, run=run)
    return Source(opened, saved.account_id, saved.options["audience"], accounts.erased())


def no_plan(saved: SavedConnection) -> BadInput:
    """Return that nothing of iContact's is asked of a Mailchimp audience."""
    return BadInput(
        "connection-kind",
        f"{saved.name} is an audience of Mailchimp; a plan is made for a list of iContact.",
        where=f"{saved.company} › {saved.folder_name}",
        kept="nothing was sent",
        next=["name a connection to iContact; people get into Mailchimp by a sync of the two"],
    )


def _chosen(name: str, lists: Sequence[dict[str, Any]], wanted: str | None) -> dict[str, Any]:
    names = {str(row["id"]): mask.plain(str(row.get("name"))) for row in lists}
    if wanted is not None:
        found = [row for row in lists if wanted in (row["id"], row.get("name"))]
        if len(found) == 1:
            return found[0]
        seen = " · ".join(f"{id} {text}" for id, text in names.items()) or "none"
        raise Refused(
            "mailchimp-audience",
            f"This account has {'several audiences' if found else 'no audience'} called {mask.plain(wanted)}.",
            where=f"it has {seen}",
            kept="nothing was saved",
            next=[["icx", "connect", name, "--mailchimp", "--audience", id] for id in list(names)[:3]]
            or ["make an audience in Mailchimp first"],
        )
    if len(lists) == 1:
        return lists[0]
    if not lists:
        raise Refused(
            "mailchimp-audience",
            "This account has no audience yet.",
            where="Mailchimp's lists",
            kept="nothing was saved",
            next=["make an audience in Mailchimp first, then the same command"],
        )
    raise NeedsYou(
        "needs-answer",
        f"This login sees {len(lists)} audiences.",
        where=", ".join(names),
        kept="nothing was saved or picked for you",
        next=[["icx", "connect", name, "--mailchimp", "--audience", id] for id in list(names)[:3]],
        data={"choose": "audience", "choices": [{"id": id, "name": text} for id, text in names.items()]},
    )


def _another(old: SavedConnection, fresh: SavedConnection) -> NeedsYou:
    return NeedsYou(
        "other-account",
        f"{old.name} holds {old.company} › {old.folder_name}; you gave {fresh.company} › {fresh.folder_name}. "
        "The two are never mixed.",
        where=f"audience {old.options['audience']} → {fresh.options['audience']}",
        kept="every stored contact; consent facts stay always",
        next=[
            ["icx", "connect", f"{old.name}-2", "--mailchimp"],
            ["icx", "connect", old.name, "--mailchimp", "--reset"],
        ],
    )
