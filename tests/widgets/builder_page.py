"""An audience builder without Python behind it: invented people and counts that agree with each other."""

from __future__ import annotations

import copy
from typing import Any

from bare import Bare, View

from icx.widgets.base import module


def ops(*each: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"op": op, "label": label, "input": kind} for op, label, kind in each]


NUMBER = ops(
    (">=", "at least", "one"), ("<=", "at most", "one"), ("=", "is", "one"), ("between", "between", "pair"),
    ("in", "is any of", "many"), ("notNull", "has a value", "none"), ("null", "has no value", "none"),
)  # fmt: skip
OPERATORS = {
    "text": [
        *ops(
            ("in", "is any of", "many"), ("notIn", "is none of", "many"), ("=", "is", "one"), ("contains", "contains", "one"),
            ("beginsWith", "starts with", "one"), ("notNull", "has a value", "none"), ("null", "has no value", "none"),
        ),
        {"op": "containsIgnoreCase", "label": "contains, in any case", "input": "one", "any_case": True},
    ],
    "integer": NUMBER,
    "number": NUMBER,
    "boolean": ops(("=", "is", "one"), ("notNull", "has a value", "none")),
    "time": [
        *ops(("within", "within the last", "days"), ("within", "in the current", "this"), ("notWithin", "not within the last", "days")),
        *ops((">=", "from", "date"), ("<", "before", "date"), ("between", "between", "pair-date"), ("null", "never", "none")),
    ],
    "set": ops(("in", "has any of", "many"), ("has", "has", "one"), ("null", "is empty", "none")),
    "map": ops(("has", "has", "one"), ("in", "has any of", "many")),
    "list": ops(("on", "is on", "one"), ("not on", "is not on", "one"), ("unsubscribed", "has left", "one")),
    "audience": ops(("in", "is in", "one"), ("notIn", "is not in", "one")),
    "event": ops((">=", "at least", "event"), ("<=", "at most", "event"), ("=", "exactly", "event"), ("between", "between", "event")),
}  # fmt: skip


def field(name: str, label: str, kind: str, group: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": kind,
        "group": group,
        "pii": False,
        "description": label,
        "keys": None,
    } | more


CATALOGUE = [
    field("@event.open", "Opened", "event", "Events"),
    field("@event.click", "Clicked a link", "event", "Events"),
    field("city", "City", "text", "Person"),
    field("email", "E-mail", "text", "Person", pii=True),
    field("ic_user_created", "Created", "time", "Person"),
    field("engagement_tier", "Engagement tier", "text", "Engagement"),
    field("email_last_click_ts", "Last click", "time", "Engagement"),
    field("points", "Points total", "integer", "Custom"),
    field("vip", "VIP", "boolean", "Custom"),
    field("interests", "Interests", "set", "Custom"),
    field("visits", "Visits", "map", "Attached", of="integer", keys=["shop", "web"]),
    field("@list", "List", "list", "Lists", values=[{"value": "Durham regulars", "label": "Durham regulars"}, {"value": "All", "label": "All"}]),
    field("@audience", "Audience", "audience", "Audiences", values=[{"value": "Lapsed", "label": "Lapsed"}]),
]  # fmt: skip

RULE = {
    "id": "root", "combinator": "and", "not": False, "rules": [
        {"id": "opened", "field": "@event.open", "operator": ">=", "value": 3, "days": 90, "distinct": "messages"},
        {"id": "city", "field": "city", "operator": "in", "value": ["Durham", "Chapel Hill", "Research Triangle Park"]},
        {"id": "any", "combinator": "or", "not": False, "rules": [
            {"id": "clicked", "field": "@event.click", "operator": ">=", "value": 1, "days": 180, "url": {"operator": "contains", "value": "/members"}},
            {"id": "points", "field": "points", "operator": ">=", "value": 50},
        ]},
        {"id": "not", "combinator": "and", "not": True, "rules": [
            {"id": "last", "field": "email_last_click_ts", "operator": "within", "value": {"days": 7}},
        ]},
    ],
}  # fmt: skip


def counted(before: int, left: int, own: int | None = None, alone: int | None = None) -> dict[str, Any]:
    return {
        "before": before,
        "left": left,
        "dropped": before - left,
        "own": own if own is not None else left,
        "alone": alone,
    }


