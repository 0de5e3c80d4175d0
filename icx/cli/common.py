"""What several commands need: their help, the workspace of the options, a moment typed by a person."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from icx.cli.console import Console
from icx.cli.options import Options
from icx.errors import BadInput, IcxError

if TYPE_CHECKING:
    from icx.workspace import Workspace

Obj = tuple[Options, Console]


class Command(click.Command):
    """A command whose help is one sentence, its examples, and its options."""

    examples: tuple[str, ...] = ()

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        usage = " ".join([ctx.command_path, *self.collect_usage_pieces(ctx)])
        formatter.write(f"{self.help}\n\n  {usage}\n\nExamples\n")
        formatter.write("".join(f"  {example}\n" for example in self.examples))
        found = [one.get_help_record(ctx) for one in self.get_params(ctx) if isinstance(one, click.Option)]
        options = [record for record in found if record is not None]
        formatter.write("\nOptions\n")
        formatter.indent()
        formatter.write_dl(options)
        formatter.dedent()
        formatter.write("\nOptions of every command: icx --help\n")


class Group(click.Group):
    """A command with commands of its own."""

    def verb(self, name: str, help: str, *examples: str) -> Callable[[Callable[..., Any]], Command]:
        """Make one of its commands; see `command`."""

        def wrap(function: Callable[..., Any]) -> Command:
            made = command(name, help, *examples)(function)
            self.add_command(made)
            return made

        return wrap

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from icx.cli import unknown_verb

        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise unknown_verb(ctx.command_path, args[0], list(self.commands))
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"{self.help}\n\n")
        for name, one in self.commands.items():
            formatter.write(f"  {ctx.command_path} {name:<10}{one.help}\n")
        formatter.write(f"\nMore of one: {ctx.command_path} {next(iter(self.commands))} --help\n")


def group(name: str, help: str) -> Group:
    """Make a command that only holds others; alone it prints them."""

    @click.pass_context
    def alone(ctx: click.Context) -> None:
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help())

    return Group(name, help=help, callback=alone, invoke_without_command=True)


def command(name: str, help: str, *examples: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a click command whose help is one sentence, examples that run on the demo, and the options."""

    def wrap(function: Callable[..., Any]) -> Command:
        made = click.command(name, cls=Command, help=help)(click.pass_obj(function))
        made.examples = examples
        return made

    return wrap


def workspace(obj: Obj) -> Workspace:
    """Open the workspace the options name; waiting for the database is told on stderr."""
    from icx.workspace import Workspace

    options, console = obj

    def waiting(seconds: float, holder: str) -> None:
        console.event("waiting", {"for": "the database", "holder": holder, "seconds": round(seconds, 1)})
        console.progress(
            f"waiting for the database since {seconds:.0f} s: {holder} has it open", changed=seconds < 1
        )

    ws = Workspace(
        options.workspace, wait_minutes=options.wait, on_database_wait=waiting, because=options.because
    )
    began = ws.clock.now()
    click.get_current_context().call_on_close(lambda: _close(ws, console, began))
    return ws


def _close(ws: Workspace, console: Console, began: datetime) -> None:
    """End the workspace; note the run, and say so when its database came from an older icx."""
    console.run = _run(ws, began)
    moved = ws.migrated
    if moved is not None:
        console.note(f"Brought from version {moved.before} to {moved.after}. [migrated]")
        console.note(f"  where  {ws.layout.database}\n  kept   a copy, {moved.copy}\n  next   nothing")
    ws.close()


def _run(ws: Workspace, began: datetime) -> str | None:
    """Return the newest run that this command began, or None; a journal that nobody opened has none."""
    if "journal" not in vars(ws):
        return None
    with suppress(Exception):  # a journal that cannot be read was told already, or does not matter now
        for one in ws.journal.runs(limit=10):
            if one.pid == os.getpid() and one.started_at >= began:
                return one.run
    return None


def moment(text: str | None, zone: ZoneInfo, option: str = "--as-of") -> datetime | None:
    """Return a moment typed by a person; a date alone is its start in the workspace's zone.

    >>> moment("2026-03-01", ZoneInfo("America/New_York")).isoformat()
    '2026-03-01T05:00:00+00:00'
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            "time",
            f'"{text}" is not a time.',
            where=option,
            kept="nothing was started",
            next=["a date such as 2026-03-01, or a time such as 2026-03-01T09:00"],
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def shown(when: datetime | None, zone: ZoneInfo, now: datetime | None = None) -> str:
    """Return a moment as people read it, in the workspace's zone; the year when it is not this one.

    With `now` the moment is one of a list: of today only the time, no zone.

    >>> when, zone = datetime(2026, 11, 21, 12, 2, tzinfo=UTC), ZoneInfo("America/New_York")
    >>> shown(when, zone), shown(when, zone, when), shown(when, zone, datetime(2027, 1, 3, tzinfo=UTC))
    ('21 Nov 07:02 EST', '07:02', '21 Nov 2026 07:02')
    """
    if when is None:
        return "never"
    local = when.astimezone(zone)
    if now is None:
        return f"{local.day} {local:%b %H:%M %Z}"
    today = now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y %H:%M}"


def asked(console: Console, who: str) -> str:
    """Return who is meant; `-` asks, which keeps an address out of the shell's history."""
    if who != "-":
        return who

    def missing() -> IcxError:
        return BadInput(
            "usage",
            "Somebody must be named.",
            where="- asks for the address, and there is no terminal to ask",
            kept="nothing was changed",
            next=["an address or a contact id instead of -"],
        )

    return console.ask("Address or contact id    ", missing=missing).strip()
