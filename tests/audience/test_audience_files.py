"""Saved audiences: names kept safely, written whole, cycles and use respected."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.audience import Audience, delete, everything, file_name, load, names, read, save, used_by
from icx.errors import BadInput, Damaged, NeedsYou
from icx.rules import EVERYBODY, Compare, InAudience

CITY = Compare("city", "=", "Durham")


def uses(*others: str) -> InAudience:
    return InAudience("in", others[0])


def test_a_saved_audience_is_loaded_as_it_was(tmp_path: Path) -> None:
    given = Audience("Loyal in Durham", CITY & ~Compare("opens_90d", ">=", 3), "acme", "for the autumn")
    path = save(tmp_path / "audiences", given)
    assert path.name == "Loyal in Durham.json"
    assert load(tmp_path / "audiences", "Loyal in Durham") == given
    assert path.read_text().endswith("}\n")
    assert json.loads(path.read_text())["icx"] == 1


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a/b",
        "..",
        ".",
        "CON",
        "Größe ☂",
        "a" * 200,
        "漢" * 100,
        "50 % off: now?",
        "x\\y",
        "~",
    ],
)
def test_any_name_is_kept_inside_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "audiences"
    path = save(folder, Audience(name, CITY))
    assert path.parent == folder
    assert [one.name for one in folder.iterdir()] == [path.name]
    assert load(folder, name).name == name
    assert names(folder) == [name]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=2, unique=True))
def test_no_two_names_share_a_file(pair: list[str]) -> None:
    first, second = map(file_name, pair)
    assert first != second
    for name in (first, second):
        assert Path(name).name == name
        assert not name.startswith(".")
        assert len(name.encode(errors="surrogatepass")) <= 255


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x1bb", "x" * 201])
def test_a_name_nobody_could_type_again_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput) as caught:
        save(tmp_path, Audience(name, CITY))
    assert caught.value.code == "audience-name"
    assert not list(tmp_path.iterdir())


def test_names_keep_their_case_and_do_not_differ_in_case_alone(tmp_path: Path) -> None:
    save(tmp_path, Audience("GOLD Club", CITY))
    with pytest.raises(BadInput, match='"GOLD Club" already'):
        save(tmp_path, Audience("Gold club", EVERYBODY))
    assert load(tmp_path, "GOLD Club").rule == CITY


def test_saving_again_replaces_and_a_failure_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, Audience("Gold", CITY))
    save(tmp_path, Audience("Gold", EVERYBODY))
    assert load(tmp_path, "Gold").rule == EVERYBODY

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, Audience("Gold", CITY))
    monkeypatch.undo()
    assert load(tmp_path, "Gold").rule == EVERYBODY
    assert [one.name for one in tmp_path.iterdir()] == ["Gold.json"]


def test_a_cycle_is_refused_at_save_with_its_path(tmp_path: Path) -> None:
    save(tmp_path, Audience("Gold", CITY))
    save(tmp_path, Audience("Silver", uses("Gold") & CITY))
    save(tmp_path, Audience("Bronze", ~uses("Silver")))
    with pytest.raises(NeedsYou) as caught:
        save(tmp_path, Audience("Gold", uses("Bronze") | CITY))
    assert caught.value.code == "audience-cycle"
    assert caught.value.message == "Gold uses Bronze, which uses Silver, which uses Gold."
    assert load(tmp_path, "Gold").rule == CITY
    with pytest.raises(NeedsYou, match="New uses New"):
        save(tmp_path, Audience("New", uses("New")))


def test_an_unknown_audience_is_refused_at_save(tmp_path: Path) -> None:
    save(tmp_path, Audience("Gold", CITY))
    with pytest.raises(BadInput, match=r'no audience "gold"\. Nearest: Gold'):
        save(tmp_path, Audience("Silver", uses("gold")))


def test_an_audience_that_is_used_cannot_be_deleted(tmp_path: Path) -> None:
    save(tmp_path, Audience("Gold", CITY))
    save(tmp_path, Audience("Silver", uses("Gold")))
    assert used_by(tmp_path, "Gold") == ["Silver"]
    with pytest.raises(NeedsYou) as caught:
        delete(tmp_path, "Gold", jobs=["weekly"])
    assert caught.value.code == "audience-used"
    assert caught.value.message == 'Gold is used by Silver and the job "weekly".'
    assert caught.value.kept == "nothing was deleted"
    delete(tmp_path, "Silver")
    delete(tmp_path, "Gold")
    assert names(tmp_path) == []


def test_an_unknown_audience_names_the_nearest(tmp_path: Path) -> None:
    save(tmp_path, Audience("Loyal in Durham", CITY))
    with pytest.raises(BadInput) as caught:
        load(tmp_path, "Loyal in Duram")
    assert caught.value.next == [["icx", "audience", "show", "Loyal in Durham"]]
    with pytest.raises(BadInput):
        delete(tmp_path, "Loyal in Duram")


def test_a_bare_rule_and_the_wrapper_are_both_read(tmp_path: Path) -> None:
    bare = tmp_path / "loyal.json"
    bare.write_text(
        '{"combinator":"AND","rules":[{"id":"1","field":"city","operator":"=","value":"Durham"}]}'
    )
    assert read(bare).name == "loyal"
    wrapped = tmp_path / "w.json"
    wrapped.write_text('{"icx":1,"name":"Gold","rule":{"field":"city","operator":"=","value":"Durham"}}')
    assert read(wrapped) == Audience("Gold", CITY)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '"x"', '{"icx":1,"name":5,"rule":{"combinator":"and","rules":[]}}', "\xff"]
)
def test_a_file_that_is_no_audience_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput) as caught:
        read(path)
    assert "bad.json" in caught.value.where_text()


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    save(tmp_path, Audience("Gold", CITY))
    (tmp_path / "bad.json").write_text("{")
    assert names(tmp_path) == ["Gold"]
    assert [saved.error is not None for saved in everything(tmp_path)] == [False, True]
    assert list(everything(tmp_path / "not there")) == []


def test_a_file_of_a_newer_icx_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    path.write_text('{"icx":2,"name":"Gold","rule":{"combinator":"and","rules":[]}}')
    with pytest.raises(Damaged) as caught:
        read(path)
    assert caught.value.code == "made-by-newer"


def test_a_file_renamed_by_hand_is_still_found_by_its_name(tmp_path: Path) -> None:
    save(tmp_path, Audience("Gold", CITY)).rename(tmp_path / "renamed.json")
    assert load(tmp_path, "Gold").rule == CITY
    assert delete(tmp_path, "Gold").name == "renamed.json"
