"""Commands to look and choose: fields, lists."""

from __future__ import annotations

import shlex
from typing import Any

import click

from icx.cli.common import Obj, command, moment, workspace
from icx.cli.elsewhere import meant
from icx.cli.result import Result
from icx.errors import BadInput


@command(
    "fields",
    "Show fields, how full they are, and their SQL.",
    "icx fields opens",
    "icx fields email_last_click_ts",
)
@click.argument("word", required=False)
@click.option("--as-of", help="Checked as a time only: the catalogue is today's.")
def fields(obj: Obj, word: str | None, as_of: str | None) -> Result:
    options, console = obj
    ws = workspace(obj)
    moment(as_of, ws.settings.tz)
    name = ws.connection(options.connection).name
    catalogue = ws.catalogue(name)
    try:
        rates = ws.fill_rates(name)
        shares = {
            str(field): float(share) for field, share in zip(rates["field"], rates["share"], strict=True)
        }
    except BadInput as error:
        if error.code != "not-built":
            raise
        shares = {}  # before the first build every field is there, and none is filled
    if word is not None and word in catalogue:
        field = catalogue[word]
        share = f"filled for {shares[word]:.0%}" if word in shares else "not built yet"
        flags = "".join(
            [
                ", personal" if field.pii else "",
                ", an estimate" if field.estimate else "",
                ", gone from the service" if field.gone else "",
            ]
        )
        text = f"{field.name}: {field.type}{flags}; {share}\n  {field.description}\n\n{field.sql.strip()}"
        return Result("fields/1", text, {"connection": name, "fields": [_data(field, shares)]})
    told = meant(word) if word else None
    if told is not None and told.search:
        console.note(f"{told.word} ({told.of}): {told.here}")
        word = told.search
    found = [
        field
        for field in catalogue.values()
        if not word or word.lower() in f"{field.name} {field.description}".lower()
    ]
    if word and not found:
        catalogue.find(word, "the catalogue")
    rows = [
        (
            field.name,
            field.type,
            f"{shares[field.name]:.0%}" if field.name in shares else "",
            field.source,
            field.description,
        )
        for field in found
    ]
    text = console.table(["field", "type", "filled", "from", "what it says"], rows, right=(2,))
    text += f"\n{len(found)} of {len(catalogue)} fields of {name}. Next: icx fields {found[0].name}"
    return Result("fields/1", text, {"connection": name, "fields": [_data(field, shares) for field in found]})


def _data(field: object, shares: dict[str, float]) -> dict[str, object]:
    values = dict(vars(field))
    return values | {"filled": shares.get(str(values["name"]))}


@command(
    "lists",
    "Show lists with ids, sizes, and whether they mail a welcome.",
    "icx lists acme",
    "icx lists acme --json",
)
@click.argument("name", required=False)
def lists(obj: Obj, name: str | None) -> Result:
    options, console = obj
    ws = workspace(obj)
    saved = ws.connection(name or options.connection)
    frame = ws.lists(saved.name)
    entries: list[dict[str, Any]] = [
        {str(key): value for key, value in entry.items()} for entry in frame.to_dict("records")
    ]
    rows = [
        (
            one["list_id"],
            one["name"],
            f"{one['members']:,}",
            f"{one['pending']:,}",
            f"{one['unsubscribed']:,}",
            "mails a welcome" if one["welcome"] else "",
        )
        for one in entries
    ]
    if not rows:
        text = f"No list of {saved.name} is stored. Next: icx pull {saved.name}"
    else:
        text = console.table(
            ["id", "list", "members", "pending", "left", "welcome"], rows, right=(0, 2, 3, 4)
        )
        to = shlex.quote(f"{saved.name}/lists/#{rows[0][0]}")
        # A plan is made for a list of iContact only; people get into an audience of Mailchimp by a sync.
        then = "icx sync make --help" if saved.kind == "mailchimp" else f"icx plan AUDIENCE --to {to}"
        text += f"\nAs of the last pull. Next: {then}"
    return Result("lists/1", text, {"connection": saved.name, "lists": entries})
