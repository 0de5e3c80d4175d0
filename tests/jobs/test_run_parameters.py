"""Parameters of a notebook: read without running it, and every wrong one refused before a kernel starts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from books import book

import icx
from icx.errors import BadInput
from icx.jobs import inside
from icx.jobs.parameters import Parameter, checked, of_notebook, of_source, typed
from icx.workspace import Workspace

DECLARED = """
from datetime import date  # what is imported is no parameter
# Whose city, as it stands
# in their profile.
city: str = "Durham"
days: int = 90  # how far back
share: float = 0.5
stale: Literal["stay", "park"] = "stay"  # members no longer in the audience
since: date | None = None  # only people made after this day
lists: list[int] = [3004]
confirm: dict = {}  # answers to the plan's stops
note: "Optional[str]" = f"of {city}"  # worked out, and yet it can be given
audience: str  # has to be given
plain = "x=y"
total = days * 2
apply: bool = False  # send; otherwise nothing is sent
"""
NB = Path("05-push.ipynb")


@pytest.fixture(scope="module")
def known() -> dict[str, Parameter]:
    return {one.name: one for one in of_source(DECLARED)}


def refused(known: dict[str, Parameter], *words: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        typed(NB, known, words)
    assert (caught.value.code, caught.value.exit_code) == ("parameter", 2)
    assert caught.value.kept == "the notebook was not started"
    return caught.value


def test_what_is_declared_is_read_with_types_defaults_and_comments(known: dict[str, Parameter]) -> None:
    names = "city days share stale since lists confirm note audience plain apply"
    assert list(known) == names.split()
    assert known["city"].description == "Whose city, as it stands in their profile."
    assert known["days"].as_dict() == {
        "name": "days", "type": "int", "takes": "a whole number", "default": "90", "required": False,
        "description": "how far back",
    }  # fmt: skip
    assert known["stale"].kind.words == "one of stay, park"
    assert known["since"].kind.words == "a date such as 2026-03-01, or empty"
    assert known["audience"].default is None
    assert known["note"].kind.optional


def test_reading_declarations_runs_nothing(tmp_path: Path) -> None:
    path = book(tmp_path / "a.ipynb", parameters=f"city: str = open({str(tmp_path / 'made')!r}, 'w').name")
    assert list(of_notebook(path)) == ["city"]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("city=New Bern, NC", "New Bern, NC"), ("city=", ""), ("city=a=b", "a=b"), ("city=false", "false"),
        ("days=-7", -7), ("share=1e-3", 0.001), ("apply=false", False), ("apply=Yes", True), ("apply=0", False),
        ("stale=park", "park"), ("since=2026-03-01", date(2026, 3, 1)), ("since=none", None), ("since=", None),
        ("lists=[3004, 3007]", [3004, 3007]), ("lists=3004", [3004]), ('confirm={"growth": 14}', {"growth": 14}),
        ("note=", None), ("note=none", "none"), ("plain=y", "y"),
    ],
)  # fmt: skip
def test_a_typed_word_becomes_a_value_of_the_declared_type(
    known: dict[str, Parameter], word: str, value: Any
) -> None:
    (found,) = typed(NB, known, [word]).values()
    assert found == value
    assert type(found) is type(value)


def test_a_list_takes_its_items_one_at_a_time(known: dict[str, Parameter]) -> None:
    assert typed(NB, known, ["lists=1", "lists=2", "lists=[3]"]) == {"lists": [1, 2, 3]}


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("days=seven", "`days` is a whole number; `seven` is not."), ("days=7.5", "a whole number"),
        ("days=1_000", "a whole number"), ("share=nan", "a number"), ("share=1e999", "a number"),
        ("apply=maybe", "`apply` is true or false; `maybe` is not."), ("stale=leave", "one of stay, park"),
        ("since=1 March", "a date such as 2026-03-01"), ("since=2026-02-30", "a date"), ("lists=a", "a whole number"),
        ('lists=["a"]', "a list of whole numbers"), ("confirm=growth", "a JSON object"), ("lists=[1,", "as JSON"),
        ("days=", "a whole number"), ("city", "gives no value"),
    ],
)  # fmt: skip
def test_a_word_of_another_type_is_refused_with_what_would_be_right(
    known: dict[str, Parameter], word: str, says: str
) -> None:
    assert says in refused(known, word).message


def test_an_unknown_name_is_refused_with_the_nearest_and_the_command_to_type(
    known: dict[str, Parameter],
) -> None:
    error = refused(known, "cty=Durham")
    assert error.message == "05-push.ipynb has no parameter `cty`. Nearest: `city`."
    assert error.where == "-p cty=Durham"
    assert error.next == [["icx", "run", "05-push.ipynb", "-p", "city=Durham"]]
    assert refused(known, "zzz=1").next == [["icx", "run", "05-push.ipynb", "--parameters"]]


@pytest.mark.parametrize("name", ["password", "api_key", "appToken", "secrets", "db_pwd"])
def test_a_secret_is_never_a_parameter_and_is_not_said_again(known: dict[str, Parameter], name: str) -> None:
    error = refused(known, f"{name}=hunter2")
    assert "A password is never a parameter." in error.message
    assert "hunter2" not in str(error)
    with pytest.raises(BadInput, match="never a parameter"):
        of_source(f'{name}: str = ""')
    with pytest.raises(BadInput, match="never a parameter"):
        of_source("login: Secret")


def test_values_from_python_are_held_to_the_same_types(known: dict[str, Parameter]) -> None:
    given = {"audience": "Gold", "days": 7, "share": 1, "since": "2026-03-01", "lists": (1, 2)}
    assert checked(NB, known, given) == {
        "audience": "Gold", "days": 7, "share": 1.0, "since": date(2026, 3, 1), "lists": [1, 2],
    }  # fmt: skip
    for wrong in ({"days": "7"}, {"days": True}, {"apply": 1}, {"city": None}, {"since": 7}, {"days": 7.0}):
        with pytest.raises(BadInput, match="is not"):
            checked(NB, known, {"audience": "Gold"} | wrong)


def test_what_has_no_default_has_to_be_given(known: dict[str, Parameter]) -> None:
    with pytest.raises(BadInput, match="needs `audience`") as caught:
        checked(NB, known, {"days": 7})
    assert caught.value.next == [["icx", "run", "05-push.ipynb", "-p", "audience=Durham"]]


def test_a_type_that_no_parameter_can_have_and_a_file_that_is_no_notebook_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="declares `frame"):
        of_source("frame: pd.DataFrame = None")
    (tmp_path / "a.ipynb").write_text("no notebook", encoding="utf-8")
    with pytest.raises(BadInput, match="is not a notebook"):
        of_notebook(tmp_path / "a.ipynb")


def test_a_refused_run_starts_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    path = book(tmp_path / "notebooks" / "a.ipynb", "open('ran', 'w')", parameters='city: str = "Durham"')
    with Workspace(tmp_path) as ws:
        with pytest.raises(BadInput, match="Nearest: `city`"):
            ws.run(path, cty="Durham")
        with pytest.raises(BadInput, match="no such notebook"):
            ws.run("notebooks/b.ipynb")
        with pytest.raises(BadInput, match="no run r-9"):
            ws.run(again="r-9")
        with pytest.raises(BadInput, match="no run"):
            ws.run(again="../../etc")
        assert ws.journal.runs() == []
    assert not (tmp_path / "data" / "runs").exists()
    assert not (tmp_path / "ran").exists()


def test_a_notebook_that_is_run_opens_the_workspace_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "data" / "runs" / "r-7"
    place.mkdir(parents=True)
    record = {
        "run": "r-7",
        "root": "r-7",
        "apply": False,
        "notebook": "a.ipynb",
        "parameters": {"workspace": "other"},
    }
    inside.write_json(place / "run.json", record)
    monkeypatch.setenv("ICX_RUN", "r-7")
    monkeypatch.setenv("ICX_WORKSPACE", str(tmp_path))
    for default in (".", "../demo"):
        with icx.open(default) as ws:
            assert ws.layout.root == tmp_path
            assert ws.inside is not None
    with icx.open("other") as ws:
        assert ws.layout.root == Path("other")


def test_a_run_whose_record_is_gone_is_not_taken_for_work_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICX_RUN", "r-8")
    monkeypatch.setenv("ICX_WORKSPACE", str(tmp_path))
    with pytest.raises(BadInput, match="no run r-8"):
        inside.current()


def test_what_a_notebook_hands_over_is_plain_json_without_an_address() -> None:
    people = pd.DataFrame({"email": ["ada@example.com"], "last": [pd.NaT], "n": np.array([3])})
    handed = {
        "sizes": np.array([[1.5, np.nan], [2, 3]]),
        "one": np.int64(7),
        "people": people,
        "column": people["n"],
        "arrow": pa.table({"x": [1]}),
        "nobody": pd.NA,
        "on": np.datetime64("2026-11-21"),
        "ada@example.com": {"x"},
    }
    assert inside.plainly(handed) == {
        "sizes": [[1.5, None], [2.0, 3.0]],
        "one": 7,
        "people": [{"email": "a…@e….com", "last": None, "n": 3}],
        "column": {"0": 3},
        "arrow": [{"x": 1}],
        "nobody": None,
        "on": "2026-11-21",
        "a…@e….com": ["x"],
    }
