"""Commands that tell what happened: the log, and every call."""

from __future__ import annotations

import click

from icx.cli.common import Obj, command, moment, workspace
from icx.cli.result import Result


@command(
    "log",
    "Show what happened, masked, the newest last: of one run with all that was part of it, or of all.",
    "icx log",
    "icx log --level warning --json",
)
@click.argument("run", required=False)
@click.option(
    "--level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least that is shown.",
)
@click.option("--since", metavar="TIME", help="Only from this moment on; a date is its start.")
@click.option("-n", "--count", default=50, show_default=True, type=click.IntRange(1), help="How many lines.")
def log(obj: Obj, run: str | None, level: str, since: str | None, count: int) -> Result:
    _, console = obj
    ws = workspace(obj)
    found = ws.log(run, level=level, since=moment(since, ws.settings.tz, "--since"), limit=count)
    rows = found.rows()
    text = console.table(["when", "level", "run", "what happened"], rows) if rows else "Nothing is logged."
    wrong = next((line for line in reversed(found.lines) if line.level == "error" and line.run), None)
    if run is None and wrong is not None:
        text += f"\nNext: icx log {wrong.run}"
    return Result("log/1", text, {"of": run, "lines": [line.as_dict() for line in found]})


@command(
    "calls",
    "Show every call a run made: method, path, status, time, size, try; without a run, of the last that called.",
    "icx calls",
    "icx calls --failed --json",
)
@click.argument("run", required=False)
@click.option("--failed", is_flag=True, help="Only calls made again, or without a good answer.")
@click.option(
    "-n", "--count", default=50, show_default=True, type=click.IntRange(1), help="How many, the newest."
)
def calls(obj: Obj, run: str | None, failed: bool, count: int) -> Result:
    from icx.workspace.tracing import HEADS

    _, console = obj
    found = workspace(obj).calls(run, failed=failed)
    rows = found.rows(whole=console.width is None)[-count:]
    lines = [found.line()]
    if rows:
        more = len(found) - len(rows)
        lines += [f"  {more:,} earlier ones: -n {len(found)}"] if more else []
        lines.append(console.table(HEADS, rows, right=(4, 5, 6)))
    data = {"of": found.run or None, "what": found.what, "figures": found.figures()}
    return Result("calls/1", "\n".join(lines), data | {"calls": [call.as_dict() for call in found[-count:]]})
