"""What a sync may say, how it is kept, and what is refused before anything is read or sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from memory import Bench, system

from icx.errors import IcxError
from icx.sync import Act, Line, Rule, Sync, When, checked, from_dict
from icx.sync.files import everything, load, save
from icx.workspace import Workspace

FULL = Sync(
    "full",
    "crm",
    "mail",
    (Line("tier", "cf_tier", "a>b", blank=True, winner="b"), Line.parse("state <- @status")),
    (
        Rule("a", (When("field", "at least", "spent", "9"),), "update", (Act("join", "Gold", undo=True),)),
        Rule("b"),
    ),
    "b",
    alike=False,
    unsubscribes={"a": "field no_mail"},
    basis="customers",
)


def refused(what: Callable[[], object]) -> IcxError:
    with pytest.raises(IcxError) as error:
        what()
    assert error.value.kept
    assert error.value.next
    return error.value


def test_a_sync_is_a_readable_file_and_comes_back_as_it_was(tmp_path: Path) -> None:
    path = save(tmp_path, FULL)
    assert load(tmp_path, "full") == FULL
    assert everything(tmp_path) == [FULL]
    assert refused(lambda: load(tmp_path, "ful")).code == "sync-unknown"
    assert refused(lambda: save(tmp_path, Sync("Full", "crm", "mail"))).code == "sync-value"
    path.write_text('{"name": "full", "a": "crm", "b": "mail", "winer": "b"}', encoding="utf-8")
    assert "`winer` is nothing a sync has" in refused(lambda: load(tmp_path, "full")).message
    path.write_text("{", encoding="utf-8")
    assert refused(lambda: load(tmp_path, "full")).code == "sync-value"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Sync("", "crm", "mail"), "name of its own"),
        (Sync("x", "crm", "crm"), "in step with itself"),
        (Sync("x", "crm", "mail", winner="crm"), "cannot win"),
        (Sync("x", "crm", "mail", rules=()), "moves nobody"),
        (Sync("x", "crm", "mail", (Line("email", "email"),)), "matched by"),
        (Sync("x", "crm", "mail", (Line("@status", "state"),)), "can be read only"),
        (Sync("x", "crm", "mail", rules=(Rule("a", (When("list", "has", "x"),)),)), "no condition"),
        (Sync("x", "crm", "mail", rules=(Rule("a", then=(Act("delete", "x"),)),)), "delete x"),
        (
            Sync("x", "crm", "mail", rules=(Rule("a", then=(Act("unsubscribe", "x", undo=True),)),)),
            "taken back",
        ),
        (Sync("x", "crm", "mail", unsubscribes={"a": "list x"}), "show an unsubscribe"),
    ],
)
def test_what_a_sync_cannot_say_is_refused_before_it_is_saved(wrong: Sync, says: str) -> None:
    error = refused(lambda: checked(wrong))
    assert error.code == "sync-value"
    assert says in error.message
    assert refused(lambda: from_dict(wrong.as_dict() | {"lines": [{"a": 1}]})).code == "sync-value"


def test_what_cannot_work_between_these_systems_is_refused_before_anything_is_planned(tmp_path: Path) -> None:
    bench = Bench(tmp_path, crm=system("crm"), mail=system("mail", can=frozenset({"make"})))
    for sync, code in (
        (Sync("x", "crm", "mail", (Line("nmae", "name"),)), "field-unknown"),
        (Sync("x", "crm", "mail", rules=(Rule("b", then=(Act("join", "Nwes"),)),)), "list-unknown"),
        (Sync("x", "crm", "mail", rules=(Rule("a", then=(Act("tag", "vip"),)),)), "cannot-map"),
        (Sync("x", "crm", "mail", (Line("name", "tier"), Line("tier", "tier"))), "sync-loop"),
    ):
        assert refused(lambda sync=sync: bench.plan(sync)).code == code  # type: ignore[misc]
    bench.close()


def test_a_saved_sync_is_changed_on_purpose_only_and_rests_when_asked(tmp_path: Path) -> None:
    with Workspace(tmp_path) as ws:
        for name in ("crm", "mail"):
            (tmp_path / f"{name}.csv").write_text(
                "id,email,city\n1,ada@example.com,Durham\n", encoding="utf-8"
            )
            ws.accounts.connect_table(name, str(tmp_path / f"{name}.csv"), "id", writable=["city"])
        made = ws.sync("both", "crm", "mail")
        assert ws.sync("both", "crm", "mail") == made
        assert refused(lambda: ws.sync("both", "crm", "mail", winner="mail")).code == "sync-change"
        assert ws.sync("both", "crm", "mail", winner="mail", replace=True).winner == "b"
        plan = made.plan()
        made.pause("stock-taking")
        assert refused(plan.apply).code == "sync-paused"
        assert refused(Sync("x", "crm", "mail").plan).code == "sync-unbound"
        assert ws.sync("both").paused is not None
