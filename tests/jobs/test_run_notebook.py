"""Notebooks run in real kernels: what is kept of a good one, of one that fails, of one that is cut off and repeated."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from books import book
from road.conftest import no_keyring

from icx.jobs import Run
from icx.jobs.books import nbformat
from icx.look.page import style
from icx.workspace import Workspace

__all__ = ["no_keyring"]
ADA = "ada.lovelace@example.com"

GOOD = """
import json, os, sys
import icx, icx.notebook
icx.notebook.setup()
ws = icx.open()
icx.notebook.result(
    types=[type(each).__name__ for each in (city, days, since, lists, strict)], city=city, lists=lists,
    python=sys.executable, here=os.getcwd(), workspace=str(ws.layout.root), run=ws.inside.run, who="ADA",
)
print("written to ADA", file=sys.stderr)
""".replace("ADA", ADA)
CHART = """
from IPython.display import HTML
HTML('<script src="https://cdn.example.com/v.js"></script><img src="https://example.com/p.png"><b>ADA</b>')
""".replace("ADA", ADA)
FAILING = f"""
from icx.errors import NeedsYou
if kind == "asks":
    raise NeedsYou("needs-answer", "This plan asks before it acts.", where="growth", kept="nothing", next=[["icx", "plans"]])
if kind == "dies":
    import os; os._exit(7)
raise ValueError("no such person: {ADA}")
"""


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace(tmp_path_factory.mktemp("runs")) as ws:
        yield ws


@pytest.fixture(scope="module")
def good(ws: Workspace) -> Run:
    """A run whose kernel's registered name leads elsewhere, started from another folder."""
    declared = (
        'from datetime import date\ncity: str = "Durham"\ndays: int = 90\nsince: date | None = None\n'
        "lists: list[int] = []\nstrict: bool = True"
    )
    path = book(
        ws.layout.root / "notebooks" / "good.ipynb", GOOD, CHART, parameters=declared, kernel="elsewhere"
    )
    told: list[Any] = []
    made = ws.run(
        path,
        {"city": 'New "Bern"\n☃'},
        since="2026-03-01",
        lists=[3004],
        strict=False,
        progress=told.append,
    )
    assert [each.what for each in told] == [f"cell {n} of 5" for n in (2, 3, 4, 5)]
    return made


def kept(run: Run) -> Any:
    return nbformat.read(run.executed, as_version=4)


def test_a_run_gives_typed_values_to_a_kernel_of_this_python_in_the_workspace(
    good: Run, ws: Workspace
) -> None:
    assert (good.state, good.exit_code, good.error) == ("done", 0, None)
    assert good.results["types"] == ["str", "int", "date", "list", "bool"]
    assert (good.results["city"], good.results["lists"]) == ('New "Bern"\n☃', [3004])
    assert good.results["python"] == sys.executable
    assert good.results["here"] == good.results["workspace"] == str(ws.layout.root)
    assert good.results["run"] == good.id
    assert json.loads(json.dumps(good.as_dict()))["parameters"]["since"] == "2026-03-01"


def test_the_executed_notebook_and_the_journal_say_how_it_ended(good: Run, ws: Workspace) -> None:
    found = kept(good)
    nbformat.validate(found)
    assert (found.metadata.icx.state, found.metadata.icx.run) == ("done", good.id)
    assert found.metadata.papermill.parameters["lists"] == [3004]
    (noted,) = ws.journal.runs("run", "good.ipynb")
    assert (noted.run, noted.state) == (good.id, "done")
    assert good.executed.parent == ws.layout.runs / good.id
    assert "done" in str(good)
    assert good.id in good._repr_html_()


def test_no_file_that_is_shown_holds_an_address_in_full(good: Run) -> None:
    shown = good.executed.read_text(encoding="utf-8") + good.report.read_text(encoding="utf-8") + str(good)
    assert ADA not in shown
    assert shown.count("a…@e….com") > 3
    assert oct(good.executed.with_name("run.json").stat().st_mode)[-3:] == "600"


class _Loads(HTMLParser):
    """What a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        for name, value in attrs:
            if name in {"src", "srcset", "data", "poster"} or (name == "href" and tag != "a"):
                self.found.append(value or "")


def test_the_page_asks_nothing_of_a_network_and_runs_nothing(good: Run) -> None:
    text = good.report.read_text(encoding="utf-8")
    page = _Loads()
    page.feed(text)
    assert [each for each in page.found if not each.startswith("data:")] == []
    assert page.scripts == 0
    assert "default-src 'none'" in text
    assert ".run-cells" not in style()  # the frame's names are not those of what it frames
    assert '<span class="k">' not in text
    assert not re.search(r"url\(\s*['\"]?(https?:)?//|@import", text)


@pytest.mark.browser
def test_chromium_shows_the_page_with_its_styles(good: Run) -> None:
    import chromium

    page = good.report.read_text(encoding="utf-8")  # with the script that measures let in
    seen = chromium.measured(
        page.replace("script", "script")  # our own measuring script may run here
        .replace("default-src 'none'; ", "default-src 'none'; script-src 'unsafe-inline'; ")
        .replace("<title>", f"<script>{chromium.MEASURE}</script><title>")
        .replace("<main>", '<main><section data-name="page">')
        .replace("</main>", "</section></main>")
    )["page"]
    assert "good.ipynb" in seen.text
    assert "a…@e….com" in seen.text
    assert seen.sticks_out == 0
    assert seen.asked == []


@pytest.mark.parametrize(
    ("kind", "state", "code", "exit_code"),
    [("raises", "failed", "notebook-failed", 1), ("asks", "needs-you", "needs-answer", 3)],
)
def test_a_notebook_that_fails_is_kept_and_never_shown_as_done(
    ws: Workspace, kind: str, state: str, code: str, exit_code: int
) -> None:
    path = book(
        ws.layout.root / "failing.ipynb",
        "import icx\nws = icx.open()",
        FAILING,
        "print('never')",
        parameters='kind: str = ""',
    )
    run = ws.run("failing.ipynb", kind=kind)
    assert (run.state, run.exit_code, run.ok) == (state, exit_code, False)
    assert run.error is not None
    assert run.error["code"] == code
    assert run.error["where"]["cell"] == 5
    assert ws.journal.runs("run", path.name)[0].state == state
    assert kept(run).metadata.icx.state == state
    page = run.report.read_text(encoding="utf-8")
    assert f'data-state="{state}"' in page
    assert page.index("Cell 5 of 6 ended the run") < page.index("A notebook")
    assert ADA not in page + str(run.error) + run.executed.read_text(encoding="utf-8")
    problem = run.problem()
    assert problem is not None
    assert problem.exit_code == exit_code
    if kind == "raises":
        assert problem.message == "failing.ipynb ended in cell 5 of 6. ValueError: no such person: a…@e….com"
        assert problem.next == [["icx", "run", "--again", run.id]]


def test_a_kernel_that_dies_is_a_failed_run(ws: Workspace) -> None:
    book(ws.layout.root / "dying.ipynb", "import os\nos._exit(7)")
    run = ws.run("dying.ipynb")
    assert run.state == "failed"
    assert run.error is not None
    assert "Its kernel ended by itself." in run.error["message"]
    assert run.report.exists()


STOPPED = """
import asyncio, gc, os, signal, sys, threading, time
from pathlib import Path
from jupyter_core.utils import ensure_event_loop
from icx.jobs.execution import Execution

def kick():
    while not Path("there").exists():
        time.sleep(0.02)
    time.sleep(0.2)  # by now whoever runs the notebook waits for its cell
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=kick).start()
here = Path.cwd()
try:
    Execution(here / "long.ipynb", here / "copy.ipynb", {}, here, {}, lambda *cell: None, here / "kernel.log").run()
    sys.exit("the stop was not heard")
except KeyboardInterrupt:
    pass
left = asyncio.all_tasks(ensure_event_loop())
ensure_event_loop().run_until_complete(asyncio.sleep(0.5))
gc.collect()  # what the event loop has to say about its tasks it says now
assert not left, left
"""


def test_a_stop_in_the_middle_of_a_cell_leaves_no_trace_on_stderr(tmp_path: Path) -> None:
    book(
        tmp_path / "long.ipynb",
        "import pathlib, time\npathlib.Path('there').touch()\ntime.sleep(60)",
    )
    done = subprocess.run(
        [sys.executable, "-c", STOPPED], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
