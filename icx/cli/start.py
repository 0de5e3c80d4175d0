"""Commands to begin with: demo, init, sandbox."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NoReturn

import click

from icx.cli.common import Command, Obj, command
from icx.cli.connect import connect
from icx.cli.result import Result
from icx.errors import BadInput

__all__ = ["connect", "demo", "init", "sandbox"]


@command(
    "demo",
    "See the whole road on a simulated account on this machine.",
    "icx demo",
    "icx demo another-demo --contacts 400 --messages 12 --seed 7",
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
    made = [str(path.relative_to(root)) for path in lay_out(root)]
    here = "" if root == Path() else f" --workspace {shlex.quote(str(root))}"
    lines = [f"A workspace in {root}: {len(made)} things made, the rest was there."]
    lines += [f"  {path}" for path in made]
    lines.append(f"Next: icx connect acme{here}, or icx demo")
    return Result("init/1", "\n".join(lines), {"root": str(root), "made": made})


class Sandbox(Command):
    """The sandbox reads its own options; they are told by it."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from icx.sandbox.serve import parser

        options = parser().format_help().split("options:\n", 1)[-1]
        formatter.write(f"{self.help}\n\n  icx sandbox [OPTIONS]\n\nExamples\n")
        formatter.write("".join(f"  {example}\n" for example in self.examples))
        formatter.write(f"\nOptions\n{options.rstrip()}\n\nOptions of every command: icx --help\n")


@click.pass_obj
def _sandbox(obj: Obj, words: tuple[str, ...]) -> int:
    from icx.sandbox.serve import main, parser

    options, _ = obj
    given = [*words, *(["--json"] if options.json else [])]
    reader = parser()
    reader.error = _not_understood  # type: ignore[method-assign]  # argparse would end the process itself
    reader.parse_args(given)
    return int(main(given) or 0)


def _not_understood(message: str) -> NoReturn:
    raise BadInput(
        "usage",
        f"{message[:1].upper()}{message[1:].rstrip('.')}.",
        where="icx sandbox",
        kept="nothing was started",
        next=[["icx", "sandbox", "--help"]],
    )


sandbox = Sandbox(
    "sandbox",
    callback=_sandbox,
    help="Run a simulated iContact on this machine until Ctrl-C.",
    params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
sandbox.examples = ("icx sandbox --contacts 400 --json", "icx sandbox --port 8411 --state account.sqlite")
