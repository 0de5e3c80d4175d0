"""`icx sandbox` and `python -m icx.sandbox`: read the options, fill the file, serve, say where."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import sqlite3
import string
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import uvicorn
from uvicorn.protocols.http import h11_impl

from icx.sandbox import faults
from icx.sandbox.answers import EASTERN, REASONS
from icx.sandbox.app import make_app
from icx.sandbox.spare import ends_in_order, spare_folder
from icx.sandbox.state import State, Switches

DEFAULT_CONTACTS = 2_000
DEFAULT_MESSAGES = 24


@dataclass(frozen=True)
class Identity:
    """Who may log in, and which account and folder are the first."""

    app_id: str
    username: str
    password: str
    account_id: int
    client_folder_id: int


def parser() -> argparse.ArgumentParser:
    """Return the options of the sandbox."""
    p = argparse.ArgumentParser(
        prog="icx sandbox",
        description="Run a simulated iContact on this machine.",
        epilog=faults.help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = p.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0: any free port")
    add("--contacts", type=int, default=DEFAULT_CONTACTS, metavar="N")
    add("--messages", type=int, default=DEFAULT_MESSAGES, metavar="M")
    add("--seed", type=int, default=1, metavar="S", help="another seed gives another account")
    add(
        "--as-of",
        type=_moment,
        metavar="TS",
        help="the account's present, ISO 8601; its time runs on from there",
    )
    add("--state", type=Path, metavar="FILE", help="keep the account in this file and go on from it")
    add("--load", type=Path, metavar="DIR", help="serve the account in these CSV or Parquet files")
    add("--app-id", help="accept this application id only")
    add("--username")
    add("--password", help="made up: this is no real login")
    add("--account", type=int, metavar="ID")
    add("--folder", type=int, metavar="ID")
    add("--folders", type=int, default=1, metavar="N", help="client folders; all but the first are empty")
    add(
        "--accounts",
        type=int,
        default=1,
        metavar="N",
        help="accounts of this login; all but the first are empty",
    )
    add("--latency", type=int, default=0, metavar="MS")
    add("--consent", choices=("strict", "permissive"), default="strict")
    add("--html-type", action="store_true", help="JSON under text/html, as in old recordings")
    add("--listed-rule", choices=("unfiltered", "always", "never"), default="unfiltered")
    add(
        "--bulk-update",
        choices=("merge", "replace"),
        default="merge",
        help="what a POSTed row with a contactId does",
    )
    add("--tracking-limit", type=int, default=20, metavar="N", help="default limit of tracking rows")
    add("--history-limit", type=int, default=20, metavar="N", help="default limit of a contact's history")
    add("--page-size-cap", type=int, metavar="N", help="never more rows on a page than this")
    add("--deny", action="append", default=[], metavar="AREA[@FOLDER]",
        help="403 for: tracking, subscriber, creative, account, read, write or everything")  # fmt: skip
    add("--fault", action="append", default=[], metavar="ORDER", type=_fault,
        help="something goes wrong, see below; may be given several times")  # fmt: skip
    add("--faults", metavar="random:SEED", type=_plan, help="a plan of faults, the same for the same seed")
    add("--no-gzip", action="store_true")
    add("--cert", type=Path, metavar="PEM", help="serve HTTPS with this certificate")
    add("--cert-key", type=Path, metavar="PEM")
    add("--json", action="store_true", help="one line with address and login when the server answers")
    add("--exit-with-stdin", action="store_true", help="end when standard input closes")
    return p


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-03-02T09:15:00-05:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=EASTERN)).timestamp())


def _fault(text: str) -> dict[str, Any]:
    try:
        order = faults.read(text)
        faults.made(order)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return order


def _plan(text: str) -> list[dict[str, Any]]:
    try:
        return faults.plan(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def identity(options: argparse.Namespace) -> Identity:
    """Return the login: what was given, the rest made up from the seed."""
    made = random.Random(f"sandbox login {options.seed}")
    letters = string.ascii_letters + string.digits
    app_id = "".join(made.choices(letters, k=32))
    password = "".join(made.choices(letters, k=16))
    account, folder = made.randint(400_000, 499_999), made.randint(100_000, 199_999)
    return Identity(
        options.app_id or app_id,
        options.username or "sandbox",
        options.password or password,
        options.account or account,
        options.folder or folder,
    )


def prepare(path: Path, options: argparse.Namespace, who: Identity) -> tuple[State, Identity]:
    """Open the file and fill it when it is new; a file with an account in it is gone on with."""
    state = State(path, _switches(options, who))
    if options.as_of is not None:
        state.set_clock(options.as_of)
    kept = (
        state.reader()
        .execute("select account_id, folder_id from folders order by folder_id limit 1")
        .fetchone()
    )
    filled = "select 1 from meta where key = 'filled' union all select 1 from contacts limit 1"
    if kept and state.reader().execute(filled).fetchone():
        return state, replace(who, account_id=kept[0], client_folder_id=kept[1])
    with state.write() as con:
        _account(con, options, who)
    with closing(sqlite3.connect(path)) as con:
        _fill(con, options, who, state.now())
        con.execute("insert or replace into meta values ('filled', '1')")
        con.commit()
    return state, who


def _switches(options: argparse.Namespace, who: Identity) -> Switches:
    return Switches(
        username=who.username,
        password=who.password,
        app_id=options.app_id,
        consent=options.consent,
        html_type=options.html_type,
        listed_rule=options.listed_rule,
        bulk_update=options.bulk_update,
        tracking_limit=options.tracking_limit,
        history_limit=options.history_limit,
        page_size_cap=options.page_size_cap,
        deny=tuple(options.deny),
        latency_ms=options.latency,
        gzip=not options.no_gzip,
    )


def _account(con: sqlite3.Connection, options: argparse.Namespace, who: Identity) -> None:
    """Write the accounts and folders; only the first folder will hold people."""
    fields = {
        "email": "owner@example.com",
        "firstName": "Sam",
        "lastName": "Sandbox",
        "city": "Durham",
        "state": "NC",
        "country": "United States",
        "postalCode": "27701",
        "street": "2121 Example Street",
        "phone": "919-555-0100",
        "multiClientFolder": "1" if options.folders > 1 else "0",
        "multiUser": "0",
    }
    for n in range(options.accounts):
        name = "Acme Outdoor" if n == 0 else f"Acme Outdoor {n + 1}"
        con.execute(
            "insert or ignore into accounts (account_id, company_name, fields) values (?, ?, ?)",
            [who.account_id + n, name, json.dumps(fields)],
        )
        for m in range(options.folders):
            con.execute(
                "insert or ignore into folders (folder_id, account_id, name, email_recipient) values (?, ?, ?, ?)",
                [
                    who.client_folder_id + n * 1000 + m,
                    who.account_id + n,
                    "Main" if m == 0 else f"Folder {m + 1}",
                    "owner@example.com",
                ],
            )
    user = {"userName": who.username, "email": "owner@example.com", "firstName": "Sam", "lastName": "Sandbox"}
    con.execute(
        "insert or ignore into stored (kind, id, folder_id, parent, fields) values ('user', 40711, ?, 0, ?)",
        [who.account_id, json.dumps(user)],
    )


def _fill(con: sqlite3.Connection, options: argparse.Namespace, who: Identity, as_of: int) -> None:
    if options.load is not None:
        from icx.sandbox.load import load

        load(con, options.load, who.client_folder_id, account_id=who.account_id)
        return
    from icx.sandbox.generate import generate

    generate(
        con,
        contacts=options.contacts,
        messages=options.messages,
        seed=options.seed,
        as_of=as_of,
        account_id=who.account_id,
        folder_id=who.client_folder_id,
    )


class Protocol(h11_impl.H11Protocol):  # type: ignore[misc]
    """HTTP/1.1 that tells the application its connection, so that faults can cut it."""

    app_state: dict[str, Any]
    _open: set[Any] = set()  # noqa: RUF012 - shared on purpose: the connections of this process

    def connection_made(self, transport: Any) -> None:
        self.app_state = {**self.app_state, "transport": transport, "open": self._open}
        self._open.add(transport)
        # asyncio does this only for sockets it bound itself; without it every small answer waits 40 ms
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self.transport)
        super().connection_lost(exc)


class Server(uvicorn.Server):  # type: ignore[misc]
    """uvicorn that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Any) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()


