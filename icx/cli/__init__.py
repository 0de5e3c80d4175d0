"""The command line: reads words, calls one verb of the workspace, prints what came back."""

from __future__ import annotations

import difflib
import importlib
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any, cast

import click

import icx
from icx.cli.console import Console
from icx.cli.options import HELP, Options, hoist
from icx.cli.result import Result
from icx.errors import BadInput, Damaged, IcxError

# verb -> (module, one-line help); the module is imported only when its verb is typed.
GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "demo": ("start", "see the whole road on a simulated account"),
        "init": ("start", "lay out a workspace (an empty folder is one too)"),
        "connect": ("start", "save a login after trying it"),
        "sandbox": ("start", "run a simulated iContact on this machine"),
    },
    "Bring in": {
        "pull": ("bring", "bring in what changed and count it against the service"),
        "attach": ("bring", "add a table's columns as fields"),
        "build": ("bring", "make one profile row per contact"),
        "check": ("bring", "judge the data before acting on it"),
    },
    "Choose": {
        "fields": ("choose", "fields, how full, their SQL"),
        "lists": ("choose", "lists with ids, sizes, welcome mail"),
        "audience": ("audience", "who, how many, and why"),
    },
    "Act": {
        "plan": ("act", "show what would change; sends nothing"),
        "apply": ("act", "do it and read the list back"),
        "undo": ("act", "plan the way back; sends nothing"),
        "plans": ("act", "plans, and what became of each row"),
    },
    "Look after": {
        "status": ("care", "every connection at a glance"),
        "person": ("care", "all that is held about somebody"),
        "record": ("care", "who planned, overrode, applied, exported"),
        "explain": ("care", "cost of a pull beforehand"),
        "help": ("care", "a message explained"),
    },
}
VERBS = {verb: entry for group in GROUPS.values() for verb, entry in group.items()}


class Verbs(click.Group):
    """The commands by name, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"icx.cli.{VERBS[cmd_name][0]}")
        return cast(click.Command, getattr(module, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS:
            near = difflib.get_close_matches(args[0], VERBS, n=1, cutoff=0.4)
            raise BadInput(
                "verb-unknown",
                f"There is no command `{args[0]}`." + (f" Nearest: `{near[0]}`." if near else ""),
                where=shlex.join(["icx", *args]),
                kept="nothing was started",
                next=[["icx", near[0], "--help"] if near else ["icx", "--help"]],
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(overview())


def overview() -> str:
    """Return the list of commands that `icx` alone prints."""
    lines = ["icx: an iContact account in one DuckDB file; audiences, plans and pushes from it", ""]
    for group, verbs in GROUPS.items():
        lines.append(group)
        lines += [f"  {verb:<10}{text}" for verb, (_, text) in verbs.items()]
    lines += ["", "Options, before or after the verb", *HELP.splitlines(), "", "New here: icx demo", ""]
    return "\n".join(lines)


@click.group(cls=Verbs, invoke_without_command=True, add_help_option=True)
@click.version_option(icx.__version__, message="icx %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """icx, an iContact account in one DuckDB file."""
    if ctx.invoked_subcommand is None:
        click.echo(overview(), nl=False)


class Stopped(KeyboardInterrupt):
    """SIGTERM, which asks for the same as Ctrl-C."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are printed in their four parts."""
    began = time.monotonic()
    options = Options()
    console = Console(options)
    signal.signal(signal.SIGTERM, _stop)
    try:
        options, words = hoist(argv)
        console = Console(options)
        result = root.main(words, prog_name="icx", standalone_mode=False, obj=(options, console))
    except click.ClickException as error:
        return _failed(console, options, _usage(error, words), began)
    except click.exceptions.Exit as done:
        return done.exit_code
    except IcxError as error:
        return _failed(console, options, error, began)
    except (KeyboardInterrupt, click.exceptions.Abort) as stop:
        console.error("Stopped. What was done is kept; the same command goes on.")
        return 143 if isinstance(stop, Stopped) else 130
    except OSError as error:
        wrapped = _from_os(error)
        if wrapped is None:
            return _bug(console, options, error, began)
        return _failed(console, options, wrapped, began)
    except Exception as error:
        return _bug(console, options, error, began)
    return _print(console, options, result, began)


def _print(console: Console, options: Options, result: object, began: float) -> int:
    if not isinstance(result, Result):
        return 0 if result is None else int(cast(int, result))
    if options.json:
        head = envelope(
            result.schema, ok=result.exit_code == 0, run=result.run, seconds=time.monotonic() - began
        )
        console.json(head | result.data)
    else:
        console.result(result.text)
    return result.exit_code


def envelope(schema: str, *, ok: bool, run: str | None, seconds: float) -> dict[str, Any]:
    """Return what every JSON answer starts with."""
    return {"icx": icx.__version__, "schema": schema, "ok": ok, "run": run, "seconds": round(seconds, 1)}


def _failed(console: Console, options: Options, error: IcxError, began: float) -> int:
    if options.json:
        head = envelope("error/1", ok=False, run=None, seconds=time.monotonic() - began)
        console.json(head | {"exit": error.exit_code, "error": error.as_dict()})
    console.error(f"icx: {error}")
    return error.exit_code


def _usage(error: click.ClickException, words: list[str]) -> IcxError:
    verb = next((word for word in words if word in VERBS), None)
    return BadInput(
        "usage",
        error.format_message().rstrip(".") + ".",
        where=shlex.join(["icx", *words]),
        kept="nothing was started",
        next=[["icx", verb, "--help"] if verb else ["icx", "--help"]],
    )


def _from_os(error: OSError) -> IcxError | None:
    import errno

    if error.errno == errno.ENOSPC:
        code, text, step = (
            "disk-full",
            "No room is left on the disk.",
            "free some room, then the same command",
        )
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        code, text, step = (
            "read-only",
            "This folder cannot be written to.",
            "--workspace elsewhere, then the same command",
        )
    elif isinstance(error, FileNotFoundError) and error.filename:
        return BadInput(
            "file-unknown", "There is no such file.", where=str(error.filename), kept="nothing was changed", next=["name a file that is there"]
        )  # fmt: skip
    else:
        return None
    return Damaged(
        code,
        text,
        where=str(error.filename or "data/"),
        kept="all that was stored before, whole",
        next=[step],
    )


def _bug(console: Console, options: Options, error: Exception, began: float) -> int:
    import traceback

    from icx.mask import addresses_in

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "icx" in frame.filename]
    last = frames[-1] if frames else None
    where = (
        f"{last.filename.rsplit('icx/', 1)[-1]}:{last.lineno}, {type(error).__name__}"
        if last
        else type(error).__name__
    )
    wrapped = IcxError(
        "bug",
        "icx itself went wrong; nothing here is yours to mend.",
        where=where,
        kept="rolled back to before the step; what was sent is in the journal",
        next=["the same command with --debug shows the trace; it is safe to run again"],
    )
    if options.debug:
        console.error(addresses_in("".join(traceback.format_exception(error))))
    return _failed(console, options, wrapped, began)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped
