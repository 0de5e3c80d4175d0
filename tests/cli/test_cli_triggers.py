"""Triggers by command: tried, saved, run dry and for real, shown, and forgotten with whom they fired for (M-01, M-02, M-22 to M-24)."""

from __future__ import annotations

import sys
from pathlib import Path

from typing_commands import Typed

ADD = ("triggers", "add", "Often", "--reaches", "opens_90d=3", "--command", f"{sys.executable} -c ''")


def test_triggers_from_the_first_look_to_an_erased_persons_firings(typed: Typed, copy: Path) -> None:
    dry = typed(*ADD, "--dry", "--json", workspace=copy).json
    assert (dry["saved"], dry["test"]["way"]) == (False, "counted")
    assert dry["test"]["fired"] == sum(week["fired"] for week in dry["test"]["weeks"])
    assert typed("triggers", "list", "--json", workspace=copy).json["triggers"] == []
    saved = typed(*ADD, workspace=copy)
    assert saved.out.startswith("Saved Often: when somebody's opens_90d reaches 3, command ")
    assert (copy / "data" / "triggers" / "Often.json").exists()
    for wrong in (("--enters", "Loyal in Durham"), ("--push", "acme/lists/Hot"), ("--tag", "vip")):
        assert typed(*ADD, *wrong, workspace=copy).code == 2
    assert (
        typed("triggers", "add", "X", "--reaches", "opens_90d=many", "--tag", "x", workspace=copy).code == 2
    )

    # nobody fires by being so already, until it is asked for and the number typed
    assert "nobody to do anything for" in typed("triggers", "run", "Often", workspace=copy).out
    asked = typed("triggers", "run", "Often", "--existing", workspace=copy)
    assert (asked.code, "kept   nothing was sent, and it fired for nobody" in asked.err) == (3, True)
    count = dry["test"]["already"]
    ran = typed(
        "triggers", "run", "Often", "--existing", "--confirm", f"existing={count}", "--json", workspace=copy
    )
    assert (ran.json["done"], ran.json["fired"]) == (count, count)

    shown = typed("triggers", "show", "Often", "--json", workspace=copy).json
    assert (shown["state"], shown["states"]) == ("active", {"done": count})
    who = str(shown["firings"][0]["contact_id"])
    assert "  triggers  Often: " in typed("person", who, workspace=copy).out
    held = typed("erase", who, "--dry", "--json", workspace=copy).json
    assert held["places"]["acme.trigger_firings"] == 1
    done = ("erase", who, "--confirm", f"erase={held['before']}", "--backups", "keep", "--json")
    assert typed(*done, workspace=copy).json["after"] == 0
    left = typed("triggers", "show", "Often", "--rows", "100000", "--json", workspace=copy).json
    assert who not in {str(one["contact_id"]) for one in left["firings"]}
    assert left["fired"] == count - 1

    # points that a trigger watches are not taken away under it
    assert typed("points", "add", "Opened", "1", "--event", "open", workspace=copy).code == 0
    assert (
        typed(
            "triggers", "add", "Rich", "--falls-below", "points=5", "--command", "true", workspace=copy
        ).code
        == 0
    )
    refused = typed("points", "remove", "Opened", "--yes", workspace=copy)
    assert (refused.code, "The trigger Rich watches `points`" in refused.err) == (3, True)
    gone = typed("triggers", "remove", "Rich", "--yes", workspace=copy).out
    assert "The way back: ws.trigger('Rich', f.points < 5, command=['true'])" in gone