ANSWERS: dict[str, Any] = {
    "rev": 1, "ms": 38.2, "total": 1604, "of": 248310, "human": None, "before": 1812,
    "nodes": {
        "root": counted(248310, 1604), "opened": counted(248310, 31482), "city": counted(31482, 4918), "any": counted(4918, 1812),
        "clicked": counted(4918, 612, 612, 466), "points": counted(4918, 1346, 1346, 1200), "not": counted(1812, 1604), "last": counted(1812, 208),
    },
    "errors": {}, "empty": None, "note": "",
    "misses": [
        {"id": "opened", "rule": "opened at least 3 different messages in the last 90 days", "count": 2415},
        {"id": "city", "rule": "city is Durham, Chapel Hill or Research Triangle Park", "count": 9377},
        {"id": "any", "rule": "any of: clicked a link containing “/members”, at least 50 points", "count": 2844},
        {"id": "last", "rule": "did not click in the last 7 days", "count": 208},
    ],
    "sentence": [
        ["Contacts who ", ""], ["opened at least 3 messages in the last 90 days", "strong"], [" and ", "muted"], ["live in ", ""],
        ["Durham, Chapel Hill or Research Triangle Park", "strong"], [" and ", "muted"], ["(", ""], ["clicked a link containing “/members”", "strong"],
        [" or ", "muted"], ["have ", ""], ["at least 50 points", "strong"], ["), ", ""], ["but not", "muted"], [" those who ", ""], ["clicked in the last 7 days", "strong"], [".", ""],
    ],
    "sql": "select p.ic_contact_id\nfrom acme.profile p\nwhere p.messages_opened_90d >= $1 and p.city in ($2, $3, $4)", "params": 5,
    "python": 'ws.audience("Loyal in Durham", f.opened(3, days=90, distinct="messages") & f.city.is_in("Durham", "Chapel Hill"))',
    "sizes": [9120, 6480, 6480, 4918, 2410, 1990, 1812, 1604], "at": "09:12:04",
}  # fmt: skip

PLACE = {
    "connection": "acme",
    "profile_as_of": "21 Nov 2026, 07:02",
    "contacts": 248310,
    "zone": "America/New_York",
}
CITIES = [
    ("Durham", 3902),
    ("Chapel Hill", 902),
    ("Research Triangle Park", 114),
    ("Durham-on-Sea and the Greater Harbour District", 38),
]
HEIGHTS = [46, 61, 70, 58, 44, 39, 30, 26, 20, 17, 12, 9, 7, 5, 4, 2]
MEMBERS = [
    ["j…@e….com", "Jo M.", "Durham", 14, "9 Nov", 212],
    ["a…@e….org", "Ada K.", "Durham", 11, "28 Oct", 96],
    ["b…@e….com", "Bartholomew-James Featherstone", "Chapel Hill", 9, "12 Nov", 54],
    ["r…@e….org", "Rui S.", "Durham", 7, None, 61],
    ["m…@e….com", None, "Research Triangle Park", 3, "2 Sep", 50],
]
SHOWN = ["jo@example.com", "ada@example.org", "bart@example.com", "rui@example.org", "mia@example.com"]


def traits(**changes: Any) -> dict[str, Any]:
    return {
        "tree": copy.deepcopy(RULE), "rev": 1, "name": "Loyal in Durham", "saved": {"name": "Loyal in Durham", "same": True},
        "catalogue": CATALOGUE, "operators": OPERATORS, "place": PLACE, "answers": copy.deepcopy(ANSWERS),
    } | changes  # fmt: skip


def values(given: dict[str, Any]) -> dict[str, Any]:
    if given["key"] == "message":
        found = [
            {"value": 101, "label": "Autumn sale", "count": 812},
            {"value": 102, "label": "Winter news", "count": 640},
        ]
    else:
        found = [
            {"value": name, "label": name, "count": count}
            for name, count in CITIES
            if given["search"].lower() in name.lower()
        ]
    if given.get("only"):
        found = [each for each in found if each["value"] in given["only"]]
    return {"values": found, "of": 1204, "none": 3417, "reach": 31482}


def sample(given: dict[str, Any]) -> dict[str, Any]:
    columns = [
        ("email", "Address", False),
        ("name", "Name", False),
        ("city", "City", False),
        ("opens", "Opens", True),
        ("last", "Last click", True),
        ("points", "Points", True),
    ]
    rows = (
        [[shown, *row[1:]] for row, shown in zip(MEMBERS, SHOWN, strict=True)] if given["show"] else MEMBERS
    )
    return {
        "columns": [{"name": name, "label": label, "num": num} for name, label, num in columns], "rows": rows,
        "ids": [1, 2, 3, 4, 5], "of": 1604, "masked": not given["show"],
    }  # fmt: skip


def misses(given: dict[str, Any]) -> dict[str, Any]:
    cities = ["Leeds", "Raleigh", "no value", "Cary", "Durham, UK"]
    return sample(given) | {"facts": cities, "of": 9377, "ids": [11, 12, 13, 14, 15]}


