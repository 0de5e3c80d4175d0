"""The command line: reads words, calls one verb of the workspace, prints what came back."""

from __future__ import annotations

import importlib
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, cast

import click

import icx
from icx.cli import failure
from icx.cli.console import Console
from icx.cli.elsewhere import meant
from icx.cli.nearest import nearest
from icx.cli.options import HELP, Options, hoist
from icx.cli.result import Result
from icx.ctrl_c import stays_heard
from icx.errors import BadInput, IcxError

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
        "stop": ("rest", "let a pull end after its page; the next one goes on"),
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
        "retry": ("act", "plan again whom iContact refused; sends nothing"),
        "plans": ("act", "plans, and what became of each row"),
        "pause": ("rest", "let all pushes rest; one under way ends after its batch"),
        "resume": ("rest", "let pushes go on"),
    },
    "Repeat": {
        "run": ("notebook", "run a notebook with parameters"),
        "schedule": ("schedule", "jobs by the clock"),
        "sync": ("sync", "two systems in step: people and fields, by rules"),
        "points": ("points", "what people earn, and the ledger of it"),
        "triggers": ("triggers", "what is done once somebody crosses"),
        "run-due": ("due", "run what is due, once"),
        "serve": ("due", "run what is due, always"),
    },
    "Look after": {
        "status": ("care", "every connection at a glance"),
        "doctor": ("doctor", "find what is wrong; a bundle without secrets"),
        "person": ("care", "all that is held about somebody"),
        "erase": ("keep", "remove somebody and prove it"),
        "record": ("care", "who planned, overrode, applied, exported"),
        "log": ("tracing", "what happened, run by run"),
        "calls": ("tracing", "every call to a service: status, time, size"),
        "tidy": ("tidy", "remove runs and pages kept long enough"),
        "explain": ("care", "cost of a pull or an audience beforehand"),
        "backup": ("keep", "a copy of it all in one file"),
        "restore": ("keep", "the way back to a backup"),
        "vacuum": ("keep", "a smaller database"),
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
        return cast(click.Command, getattr(module, cmd_name.replace("-", "_")))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise unknown_verb("icx", args[0], VERBS)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(overview())


def unknown_verb(path: str, word: str, known: Sequence[str] | dict[str, Any]) -> BadInput:
    """Return that there is no such command, and which is nearest."""
    if told := meant(word):
        return BadInput(
            "verb-unknown",
            f"There is no command `{word}`. {told.of}'s {told.word} is here {told.here}.",
            where=f"{path} {shlex.quote(word)}",
            kept="nothing was started",
            next=[told.next],
        )
    hint = nearest(word, known)
    step = [*path.split(), hint.split("`")[1], "--help"] if hint else [*path.split(), "--help"]
    return BadInput(
        "verb-unknown",
        f"There is no command `{word}`.{hint}",
        where=f"{path} {shlex.quote(word)}",
        kept="nothing was started",
        next=[step],
    )


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
def root(ctx: click.Context) -> Result | None:
    """icx, an iContact account in one DuckDB file."""
    if ctx.invoked_subcommand is not None:
        return None
    commands = {verb: text for verb, (_, text) in VERBS.items()}
    return Result("help/1", overview(), {"commands": commands})


class Ended(KeyboardInterrupt):
    """SIGTERM, which asks for the same as Ctrl-C."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    code = run(sys.argv[1:] if argv is None else argv)
    if any(thread.name == "icx-gx-import" for thread in threading.enumerate()):
        # Great Expectations may still be loading beside an answer that is out already; taking a half loaded
        # library apart prints what nobody should read.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are printed in their four parts."""
    signal.signal(signal.SIGTERM, _end)
    command = _Command(list(argv))
    try:
        return command.run()
    except BrokenPipeError:
        # Whoever read our answer had enough of it; Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class _Command:
    """One command line under way: its options, its console, when it began."""

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv
        self.began = time.monotonic()
        # What cannot be read is told in the form that was asked for, so this much is looked up beforehand.
        self.options = Options(json="object" if any(word.startswith("--json") for word in argv) else "")
        self.console = self._speaking()

    def run(self) -> int:
        try:
            self.options, words = hoist(self.argv)
            self.console = self._speaking()
            with stays_heard(), root.make_context("icx", words, obj=(self.options, self.console)) as context:
                result = root.invoke(context)
        except click.exceptions.Exit as done:
            return done.exit_code
        except KeyboardInterrupt as stop:
            code = 143 if isinstance(stop, Ended) else 130
            return self.failed(failure.Stopped(self.console.standing, self.argv, code))
        except click.ClickException as error:
            return self.failed(failure.usage(error, self.argv))
        except IcxError as error:
            return self.failed(error, error)
        except BrokenPipeError:
            raise
        except OSError as error:
            return self.failed(
                failure.of_the_machine(error, self.options, self.argv) or failure.bug(error, self.options),
                error,
            )
        except Exception as error:
            return self.failed(failure.bug(error, self.options), error)
        return self.print(result)

    def _speaking(self) -> Console:
        """Return a console that tells what was typed as it is, and folders: where people are named by an address, so are they."""
        places = [os.path.expanduser("~"), sys.prefix]
        with suppress(OSError):  # a folder that is gone
            places.append(os.path.realpath(self.options.workspace))
        return Console(self.options, typed=[*self.argv, *places])

    def print(self, result: object) -> int:
        if not isinstance(result, Result):
            return 0 if result is None else int(cast(int, result))
        if self.options.json:
            told = self.envelope(result.schema, result.exit_code, result.run) | dict(result.data)
            told |= {"exit": result.exit_code} if result.exit_code else {}
            self.console.json(told | ({"error": result.problem.as_dict()} if result.problem else {}))
        elif result.text is not None:
            self.console.result(result.text)
        if result.problem is not None:
            self.console.error(f"icx: {result.problem}")
        return result.exit_code

    def failed(self, error: IcxError, cause: BaseException | None = None) -> int:
        """Say what went wrong and return the exit code; the trace is kept when it was asked for."""
        if error.code == "bug" and cause is not None:
            failure.log_trace(cause, self.options)
        if self.options.debug and cause is not None:
            path = failure.keep_trace(cause, self.options)
            if path is not None:
                self.console.error(f"what happened, step by step, masked: {path}")
        if self.options.json:
            head = self.envelope("error/1", error.exit_code, None)
            self.console.json(head | {"exit": error.exit_code, "error": error.as_dict()})
        self.console.error(f"icx: {error}")
        return error.exit_code

    def envelope(self, schema: str, code: int, run: str | None) -> dict[str, Any]:
        """Return what every JSON answer starts with."""
        seconds = round(time.monotonic() - self.began, 1)
        return {
            "icx": icx.__version__,
            "schema": schema,
            "ok": code == 0,
            "run": run or self.console.run,
            "seconds": seconds,
        }


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended
