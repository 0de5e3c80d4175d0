"""`icx run` as it is typed: what it lists, what it refuses, what it says of a run, for people and for machines."""

from __future__ import annotations

from pathlib import Path

import pytest
from books import book
from typing_commands import Typed, no_keyring, typed

__all__ = ["no_keyring", "typed"]

DECLARED = """
city: str = "Durham"  # whose city
lists: list[int] = []  # ids of lists
audience: str  # saved before
apply: bool = False  # send; otherwise the plan is shown
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    book(tmp_path / "notebooks" / "mine.ipynb", "print(1)", parameters=DECLARED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_parameters_of_a_notebook_are_listed_without_running_it(typed: Typed, place: Path) -> None:
    said = typed("run", "notebooks/mine.ipynb", "--parameters", workspace=place)
    assert said.code == 0
    for words in (
        "city",
        "'Durham'",
        "whose city",
        "a list of whole numbers",
        "has to be given",
        "true or false",
    ):
        assert words in said.out
    told = typed("run", "notebooks/mine.ipynb", "--parameters", "--json", workspace=place).json
    assert [one["name"] for one in told["parameters"]] == ["city", "lists", "audience", "apply"]
    assert told["parameters"][2]["required"] is True


def test_notebooks_that_come_with_icx_are_found_from_any_workspace(typed: Typed, place: Path) -> None:
    said = typed("run", "notebooks/05-push.ipynb", "--parameters", "--json", workspace=place)
    assert said.code == 0, said.err
    assert said.json["schema"] == "parameters/1"


@pytest.mark.parametrize(
    ("words", "says", "then"),
    [
        (["notebooks/mine.ipynb", "-p", "cty=Durham"], "mine.ipynb has no parameter `cty`. Nearest: `city`.",
         "icx run notebooks/mine.ipynb -p city=Durham"),
        (["notebooks/mine.ipynb", "-p", "password=hunter2"], "A password is never a parameter.", "icx connect acme"),
        (["notebooks/mine.ipynb", "-p", "apply=perhaps"], "`apply` is true or false", "-p apply=true"),
        (["notebooks/mine.ipynb"], "mine.ipynb needs `audience`.", "icx run notebooks/mine.ipynb -p audience="),
        (["notebooks/none.ipynb"], "There is no such notebook.", "name a notebook"),
        (["--again", "r-7"], "There is no run r-7", "data/runs"),
        ([], "A notebook is needed, or a run to repeat.", "icx run --help"),
        (["notebooks/mine.ipynb", "--again", "r-7"], "One of the two is meant.", "icx run --help"),
    ],
)  # fmt: skip
def test_what_can_be_known_beforehand_is_refused_with_exit_2_and_nothing_is_started(
    typed: Typed, place: Path, words: list[str], says: str, then: str
) -> None:
    said = typed("run", *words, workspace=place)
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert then in said.err
    assert "hunter2" not in said.err
    assert not (place / "data" / "runs").exists()


def test_a_run_answers_with_one_object_and_keeps_the_exit_code(typed: Typed, place: Path) -> None:
    book(place / "failing.ipynb", "import icx.notebook\nicx.notebook.result(n=3)\nraise ValueError('no')")
    said = typed("run", "failing.ipynb", "--json", workspace=place)
    assert said.code == 1
    told = said.json
    assert (told["schema"], told["ok"], told["exit"], told["state"]) == ("run/1", False, 1, "failed")
    assert (told["run"], told["results"]) == ("r-1", {"n": 3})
    assert told["error"]["code"] == "notebook-failed"
    assert told["error"]["next"] == [["icx", "run", "--again", "r-1"]]
    assert Path(told["report"]).exists()
    assert "r-1 › cell 2 of 2" in said.err
    assert "icx: failing.ipynb ended in cell 2 of 2. ValueError: no [notebook-failed]" in said.err
