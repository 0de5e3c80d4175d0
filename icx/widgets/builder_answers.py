"""What the builder answers: figures of the whole document, and questions about one of its rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from icx import audience as audiences
from icx import mask
from icx.audience import Audience, Live
from icx.audience.html import cell
from icx.audience.live import Chosen
from icx.audience.passing import Running
from icx.audience.spread import Values
from icx.errors import IcxError
from icx.rules import EVERYBODY, Compare, Reading, Rule, code, segments
from icx.store import Connection
from icx.store.db import DatabaseError
from icx.widgets.base import Answer, told
from icx.widgets.document import Document, Tree, read, same_rule
from icx.widgets.fixes import fixes
from icx.widgets.inputs import list_names, title

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("first_name", "last_name")
SHOWN = 8

NOTHING: dict[str, Any] = {
    "total": None, "of": None, "human": None, "nodes": None, "errors": {}, "empty": None,
    "misses": [], "sentence": [], "sql": "", "params": 0, "python": "", "note": "",
}  # fmt: skip


def place(live: Live) -> dict[str, Any]:
    """Return whose people these are, as of when, and how many."""
    about = live.published.about
    moment = about.as_of.astimezone(live.zone)
    return {
        "connection": live.connection,
        "profile_as_of": f"{moment.day} {moment:%b %Y, %H:%M}",
        "contacts": about.people,
        "zone": str(live.zone),
    }


def counted(live: Live, tree: Tree, name: str, running: Running | None) -> dict[str, Any]:
    """Return the figures of every node of a document, or what is wrong at which."""
    document = read(tree)
    named = Audience(name, EVERYBODY if document.rule is None else document.rule)
    with live.read(named) as reading:
        document.check(reading)
        if document.errors:
            return NOTHING | {"of": live.published.about.people, "errors": _errors(document, reading)}
        shown = same_rule(named.rule)
        chosen = audiences.choice(live.people, shown, reading)
    found = live.count(named, running)
    return NOTHING | {
        "total": found.size,
        "of": found.of,
        "nodes": {
            document.ids[path]: {
                "before": own.before,
                "left": own.left,
                "dropped": own.dropped,
                "own": own.own,
                "alone": own.alone,
            }
            for path, own in found.nodes.items()
        },
        "empty": None if found.empty is None else _empty(live, document, found.empty, found.without),
        "misses": [
            {"id": document.ids[gate.path], "rule": gate.words(live.zone), "count": found.near[gate.path]}
            for gate in audiences.gates(named.rule)
        ],
        "sentence": [list(one) for one in segments(shown, live.zone)],
        "sql": chosen.text,
        "params": len(chosen.params),
        "python": code(shown),
    }


def human(live: Live, tree: Tree, name: str, running: Running | None) -> int | None:
    """Return the size of a document that was counted, without what machines probably did; see `Live.human`."""
    return live.human(Audience(name, rule_of(tree)), running)


def not_counted(error: Exception) -> dict[str, Any]:
    """Return the answer when nothing could be counted at all; what broke may hold people, so only its kind is told."""
    if isinstance(error, IcxError):
        return NOTHING | {"note": f"{error.message} {error.next_text()}".strip()}
    if isinstance(error, DatabaseError | OSError):
        return NOTHING | {"note": "What the last build published cannot be read; icx build writes it again."}
    return NOTHING | {"note": told(error)["message"]}


def values(
    live: Live,
    tree: Tree,
    node: str,
    field: str,
    *,
    key: str | None = None,
    search: str = "",
    only: Sequence[str] | None = None,
    limit: int = 50,
    running: Running | None = None,
) -> Answer:
    """Return which values those who reach a node have; of personal fields only how many have one."""
    reached = _reached(live, tree, node)
    hidden = field in live.people.catalogue and live.people.catalogue[field].pii
    with live.chosen(reached, running, field) as chosen:
        con, reading = chosen.con, chosen.reading
        if field == "@audience":
            names = [name for name in reading.lookup.audiences if search.casefold() in name.casefold()]
            shown = [{"value": name, "label": name, "count": None} for name in names[:limit]]
            return {"values": shown, "of": len(names), "none": None, "reach": None}
        if field == "@list":
            return _lists(chosen, search, only)
        found = audiences.values(
            con,
            reading,
            chosen.those,
            field,
            key=key,
            search=search,
            only=only,
            limit=limit,
            profile=chosen.profile,
        )
        labels = _subjects(con, key, found) if field.startswith("@event.") else {}
    listed = [
        {"value": value, "label": labels.get(value, mask.plain(value)), "count": n}
        for value, n in found.values
    ]
    return {
        "values": [] if hidden else listed,
        "of": found.different,
        "none": found.none,
        "reach": found.reach,
    } | ({"pii": True} if hidden else {})


def histogram(
    live: Live, tree: Tree, node: str, field: str, key: str | None, running: Running | None = None
) -> Answer:
    """Return how a number or a time lies among those who reach a node."""
    with live.chosen(_reached(live, tree, node), running, field) as chosen:
        found = audiences.histogram(chosen.con, chosen.reading, chosen.those, field, key, chosen.profile)

    def shown(value: Any) -> Any:
        return f"{value:%Y-%m-%dT%H:%M:%S}" if isinstance(value, datetime) else value

    return {
        "bins": [{"from": shown(low), "to": shown(high), "count": n} for low, high, n in found.bins],
        "low": shown(found.low),
        "high": shown(found.high),
        "median": shown(found.median),
    }


def sample(
    live: Live, tree: Tree, n: int, *, show: bool, seed: int, running: Running | None = None
) -> Answer:
    """Return some members; personal fields masked unless `show`, which only ever travels in this answer."""
    wanted: dict[str, Any] = {"show_people": show, "seed": seed, "also": NAMES, "running": running}
    found, size = live.sample(rule_of(tree), min(max(n, 1), 50), **wanted)
    return _people(live, found, show) | {"of": size}


def misses(
    live: Live, tree: Tree, node: str, n: int, *, show: bool, seed: int, running: Running | None = None
) -> Answer:
    """Return some people whom a node alone keeps out, as `sample` does, each with what they have there."""
    document = read(tree)
    rule, path = rule_of(tree), document.path(node)
    if path not in {gate.path for gate in audiences.gates(rule)}:
        return {"columns": [], "rows": [], "ids": [], "facts": [], "of": 0, "masked": not show}
    wanted: dict[str, Any] = {"show_people": show, "seed": seed, "also": NAMES, "running": running}
    found, facts, size = live.misses(rule, str(path), min(max(n, 1), 50), **wanted)
    return _people(live, found, show) | {"facts": facts, "of": size}


def _people(live: Live, found: pd.DataFrame, show: bool) -> Answer:
    columns = [name for name in found.columns if name != "contact_id"][:SHOWN]
    kinds = {name: live.people.catalogue[name].type for name in columns}
    rows = [
        [cell(value, live.zone, masked=not show) for value in row]
        for row in found[columns].itertuples(index=False, name=None)
    ]
    return {
        "columns": [
            {"name": name, "label": title(name), "num": kinds[name] in {"integer", "number"}}
            for name in columns
        ],
        "rows": rows,
        "ids": [int(one) for one in found["contact_id"]],
        "masked": not show,
    }


def breakdown(live: Live, tree: Tree, by: str, running: Running | None = None) -> Answer:
    found = live.breakdown(rule_of(tree), by, running=running)
    parts = [{"value": part.value, "count": part.count, "of": part.of} for part in found.parts]
    return {"parts": parts, "size": found.size, "people": found.people}


def why(live: Live, tree: Tree, who: str | int, running: Running | None = None) -> Answer:
    found = audiences.why(live.people, rule_of(tree), who, running)
    rows = []
    for row in found.reason.rows:
        mark = "yes" if row.holds else "NO" if row.decides else "no"
        rows.append({"mark": mark, "rule": row.english, "fact": found.reason.detail(row), "depth": row.depth})
    return {
        "who": found.who,
        "in": found.reason.inside,
        "rows": rows,
        "line": found.reason.headline(found.who),
    }


def rule_of(tree: Mapping[str, Any]) -> Rule:
    """Return the rule of a document; raises the first thing wrong with it."""
    document = read(tree)
    if document.rule is None:
        raise next(iter(document.errors.values()))
    return document.rule


def _errors(document: Document, reading: Reading) -> dict[str, Any]:
    return {
        node: {
            "code": error.code,
            "message": error.message,
            "fix": fixes(error, document.nodes[node], reading),
            "next": error.next_text(),
        }
        for node, error in document.errors.items()
    }


def _empty(live: Live, document: Document, path: str, without: int) -> dict[str, Any]:
    """Return where nobody is left, and which values would leave somebody."""
    assert document.rule is not None
    leaf = document.leaves.get(path)
    near: list[dict[str, Any]] = []
    if leaf is not None:
        about = leaf.field if isinstance(leaf, Compare) else ""
        with live.chosen(audiences.reaching(document.rule, path), about=about) as chosen:
            for value, n in audiences.closest(
                chosen.con, chosen.reading, chosen.those, leaf, profile=chosen.profile
            ):
                if mask.addresses_in(str(value)) == str(value):  # this is saved with the notebook
                    given = (
                        [value]
                        if isinstance(document.nodes[document.ids[path]].get("value"), list)
                        else value
                    )
                    near.append(
                        {"value": value, "label": mask.plain(value), "count": n, "set": {"value": given}}
                    )
    return {"id": document.ids[path], "closest": near, "without": without}


def _reached(live: Live, tree: Tree, node: str) -> Rule:
    """Return the rule of those who reach a node; rules that cannot be read yet keep nobody out."""
    document = read(tree)
    with live.read(EVERYBODY) as reading:
        document.check(reading)
    path = document.path(node)
    return EVERYBODY if path is None else audiences.reaching(document.partial, path)


def _lists(chosen: Chosen, search: str, only: Sequence[str] | None) -> Answer:
    reading = chosen.reading
    found = audiences.values(
        chosen.con, reading, chosen.those, "@list", limit=1_000_000, profile=chosen.profile
    )
    sizes = dict(found.values)
    listed = []
    for value, label in list_names(dict(reading.lookup.lists)):
        if search.casefold() in label.casefold() and (only is None or value in only):
            listed.append(
                {"value": value, "label": label, "count": sizes.get(reading.lookup.list_id(value, ""), 0)}
            )
    listed.sort(key=lambda one: -one["count"])
    return {"values": listed, "of": len(listed), "none": found.none, "reach": found.reach}


def _subjects(con: Connection, key: str | None, found: Values) -> dict[Any, str]:
    if key == "url":
        return {}
    rows = con.execute(
        "select message_id, coalesce(nullif(subject, ''), message_name) from messages"
        " where list_contains(?, message_id)",
        [[value for value, _ in found.values]],
    ).fetchall()
    return {
        number: f"{mask.plain(mask.written_in(subject))} (#{number})" for number, subject in rows if subject
    }
