"""Diagnosis: try an iContact login step by step, and tell the five ways it can be wrong apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from icx import mask
from icx.clock import SYSTEM, Clock
from icx.connections.base import LINK
from icx.connections.login import Login
from icx.errors import IcxError, NeedsYou, Refused, TryLater
from icx.http import Tape
from icx.icontact import Client, Waiting

# How long a step may try again, in seconds: a person is waiting for the answer.
PATIENCE = 62.0
STEPS = ("service", "login", "account", "folder", "rights")


@dataclass(frozen=True)
class Step:
    """One step of a verification. `seconds` is None for a step that was not tried."""

    name: str
    state: Literal["good", "refused", "asks", "not tried"]
    text: str
    seconds: float | None = None


@dataclass(frozen=True)
class Verified:
    """What a login opens: the account and folder chosen, and everything it could have chosen from.

    `accounts` and `folders` are (id, name) pairs. `contacts_only` means that opens and clicks may not be read.
    """

    account_id: int
    client_folder_id: int
    company: str
    folder_name: str
    contacts_only: bool
    accounts: tuple[tuple[int, str], ...]
    folders: tuple[tuple[int, str], ...]
    steps: tuple[Step, ...]


class _Steps:
    """The steps so far, and a stop that hands them to whoever shows the error."""

    def __init__(self, clock: Clock, command: list[str]) -> None:
        self.done: list[Step] = []
        self.command = command
        self._clock = clock
        self._since = clock.monotonic()

    def add(self, state: Literal["good", "refused", "asks"], text: str) -> None:
        now = self._clock.monotonic()
        self.done.append(Step(STEPS[len(self.done)], state, text, now - self._since))
        self._since = now

    def all(self) -> tuple[Step, ...]:
        rest = [Step(name, "not tried", "not tried") for name in STEPS[len(self.done) :]]
        return (*self.done, *rest)

    def stop(self, error: IcxError, text: str, state: Literal["refused", "asks"] = "refused") -> IcxError:
        self.add(state, text)
        error.data["steps"] = [asdict(step) for step in self.all()]
        error.kept = "nothing was saved"
        return error


def verify(
    login: Login,
    *,
    account: int | None = None,
    folder: int | None = None,
    contacts_only: bool = False,
    name: str | None = None,
    clock: Clock = SYSTEM,
    tape: Tape | None = None,
    timeout: tuple[float, float] = (10, 60),
    on_wait: Callable[[Waiting], None] | None = None,
) -> Verified:
    """Try a login at once and return what it opens; save nothing.

    In order: does the service answer at all (`service-unreachable`, needs no login) · is the login taken
    (`login-refused`, `account-unpaid`) · is the account among those it sees (`account-unknown`) · the folder
    (`folder-unknown`) · may it read contacts, lists, and the events of a message (`right-missing`). Each error has the
    steps under `data["steps"]`. One account or one folder is picked; of several none is: `needs-answer` with
    `data["choices"]`. Where only opens and clicks are forbidden, `data["contacts_only"]` is true and the same call
    with `contacts_only=True` goes on. `name` is the connection's, for the commands to type next.
    """
    steps = _Steps(clock, ["icx", "connect", *([name] if name else [])])
    with Client(
        login.base_url,
        login.app_id,
        login.username,
        login.password,
        tape=tape,
        clock=clock,
        timeout=timeout,
        patience=PATIENCE,
        on_wait=on_wait,
    ) as client:
        _service(client, steps, clock)
        accounts = _accounts(client, steps)
        account_id, company = _pick_account(accounts, account, steps)
        folders = _folders(client, account_id, company, steps)
        try:
            folder_id, folder_name = _pick_folder(folders, folder, f"{account_id} ({company})", steps)
        except NeedsYou as error:
            error.data["account"] = account_id
            raise
        only = _rights(client.within(account_id, folder_id), folder_name, contacts_only, steps)
    return Verified(
        account_id,
        folder_id,
        company,
        folder_name,
        only,
        tuple((id, text) for id, (text, _) in accounts.items()),
        tuple(folders.items()),
        steps.all(),
    )


def contacts_in(login: Login, account: int, folder: int, *, clock: Clock = SYSTEM) -> int | None:
    """Return how many contacts a client folder has, by one call for one row; None where that cannot be read."""
    with Client(
        login.base_url, login.app_id, login.username, login.password, clock=clock, patience=0
    ) as client:
        try:
            return client.within(account, folder).page("contacts", limit=1).total
        except IcxError:
            return None


def _service(client: Client, steps: _Steps, clock: Clock) -> None:
    started = clock.monotonic()
    try:
        theirs = client.time()
    except IcxError as error:
        if error.code in {"answer-unreadable", "service-refused"}:
            # Something answers that is not iContact: a portal of the network, or another program's address.
            error = TryLater(
                "service-unreachable",
                "iContact does not answer.",
                where=f"GET /time at {client.base_url}: what answers there is not iContact; no login was sent",
                kept="nothing was saved",
                next=["check the address and the network, then the same command"],
            )
        elif error.code == "service-unreachable":
            error.where = f"{error.where_text().rpartition(';')[0]}; no login was sent"
            error.kept = "nothing was saved"
        raise steps.stop(error, error.message) from None
    took = clock.monotonic() - started
    apart = abs((clock.now() - theirs).total_seconds())
    clocks = (
        f", clocks differ by {apart:.0f} s" if apart < 3600 else f", clocks differ by {apart / 3600:.0f} h"
    )
    steps.add("good", f"answers in {took * 1000:.0f} ms{clocks}")


def _accounts(client: Client, steps: _Steps) -> dict[int, tuple[str, bool]]:
    try:
        rows = client.accounts()
    except IcxError as error:
        if error.code == "login-refused":
            error.next = [
                [*steps.command, "--update"],
                f"an application id somebody gave you counts once it is enabled at {LINK}",
            ]
        said = " ".join(f'"{words}"' for words in error.data.get("said", []))
        raise steps.stop(error, f"{error.message} {said}".strip()) from None
    steps.add("good", "accepted")
    return {row["accountId"]: (_company(row), row.get("enabled") is True) for row in rows}


def _company(row: dict[str, Any]) -> str:
    return mask.plain(row.get("companyName") or f"account {row['accountId']}")


def _pick_account(
    accounts: dict[int, tuple[str, bool]], wanted: int | None, steps: _Steps
) -> tuple[int, str]:
    open_ones = {id: text for id, (text, enabled) in accounts.items() if enabled}
    if wanted is not None and wanted not in accounts:
        seen = " · ".join(f"{id} {text}" for id, text in open_ones.items()) or "none"
        error = Refused(
            "account-unknown",
            f"Account {wanted} is not one this login sees.",
            where=f"it sees {seen}",
            next=[[*steps.command, "--account", str(id)] for id in list(open_ones)[:3]],
            data={"account": wanted, "choices": _choices(open_ones)},
        )
        raise steps.stop(error, f"{wanted} is not among {seen}")
    if (wanted is not None and wanted not in open_ones) or not open_ones:
        off = [wanted] if wanted is not None else list(accounts)
        shown = ", ".join(f"{id} {accounts[id][0]}" for id in off) or "none at all"
        error = Refused(
            "account-disabled",
            "iContact says that this account is switched off."
            if off
            else "This login sees no account at all.",
            where=f"account {shown}",
            next=["settle it in iContact, then the same command"],
        )
        raise steps.stop(error, f"{shown}: switched off")
    if wanted is None and len(open_ones) > 1:
        raise _ask("account", open_ones, "This login sees", steps)
    id = wanted if wanted is not None else next(iter(open_ones))
    steps.add("good", f"{open_ones[id]} ({id})" + ("" if wanted is not None else ", the only one, picked"))
    return id, open_ones[id]


def _folders(client: Client, account_id: int, company: str, steps: _Steps) -> dict[int, str]:
    try:
        rows = client.folders(account_id)
    except IcxError as error:
        raise steps.stop(error, f"the folders of {company} cannot be read: {error.message}") from None
    # Ordinary accounts name no folder.
    return {
        row["clientFolderId"]: mask.plain(row.get("name") or f"folder {row['clientFolderId']}")
        for row in rows
    }


def _pick_folder(folders: dict[int, str], wanted: int | None, account: str, steps: _Steps) -> tuple[int, str]:
    has = ", ".join(f"{id} {text}" for id, text in folders.items()) or "none"
    if (wanted is not None and wanted not in folders) or not folders:
        error = Refused(
            "folder-unknown",
            f"Folder {wanted} is not in account {account}."
            if wanted is not None
            else f"Account {account} has no client folder this login sees.",
            where=f"--folder {wanted}; this login sees {has}" if wanted is not None else "GET /a/…/c",
            next=[[*steps.command, "--folder", str(id)] for id in list(folders)[:3]]
            or ["ask the account's owner for the right to a client folder, then the same command"],
            data={"folder": wanted, "choices": _choices(folders)},
        )
        raise steps.stop(error, f"{wanted} is not among {has}")
    if wanted is None and len(folders) > 1:
        raise _ask("folder", folders, f"Account {account} has", steps)
    id = wanted if wanted is not None else next(iter(folders))
    steps.add("good", f"{folders[id]} ({id})" + ("" if wanted is not None else ", the only one, picked"))
    return id, folders[id]


def _ask(what: str, choices: dict[int, str], start: str, steps: _Steps) -> IcxError:
    shown = " · ".join(f"{id} {text}" for id, text in choices.items())
    error = NeedsYou(
        "needs-answer",
        f"{start} {len(choices)} {what}s, and none is picked for you.",
        where=shown,
        next=[[*steps.command, f"--{what}", str(id)] for id in list(choices)[:3]],
        data={"choose": what, "choices": _choices(choices)},
    )
    return steps.stop(error, f"{len(choices)} to choose from: {shown}", "asks")


def _choices(names: dict[int, str]) -> list[dict[str, Any]]:
    return [{"id": id, "name": text} for id, text in names.items()]


def _rights(client: Client, folder_name: str, contacts_only: bool, steps: _Steps) -> bool:
    """Return whether only contacts may be read; one row of each kind is asked for."""
    try:
        for resource in ("contacts", "lists"):
            _may(client, resource, folder_name)
    except IcxError as error:
        raise steps.stop(error, error.message) from None
    try:
        messages = _may(client, "messages", folder_name).rows
        if messages:
            _may(client, "opens", folder_name, messages[0]["messageId"])
    except IcxError as error:
        if error.code != "right-missing":
            raise steps.stop(error, error.message) from None
        if not contacts_only:
            error.message = f"This login may read contacts in {folder_name}, but not opens and clicks (403)."
            error.next = [
                'ask the account\'s owner for the right "analytic"',
                [*steps.command, "--update", "--contacts-only"],
            ]
            error.data["contacts_only"] = True
            raise steps.stop(error, "contacts yes, lists yes, opens and clicks no (403)") from None
        steps.add("good", "contacts yes, lists yes, opens and clicks no (403); contacts only")
        return True
    steps.add(
        "good",
        "contacts yes, lists yes, opens and clicks "
        + ("yes" if messages else "not tried: there is no message yet"),
    )
    return contacts_only


def _may(client: Client, resource: str, folder_name: str, parent: int | None = None) -> Any:
    try:
        return client.page(resource, parent=parent, limit=1)
    except IcxError as error:
        if error.code == "right-missing":
            error.message = f"This login may not read {resource} in {folder_name} (403)."
            error.where = resource if parent is None else f"messages/{parent}/{resource}"
        raise
