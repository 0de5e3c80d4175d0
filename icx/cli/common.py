"""What several commands need: the workspace of the options, progress, a question, a moment typed by a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from icx.cli.console import Console
from icx.cli.options import Options
from icx.errors import BadInput, NeedsYou

if TYPE_CHECKING:
    from icx.workspace import Workspace


def command(name: str, help: str, *examples: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a click command whose help is one sentence, two examples, and the options."""

    def wrap(function: Callable[..., Any]) -> click.Command:
        epilog = "\b\nExamples\n" + "\n".join(f"  {example}" for example in examples) if examples else None
        return click.command(name, help=help, epilog=epilog)(click.pass_obj(function))

    return wrap


def workspace(obj: tuple[Options, Console]) -> Workspace:
    """Open the workspace the options name; waiting for the database is told on stderr."""
    from icx.workspace import Workspace

    options, console = obj

    def waiting(seconds: float, holder: str) -> None:
        console.progress(
            f"waiting for the database since {seconds:.0f} s: {holder} has it open", changed=seconds < 1.5
        )

    ws = Workspace(
        options.workspace, wait_minutes=options.wait, on_database_wait=waiting, because=options.because
    )
    click.get_current_context().call_on_close(ws.close)
    return ws


def moment(text: str | None, zone: ZoneInfo) -> datetime | None:
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
            where="--as-of",
            kept="nothing was started",
            next=["a date such as 2026-03-01, or a time such as 2026-03-01T09:00"],
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def shown(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment as people read it, in the workspace's zone.

    >>> shown(datetime(2026, 11, 21, 12, 2, tzinfo=UTC), ZoneInfo("America/New_York"))
    '21 Nov 2026 07:02 EST'
    """
    return moment.astimezone(zone).strftime("%-d %b %Y %H:%M %Z") if moment else "never"


def yes(console: Console, options: Options, question: str, missing: NeedsYou) -> bool:
    """Ask a y/N question; `--yes` answers it."""
    if options.yes:
        return True
    return console.ask(f"{question} [y/N] ", missing=lambda: missing).strip().lower() in {"y", "yes"}