def announcement(base_url: str, who: Identity) -> dict[str, Any]:
    """Return the one object that `--json` prints."""
    return {
        "base_url": base_url,
        "app_id": who.app_id,
        "username": who.username,
        "password": who.password,
        "account_id": who.account_id,
        "client_folder_id": who.client_folder_id,
        "pid": os.getpid(),
    }


def _announce(options: argparse.Namespace, facts: Mapping[str, Any], out: TextIO) -> None:
    any_app = "" if options.app_id else "  (any is accepted)"
    lines = [
        f"A simulated iContact answers at {facts['base_url']}",
        f"  application id  {facts['app_id']}{any_app}",
        f"  username        {facts['username']}",
        f"  password        {facts['password']}",
        f"  account         {facts['account_id']}",
        f"  client folder   {facts['client_folder_id']}",
        "Ctrl-C ends it.",
    ]
    out.write((json.dumps(facts) if options.json else "\n".join(lines)) + "\n")
    out.flush()


def main(argv: Sequence[str] | None = None, out: TextIO = sys.stdout) -> int:
    """Run the sandbox until it is told to end; return the exit code."""
    options = parser().parse_args(argv)
    who = identity(options)
    try:
        bound = socket.create_server((options.host, options.port), backlog=256)
    except OSError as error:
        sys.stderr.write(f"Port {options.port} of {options.host} cannot be used: {error.strerror}.\n")
        return 2
    with bound, ends_in_order(), spare_folder() as spare:
        path = options.state or spare / "sandbox.sqlite"
        try:
            state, who = prepare(path, options, who)
        except (ValueError, OSError, sqlite3.Error) as error:
            sys.stderr.write(f"{error}\n")
            return 2
        except KeyboardInterrupt:
            return 130
        scheme = "https" if options.cert else "http"
        host = f"[{options.host}]" if ":" in options.host else options.host
        facts = announcement(f"{scheme}://{host}:{bound.getsockname()[1]}/icp", who)
        server = _server(state, options, lambda: _announce(options, facts, out))
        if options.exit_with_stdin:
            threading.Thread(target=_end_with_stdin, args=[server, spare], daemon=True).start()
        try:
            server.run(sockets=[bound])
        except KeyboardInterrupt:
            pass  # how it is ended, by a person or a process
        finally:
            state.close()
    return 0


def _server(state: State, options: argparse.Namespace, ready: Any) -> Server:
    for code, phrase in REASONS.items():
        h11_impl.STATUS_PHRASES[code] = phrase.encode()
    config = uvicorn.Config(
        make_app(state, [*options.fault, *(options.faults or [])]),
        http=Protocol,
        loop="asyncio",
        log_level="critical",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        ssl_certfile=options.cert,
        ssl_keyfile=options.cert_key,
    )
    return Server(config, ready)


def _end_with_stdin(server: Server, spare: Path) -> None:
    # Not through the buffer: a thread that waits in it makes the interpreter abort at its end.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True
    time.sleep(5)
    shutil.rmtree(spare, ignore_errors=True)
    os._exit(0)  # the parent is gone: nobody is left to wait for a request that hangs
