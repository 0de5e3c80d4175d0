"""Commands that bring data in: pull, attach, build, check."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from icx.cli.common import Obj, command, moment, shown, workspace
from icx.cli.engine import chosen, on_an_engine
from icx.cli.progress import reporter
from icx.cli.result import Result
from icx.errors import BadInput
from icx.words import counted, form

KINDS = ("opens", "clicks", "bounces", "unsubscribes")


@command(
    "pull",
    "Bring in what changed of one or more connections, and count it against the service.",
    "icx pull acme",
    "icx pull --all --full",
)
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every saved connection.")
@click.option("--full", is_flag=True, help="Read every unit again, also those verified before.")
@click.option("--contacts-only", is_flag=True, help="Leave messages and events out.")
@click.option("--unit", help="One unit only: MESSAGE/KIND, such as 88104/opens.")
def pull(
    obj: Obj, names: tuple[str, ...], every: bool, full: bool, contacts_only: bool, unit: str | None
) -> Result:
    from icx.workspace.again import differs

    _, console = obj
    ws = workspace(obj)
    asked = _unit(unit)
    saved = ws.accounts.connections.accounts() if every else [ws.connection(name) for name in names or [None]]
    reports = []
    for one in saved or [ws.connection()]:
        report = ws.pull(
            one.name,
            contacts_only=contacts_only,
            full=full,
            unit=asked,
            progress=reporter(console, one.name, ws.settings.tz, "unit stored"),
        )
        reports.append(report)
    red = [(report, cell) for report in reports for cell in report.ledger.red()]
    data = reports[0].as_dict() if len(reports) == 1 else {"pulls": [report.as_dict() for report in reports]}
    return Result(
        "pull/1",
        "\n\n".join(str(report) for report in reports),
        data,
        1 if red else 0,
        run=reports[0].run if len(reports) == 1 else None,
        problem=differs(red[0][0].connection, [cell for _, cell in red], red[0][0].ledger.system)
        if red
        else None,
    )


def _unit(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    message, _, kind = text.partition("/")
    if message.isascii() and message.isdigit() and kind in KINDS:
        return int(message), kind
    raise BadInput(
        "usage",
        f'"{text}" is not a unit.',
        where=f"--unit MESSAGE/KIND; a kind is {', '.join(KINDS)}",
        kept="nothing was started",
        next=[["icx", "pull", "--help"]],
    )


@command(
    "attach",
    "Add a table's columns as fields: CSV, Parquet, or a DuckDB table.",
    "icx attach crm.csv --key email",
    "icx attach crm.csv --key email --name crm --identity email",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", required=True, help="The column that says who a row is about.")
@click.option("--name", help="What its fields are called: NAME_column; else the file's name.")
@click.option(
    "--identity",
    type=click.Choice(["email", "contact_id"]),
    help="What the key holds; else its values decide.",
)
def attach(obj: Obj, file: Path, key: str, name: str | None, identity: str | None) -> Result:
    options, _ = obj
    ws = workspace(obj)
    done = ws.attach(file, key, name=name or file.stem, connection=options.connection, identity=identity)
    text = (
        f"{done.name}: {counted(done.rows, 'row')}, {done.matched:,} found among the contacts, "
        f"{done.unmatched:,} not, {done.duplicates:,} share a key with another row\n"
        f"Next: icx build, then icx fields {shlex.quote(done.name)}"
    )
    data = {
        "name": done.name,
        "rows": done.rows,
        "matched": done.matched,
        "unmatched": done.unmatched,
        "duplicates": done.duplicates,
    }
    return Result("attach/1", text, data)


@command("build", "Make one profile row per contact.", "icx build", "icx build --as-of 2026-10-01")
@click.option("--as-of", help="A past moment, for looking only; a date is its start in the workspace's zone.")
@click.option("--full", is_flag=True, help="Compute everybody, also whose row of before would do.")
@on_an_engine
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Spark: leave the rows as Parquet in this new folder, and the profile here as it is.",
)
def build(
    obj: Obj,
    as_of: str | None,
    full: bool,
    engine: str,
    master: str | None,
    folder: Path | None,
    to: Path | None,
) -> Result:
    options, console = obj
    ws = workspace(obj)
    zone = ws.settings.tz
    when = moment(as_of, zone)
    name = ws.connection(options.connection).name
    how = chosen(engine, master, folder, to)
    said_at = reporter(console, name, zone, stages=bool(how))
    done = ws.build(name, as_of=when, full=full, progress=said_at, **how)
    what = f"Wrote the profile of {name} to {done.table}" if to else f"Built the {done.table} of {name}"
    said = f"{what}: {counted(done.people, 'person')} × {counted(done.fields, 'field')} as of {shown(done.as_of, zone)}"
    lines = [said]
    if done.anew is not None:
        lines.append(
            f"  {done.anew:,} computed anew; of the others nothing changed since the profile before, which they keep"
        )
    if done.no_address:
        lines.append(
            f"  {done.no_address:,} {form(done.no_address, 'has')} no usable address; counted, and no push reaches them by address"
        )
    for field, count in done.cast_failures.items():
        texts = (
            "text does not read as its type and is" if count == 1 else "texts do not read as its type and are"
        )
        lines.append(f"  {field}: {count:,} {texts} empty here")
    if done.awards:
        lines.append(f"  {counted(done.awards, 'award')} of points")
    lines += [f"  points: {note}" for note in done.notes]
    lines += [f"  trigger: {note}" for note in done.triggers]
    if done.late_events:
        then = (
            "the next pull and build count them" if done.table == "profile" else "they are not counted here"
        )
        lines.append(f"  {counted(done.late_events, 'event')} came after that moment; {then}")
    if done.attributes == "today":
        lines.append("  attributes are today's: the moment lies before the first pull")
    if to:
        lines.append("  the profile here, its checks and audiences stay as they were")
    past = f"icx audience count NAME --as-of {shlex.quote(as_of or '')}"
    if not to:
        lines.append("Next: icx check" if done.table == "profile" else f"Next: {past}")
    data: dict[str, Any] = {
        "connection": name,
        "build": done.build_id,
        "as_of": done.as_of,
        "people": done.people,
        "fields": done.fields,
        "no_address": done.no_address,
        "cast_failures": dict(done.cast_failures),
        "table": done.table,
        "computed_anew": done.anew,
    }
    return Result("build/1", "\n".join(lines), data)


@command("check", "Judge the data before acting on it.", "icx check", "icx check profile --rows phone")
@click.argument("suites", nargs=-1)
@click.option("--rows", "which", help="The rows that failed an expectation, by column or expectation.")
@click.option("--limit", default=20, show_default=True, help="How many rows --rows shows.")
def check(obj: Obj, suites: tuple[str, ...], which: str | None, limit: int) -> Result:
    options, console = obj
    ws = workspace(obj)
    name = ws.connection(options.connection).name
    console.progress(f"{name} › judging {', '.join(suites) or 'contacts, activity, profile'}", changed=True)
    reports = ws.checks(suites, name=name)
    ok = all(report.ok for report in reports)
    lines = [str(report) for report in reports]
    data: dict[str, Any] = {"connection": name, "suites": [report.as_dict() for report in reports]}
    if which:
        data["rows"] = []
        for report in [one for one in reports if one.speaks_of(which)] or reports[:1]:
            frame = report.rows(which, show_people=options.show_people, limit=limit)
            if len(frame):
                lines.append(
                    console.table(list(frame.columns), list(frame.astype(str).itertuples(index=False)))
                )
                data["rows"] += frame.astype(object).where(frame.notna(), None).to_dict("records")
    return Result("check/1", "\n".join(lines), data, 0 if ok else 3)
