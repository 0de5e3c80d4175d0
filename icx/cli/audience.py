"""The audience commands: save, list, show, count, why, compare, delete."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icx.cli.common import Obj, asked, group, moment, shown, workspace
from icx.cli.engine import chosen, on_an_engine
from icx.cli.result import Result
from icx.errors import BadInput
from icx.words import counted as number

if TYPE_CHECKING:
    from icx.audience import Audience
    from icx.workspace import Workspace

audience = group("audience", "Choose who is meant, how many, and why.")


@audience.verb(
    "save",
    "Save an audience from a rule file or a template.",
    "icx audience save Loyal --rule 'data/audiences/Loyal in Durham.json'",
    "icx audience save Sunset --template sunset",
)
@click.argument("name")
@click.option(
    "--rule",
    "file",
    type=click.Path(path_type=Path),
    help="A JSON file with the rule; - reads it from stdin.",
)
@click.option("--template", "key", help="A ready rule instead; a wrong name lists them.")
@click.option("--message", type=int, help="The message that the template resend is about.")
@click.option("--description", default="", help="A note for whoever reads it later.")
def save(
    obj: Obj, name: str, file: Path | None, key: str | None, message: int | None, description: str
) -> Result:
    from icx.audience import template

    options, _ = obj
    ws = workspace(obj)
    if (file is None) == (key is None):
        raise BadInput(
            "usage",
            "An audience is saved from a rule file or from a template, one of the two.",
            where="--rule FILE.json · --template KEY",
            kept="nothing was saved",
            next=[["icx", "audience", "save", "--help"]],
        )
    if file is not None:
        given = read_rule(file)
        rule, description = given.rule, description or given.description
        label = file.name
    else:
        given = template(
            ws.people(options.connection), str(key), name, **({} if message is None else {"message": message})
        )
        rule, description = given.rule, description or given.description
        label = str(key)
    from icx.audience import Audience, checked

    people = ws.people(options.connection)
    checked(people, Audience(name, rule, people.connection, description), label)
    made = ws.audience(name, rule, description=description, connection=people.connection)
    found = made.count()
    text = f"Saved {made!r}\nNext: icx audience show {_quoted(name)}, or icx plan {_quoted(name)} --to …"
    return Result(
        "audience-save/1",
        text,
        {"audience": name, "connection": people.connection, "count": found.count, "rule": _rule(made)},
    )


@audience.verb("list", "List the saved audiences.", "icx audience list", "icx audience list --json")
def list_(obj: Obj) -> Result:
    _, console = obj
    ws = workspace(obj)
    every = ws.audiences()
    rows = [(one.name, one.connection, one.english) for one in every]
    text = console.table(["audience", "connection", "who"], rows) if rows else "No audience is saved yet."
    text += "\nNext: icx audience " + (
        f"count {_quoted(every[0].name)}" if every else "save NAME --rule FILE.json"
    )
    data = [{"audience": one.name, "connection": one.connection, "english": one.english} for one in every]
    return Result("audience-list/1", text, {"audiences": data})


@audience.verb(
    "show",
    "Show an audience: its size, what each rule keeps, its rule.",
    "icx audience show 'Loyal in Durham'",
    "icx audience show 'Loyal in Durham' --by city --json",
)
@click.argument("name")
@click.option("--as-of", help="On a past profile, built before with icx build --as-of.")
@click.option("--sample", "sample_size", default=0, help="Show so many members, masked unless --show-people.")
@click.option("--by", help="Break the members down by a field.")
@click.option("--sql", "with_sql", is_flag=True, help="Show the SQL too.")
def show(obj: Obj, name: str, as_of: str | None, sample_size: int, by: str | None, with_sql: bool) -> Result:
    from icx.audience import entered_left, members_sql

    options, console = obj
    ws = workspace(obj)
    found = _open(ws, name, as_of)
    counted = found.count()
    people = found.people
    assert people is not None
    flow = entered_left(people, found) if as_of is None else None
    lines = [counted.text(ws.settings.tz, flow.text(ws.settings.tz) if flow else "", past=as_of is not None)]
    data = counted.as_dict() | {"rule": _rule(found), "english": found.english}
    data["entered_left"] = flow.as_dict() if flow else None
    if by:
        parts = found.breakdown(by)
        lines.append(repr(parts))
        data["breakdown"] = parts.as_dict()
    if sample_size:
        frame = found.sample(sample_size, show_people=options.show_people)
        lines.append(console.table(list(frame.columns), list(frame.astype(str).itertuples(index=False))))
        data["sample"] = [int(value) for value in frame["contact_id"]] if "contact_id" in frame else []
    if with_sql:
        sql = members_sql(people, found)
        lines.append(f"{sql.text}\n-- {list(sql.params)}")
        data["sql"] = sql.text
    return Result("audience-show/1", "\n".join(lines), data)


@audience.verb(
    "count",
    "Count an audience.",
    "icx audience count 'Loyal in Durham'",
    "icx audience count 'Loyal in Durham' --json",
)
@click.argument("name", required=False)
@click.option(
    "--rule", "file", type=click.Path(path_type=Path), help="A rule file instead of a saved audience."
)
@click.option("--as-of", help="On a past profile, built before with icx build --as-of.")
@on_an_engine
def count(
    obj: Obj,
    name: str | None,
    file: Path | None,
    as_of: str | None,
    engine: str,
    master: str | None,
    folder: Path | None,
) -> Result:
    from icx.workspace.scaling import cluster

    options, _ = obj
    how = chosen(engine, master, folder)
    if (file is None) == (name is None):
        raise BadInput(
            "usage",
            "An audience is counted by its name or from a rule file, one of the two.",
            where="NAME · --rule FILE.json",
            kept="nothing was counted",
            next=[["icx", "audience", "list"]],
        )
    ws = workspace(obj)
    if file is not None:
        found = read_rule(file)
        connection = found.connection or options.connection
        found = replace(found, connection="").of(ws.people(connection, as_of=moment(as_of, ws.settings.tz)))
    else:
        found = _open(ws, name or "", as_of)
    counted = found.count(cluster(ws, **how) if how else None)
    text = f"{found.name or 'This rule'}: {counted.count:,} of {number(counted.of, 'person')} of {counted.connection} as of {shown(counted.as_of, ws.settings.tz)}"
    return Result("audience-count/1", text, counted.as_dict())


@audience.verb(
    "why",
    "Say why a person is in or out.",
    "icx audience why 'Loyal in Durham' 70057",
    "icx audience why 'Loyal in Durham' -",
)
@click.argument("name")
@click.argument("who")
@click.option("--as-of", help="On a past profile, built before with icx build --as-of.")
def why(obj: Obj, name: str, who: str, as_of: str | None) -> Result:
    options, console = obj
    ws = workspace(obj)
    reason = _open(ws, name, as_of).why(asked(console, who))
    return Result(
        "audience-why/1",
        reason.text(show_people=options.show_people),
        reason.as_dict(show_people=options.show_people),
    )


@audience.verb(
    "compare",
    "Show how audiences overlap, and how the first one grew.",
    "icx audience compare Loyal Sunset",
    "icx audience compare Loyal Sunset 'Loyal in Durham' --json",
)
@click.argument("names", nargs=-1, required=True)
def compare(obj: Obj, names: tuple[str, ...]) -> Result:
    ws = workspace(obj)
    found = ws.compare(*names)
    return Result("audience-compare/1", repr(found), found.as_dict())


@audience.verb(
    "delete",
    "Delete a saved audience; refused while another one uses it.",
    "icx audience delete Loyal",
    "icx audience delete Sunset --json",
)
@click.argument("name")
def delete(obj: Obj, name: str) -> Result:
    ws = workspace(obj)
    path = ws.delete_audience(name)
    return Result(
        "audience-delete/1",
        f"Deleted {name}; nothing at iContact was touched.",
        {"audience": name, "file": path.name},
    )


def _open(ws: Workspace, name: str, as_of: str | None) -> Audience:
    from icx.audience import load

    when = moment(as_of, ws.settings.tz)
    found = load(ws.layout.audiences, name)
    return found.of(ws.people(found.connection or None, as_of=when))


def read_rule(file: Path) -> Audience:
    """Return the audience, or the bare rule, of a JSON file; - is stdin."""
    from icx.audience.files import from_data, read

    if str(file) != "-":
        return read(file)
    import sys

    try:
        return from_data(json.loads(sys.stdin.read()), Path("stdin.json"))
    except ValueError as error:
        raise BadInput(
            "rule-file",
            "The rule is not JSON.",
            where=f"stdin: {error}",
            kept="nothing was saved",
            next=["mend it"],
        ) from None


def _rule(found: Audience) -> dict[str, Any]:
    from icx.rules import to_json

    return dict(to_json(found.rule))


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
