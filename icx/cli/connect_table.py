"""The part of connect that is about tables: which columns tell rows apart, hold addresses, and may be written."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from icx.cli.console import Console
from icx.cli.result import Result
from icx.errors import BadInput, IcxError, NeedsYou

if TYPE_CHECKING:
    from icx.http import Secret
    from icx.workspace import Workspace


def connect_table(
    ws: Workspace,
    console: Console,
    name: str,
    source: str,
    identity: str | None,
    email: str | None,
    writable: str,
    description: str | None,
) -> Result:
    """Read the table once, save it, and say what is in it."""
    from icx.connections.table.sources import columns_of, without_password

    shown, typed = without_password(source)
    if typed is not None:
        raise BadInput(
            "usage",
            "A password is never typed into a command: it would stay in the shell's history.",
            where=shown,
            kept="nothing was saved",
            next=["take it out of the address; it is asked for, or set ICX_PASSWORD"],
        )
    secret = _password(console, shown)
    if identity is None:
        identity = _identity(console, name, shown, columns_of(shown, secret))
    saved, seen, place = ws.accounts.connect_table(
        name,
        shown,
        identity,
        email=email,
        writable=[column.strip() for column in writable.split(",") if column.strip()],
        description=description,
        secret=secret,
    )
    written = saved.options["writable"].split("\n") if saved.options["writable"] else []
    may = (
        f"may be written: {', '.join(written)}"
        if written
        else "only read; --writable A,B lets icx write columns"
    )
    text = (
        f"{seen.text()}\n  {may}\nSaved {saved.name}. Next: icx sync make NAME {shlex.quote(saved.name)} acme"
    )
    data = {
        "connection": saved.name, "source": saved.company, "identity": seen.identity, "email": seen.email,
        "guessed": seen.guessed, "writable": written, "rows": seen.rows, "no_identity": seen.no_identity,
        "twice": len(seen.twice), "no_address": seen.no_address, "secret_in": place,
    }  # fmt: skip
    return Result("connect-table/1", text, data)


def _password(console: Console, source: str) -> Secret | None:
    from icx.connections.table.sources import asks_password
    from icx.http import Secret

    if not asks_password(source):
        return None
    given = os.environ.get("ICX_PASSWORD", "")
    if not given and console.interactive:
        given = console.ask("Password of the database, or Enter for none  ", hidden=True, missing=_nobody)
    return Secret(given) if given else None


def _identity(console: Console, name: str, source: str, columns: list[str]) -> str:
    missing = NeedsYou(
        "needs-answer",
        "One column must tell the rows apart, and there is no terminal to ask which.",
        where=f"the columns are {', '.join(columns)}",
        kept="nothing was saved or picked for you",
        next=[["icx", "connect", name, "--table", source, "--identity", columns[0]]],
        data={"choices": columns},
    )
    for number, column in enumerate(columns if console.interactive else (), 1):
        console.note(f"  {number} {column}")
    answer = console.ask(
        f"Which column tells the rows apart? (1–{len(columns)}) ", missing=lambda: missing
    ).strip()
    by_number = {str(number): column for number, column in enumerate(columns, 1)}
    return by_number.get(answer, answer)


def _nobody() -> IcxError:
    return BadInput(
        "usage", "There is no terminal to ask.", where="icx connect", kept="nothing was saved", next=[]
    )
