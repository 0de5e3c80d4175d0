"""Points by command: added, counted, looked up, erased, and what is asked before anything changes (M-33 to M-37)."""

from __future__ import annotations

from pathlib import Path

from typing_commands import Typed

ADD = (
    "points",
    "add",
    "Clicked a sale",
    "10",
    "--event",
    "click",
    "--url",
    "sale",
    "--each",
    "--group",
    "interest",
)


def test_points_from_the_first_look_to_an_erased_persons_lines(typed: Typed, copy: Path) -> None:
    dry = typed(*ADD, "--dry", "--json", workspace=copy).json
    assert (dry["saved"], dry["test"]["fired"]) == (
        False,
        sum(week["fired"] for week in dry["test"]["weeks"]),
    )
    short = typed(*ADD, "--days", "0", workspace=copy)
    assert (short.code, "kept   nothing was started" in short.err) == (2, True)
    assert typed("points", "list", "--json", workspace=copy).json["actions"] == []
    assert typed(*ADD, workspace=copy).out.startswith(
        "Saved Clicked a sale in interest: +10 each time somebody clicked"
    )
    assert typed("points", "add", "Left", "-5", "--event", "unsubscribe", workspace=copy).code == 0
    assert (copy / "data" / "points" / "Clicked a sale.json").exists()

    assert " awards of points" in typed("build", workspace=copy).out
    listed = typed("points", "list", "--json", workspace=copy).json
    sale = listed["actions"][0]
    assert (sale["state"], sale["awards"], sale["points"]) == (
        "counted",
        dry["test"]["next_build"]["awards"],
        10 * sale["awards"],
    )
    assert listed["points"] == sum(one["points"] for one in listed["actions"])
    assert typed("points", "recount", "--json", workspace=copy).json["equal"] is True

    # the totals are fields, and a field can be asked for in a rule
    (copy / "rich.json").write_text('{"field": "points_interest", "operator": ">=", "value": 10}')
    rich = typed("audience", "save", "Rich", "--rule", str(copy / "rich.json"), "--json", workspace=copy).json
    assert rich["count"] == sale["people"]
    assert typed("points", "remove", "Left", "--json", workspace=copy).json["removed"] is False
    refused = typed("points", "remove", "Clicked a sale", "--yes", workspace=copy)
    assert (refused.code, "points-used" in refused.err) == (3, True)

    # a changed action says what would change, and is kept as it was
    more = typed(*ADD[:3], "20", *ADD[4:], workspace=copy)
    assert (more.code, "points-change" in more.err) == (3, True)
    assert f"{sale['points']:,} points → " in more.err
    assert typed(*ADD[:3], "20", *ADD[4:], "--replace", workspace=copy).code == 0
    assert typed("points", "show", "Clicked a sale", "--json", workspace=copy).json["state"] == "changed"

    # a note alone changes nobody's points
    noted = typed(*ADD[:3], "20", *ADD[4:], "--description", "for sales", workspace=copy)
    assert (noted.code, "for sales" in typed("points", "show", "Clicked a sale", workspace=copy).out) == (
        0,
        True,
    )

    # whoever is erased is in no ledger any more
    who = str(typed("audience", "show", "Rich", "--sample", "1", "--json", workspace=copy).json["sample"][0])
    ledger = typed("points", "ledger", who, "--json", workspace=copy).json
    assert ledger["total"] == sum(line["amount"] for line in ledger["lines"]) != 0
    assert {line["event_type"] for line in ledger["lines"]} <= {"click", "unsubscribe"}
    assert "  points    " in typed("person", who, workspace=copy).out
    shown = typed("erase", who, "--dry", "--json", workspace=copy).json
    assert shown["places"]["acme.points_ledger"] == len(ledger["lines"])
    for command in (("points", "ledger"), ("person",)):
        nowhere = typed(*command, who, "--connection", "nowhere", workspace=copy)
        assert (nowhere.code, "[connection-unknown]" in nowhere.err) == (2, True)
