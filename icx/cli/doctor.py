"""The command that finds what is wrong, and packs it for somebody who helps."""

from __future__ import annotations

import shlex

import click

from icx.cli.common import Obj, command, workspace
from icx.cli.result import Result


@command(
    "doctor",
    "Find what is wrong with a login or this machine; write a bundle without secrets.",
    "icx doctor acme",
    "icx doctor --no-bundle --json",
)
@click.argument("name", required=False)
@click.option(
    "--run", metavar="RUN", help="The run whose calls go into the bundle, else the newest that failed."
)
@click.option("--no-bundle", is_flag=True, help="Look only, write nothing.")
@click.option("--strict", is_flag=True, help="Exit 1 when something is wrong.")
def doctor(obj: Obj, name: str | None, run: str | None, no_bundle: bool, strict: bool) -> Result:
    from icx.workspace.doctor import examine, lines

    ws = workspace(obj)
    found = examine(ws, name, run=run, bundle=not no_bundle)
    said = list(lines(found))
    if found.bundle is not None:
        said.append(f"Bundle without secret or address: {found.bundle}.")
    needs = found.needs
    typed = next((one if isinstance(one, str) else shlex.join(one) for _, one in needs if one), "")
    said.append(f"Next: {typed}" if typed else "Something is wrong." if found.bad else "Nothing needs you.")
    return Result("doctor/1", "\n".join(said), found.as_dict(), 1 if strict and found.bad else 0)
