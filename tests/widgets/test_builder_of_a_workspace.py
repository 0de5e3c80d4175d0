"""`ws.builder` on a pulled account: it counts what the audience counts, saves what `ws.audience` gives back."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from icx.audience import Audience
from icx.errors import NeedsYou
from icx.rules import Rule
from icx.widgets.document import tree_of
from icx.workspace import Workspace


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    path: Path = tmp_path_factory.mktemp("clicked")
    with Workspace.with_sandbox(path, name="acme", contacts=60, messages=6) as made:
        made.pull("acme")
        with pytest.raises(NeedsYou, match="no published profile"):
            made.builder()
        made.build("acme")
        yield made


def rules(ws: Workspace) -> list[Rule]:
    f = ws.fields
    return [
        (f.opens_365d >= 1) & ((f.city == "Durham") | f.clicked(days=365)) & ~f.email_last_click_ts.within(days=7),
        f.opened(2, human=True) | f.on_list("Newsletter", "unsubscribed"),
        f.engagement_tier.is_in("lapsed", "never_engaged") & f.hashedurls.has_value(),
    ]  # fmt: skip


def test_it_counts_what_the_audience_counts_node_by_node(ws: Workspace) -> None:
    view = ws.builder()
    for rule in rules(ws):
        view.audience = Audience("Some", rule)
        said = view.wait(20).answers
        counted = view.audience.count()
        assert (said["total"], said["of"], said["human"]) == (counted.count, counted.of, counted.count_human)
        steps = [said["nodes"][node["id"]] for node in view.tree["rules"]]
        assert [step["left"] for step in steps] == [step.left for step in counted.steps]
        assert [step["alone"] for step in steps] == [step.only for step in counted.steps]
    view.close()


def test_what_it_saves_is_what_code_gives_back(ws: Workspace) -> None:
    rule = rules(ws)[0]
    view = ws.builder(rule)
    assert view.answer("save", {"rule": tree_of(rule), "name": "Clicked"})["ok"]
    assert ws.audience("Clicked") == view.audience
    assert ws.audience("Clicked").rule == rule
    again = ws.builder("Clicked").wait(20)
    assert again.saved == {"name": "Clicked", "same": True}
    for one in (view, again):
        one.close()


def test_a_cell_that_is_run_again_reads_the_people_once(ws: Workspace) -> None:
    """Widgets are kept for as long as the kernel lives, each with its worker; what they count from is one."""
    views = [ws.builder() for _ in range(3)]
    assert len({id(view._live) for view in views}) == len(ws.lives) == 1
    views[0].close()
    assert views[1].wait(20).answers["total"] == views[1].answers["of"]
    for view in views[1:]:
        view.close()
    del views, view
    gc.collect()
    assert len(ws.lives) == 0