def breakdown(given: dict[str, Any]) -> dict[str, Any]:
    rows = [
        ("Engaged 30 d", 978, 44696),
        ("Engaged 60 d", 433, 22348),
        ("Engaged 90 d", 193, 12416),
        ("Lapsed", 0, 101807),
        (None, 0, 67043),
    ]
    return {
        "parts": [{"value": value, "count": count, "of": of} for value, count, of in rows],
        "size": 1604,
        "people": 248310,
    }


def why(given: dict[str, Any]) -> dict[str, Any]:
    rows = [
        ("yes", "opened at least 3 different messages", "14 different messages"),
        ("NO", "city is Durham", "Leeds"),
        ("no", "clicked a link", "never"),
    ]
    return {
        "who": given["who"],
        "in": False,
        "line": f"{given['who']} is out because of the second rule.",
        "rows": [{"mark": m, "rule": r, "fact": f} for m, r, f in rows],
    }


def answers(**changes: Any) -> dict[str, Any]:
    return {
        "alive": {}, "values": values, "sample": sample, "breakdown": breakdown, "misses": misses, "why": why, "stop": {},
        "histogram": {"bins": [{"from": n * 40, "to": (n + 1) * 40, "count": count} for n, count in enumerate(HEIGHTS)], "low": 0, "high": 640, "median": 18},
        "save": lambda given: {"name": given["name"]},
    } | changes  # fmt: skip


def plain(node: dict[str, Any]) -> dict[str, Any]:
    """The rule's JSON without the browser's ids."""
    rest = {key: value for key, value in node.items() if key != "id"}
    return rest | {"rules": [plain(each) for each in rest["rules"]]} if "rules" in rest else rest


def everybody(changes: dict[str, Any]) -> dict[str, Any] | None:
    """Count at once: everybody stays; the number of a size is enough where only editing is looked at."""
    rev = changes.get("rev")
    return (
        None
        if rev is None
        else {"answers": ANSWERS | {"rev": rev, "nodes": {}, "total": 1604 - rev, "before": 1605 - rev}}
    )


def builder(
    bare: Bare, state: dict[str, Any] | None = None, *, told: dict[str, Any] | None = None, **options: Any
) -> View:
    view = bare(
        module("builder"), state or traits(), answers=told if told is not None else answers(), **options
    )
    view.page.get_by_role("region", name="Audience builder").wait_for()
    return view


EVERYBODY = {"combinator": "and", "not": False, "rules": []}
EVIL = """<img src=x onerror="hit()"><b>bold</b>"""
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnungsfreundeskreis"


def blank(**changes: Any) -> dict[str, Any]:
    """A new audience: everybody."""
    return traits(tree=EVERYBODY, name="", saved={"name": None, "same": False}, **changes)


def rule_of(view: View) -> dict[str, Any]:
    return plain(view.trait("tree"))


def pick(view: View, name: str, value: str) -> None:
    view.page.get_by_role("combobox", name=name).select_option(value)


def menu(view: View, row: str, item: str) -> None:
    view.page.get_by_role("button", name=f"Menu of {row}", exact=True).click()
    view.page.get_by_role("menuitem", name=item, exact=True).click()


def focused(view: View) -> str:
    return str(
        view.page.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        )
    )


def bump(view: View, text: str = "60") -> int:
    box = view.page.get_by_role("textbox", name="Number, rule 4")
    box.fill(text)
    box.press("Enter")
    return int(view.trait("rev"))


def crowded(name: str) -> dict[str, Any]:
    """A rule in which every name is `name`, with a million contacts."""
    state = traits(name=name, place=PLACE | {"connection": name, "contacts": 1_000_000})
    state["catalogue"] = [
        each | {"label": f"{each['label']} {name}", "group": name} for each in state["catalogue"]
    ]
    state["tree"]["rules"][1]["value"] = [name, "Durham"]
    big = {key: counted(1_000_000, 987_654, 987_654, 876_543) for key in ANSWERS["nodes"]}
    state["answers"] = ANSWERS | {
        "total": 987_654,
        "of": 1_000_000,
        "nodes": big,
        "sentence": [[f"people whose city is {name}", "strong"]],
        "sql": name,
        "python": name,
        "sizes": [1_000_000, 987_654],
    }
    return state


def evil_answers(name: str) -> dict[str, Any]:
    columns = [
        {"name": "email", "label": name, "num": False},
        {"name": "city", "label": "City", "num": False},
    ]
    return answers(
        values={"values": [{"value": name, "label": name, "count": 1}], "of": 1, "none": 2, "reach": 3},
        sample={"columns": columns, "rows": [[name, name]], "ids": [1], "of": 1, "masked": True},
        breakdown={"parts": [{"value": name, "count": 1, "of": 2}], "size": 1, "people": 2},
        why={"who": name, "in": False, "line": name, "rows": [{"mark": "NO", "rule": name, "fact": name}]},
    )
