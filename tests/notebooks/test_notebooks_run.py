"""The notebooks of the package run from first to last in real kernels, as somebody clicking would run them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import small
from road.command import environment

from icx.jobs.books import nbformat
from icx.sandbox.process import start
from icx.workspace import Workspace

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def run(folder: Path, names: list[str], environment: dict[str, str]) -> None:
    """Execute notebooks in place, a kernel each, in a process whose sockets end with it."""
    quick = "import icx.jobs.books"  # nbformat without two seconds of what notebooks do not need
    words = [
        "-c",
        f"{quick}; from nbclient.cli import NbClientApp; NbClientApp.launch_instance()",
        "--inplace",
    ]
    done = subprocess.run(
        [sys.executable, *words, *names],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def shown(book: Any, cell_id: str) -> str:
    """Everything one cell showed, as text and as HTML."""
    (cell,) = [cell for cell in book.cells if cell.get("id") == cell_id]
    parts = [each.get("text") or each.get("data", {}) for each in cell.outputs]
    return "\n".join(part if isinstance(part, str) else "\n".join(map(str, part.values())) for part in parts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clicked") / "notebooks"


@pytest.fixture(scope="module")
def ran(folder: Path) -> dict[str, Any]:
    """All notebooks, executed in order beside one new workspace; its account is a small one, and is pushed to."""
    folder.mkdir()
    state = folder.parent / "demo" / "data" / "sandbox-acme.sqlite"
    state.parent.mkdir(parents=True)
    with start(state=state, contacts=small.CONTACTS, messages=small.MESSAGES, seed=17):
        pass
    for path in NOTEBOOKS:
        copy = folder / path.name
        copy.write_text(path.read_text().replace("apply: bool = False", "apply: bool = True"))
    beside = {"IPYTHONDIR": str(folder / ".ipython"), "JUPYTER_RUNTIME_DIR": str(folder / ".runtime")}
    run(folder, [path.name for path in NOTEBOOKS], environment(**beside))
    return {path.stem: read(folder / path.name) for path in NOTEBOOKS}


def test_the_notebooks_run_from_connect_to_schedule(ran: dict[str, Any]) -> None:
    assert list(ran) == [
        "01-connect",
        "02-pull-and-profile",
        "03-check",
        "04-audience",
        "05-push",
        "06-sync",
        "07-schedule",
    ]
    assert "True" in shown(ran["04-audience"], "same")  # clicked and typed are one
    assert "once a message, when somebody first clicked" in shown(ran["04-audience"], "points")
    pushed = shown(ran["05-push"], "apply")
    assert re.search(r"Done: [1-9]\d* added", pushed)
    assert "the same people by id" in pushed
    assert "nothing has been sent" in shown(ran["05-push"], "undo").lower()
    synced = shown(ran["06-sync"], "again")
    assert re.search(r"Done: 2 written", synced)  # who moved, and who lost the tier
    assert "left to do: 0" in synced
    assert "loyal weekly" in shown(ran["07-schedule"], "jobs")


def test_a_run_that_may_not_send_comes_to_its_end(ran: dict[str, Any], folder: Path) -> None:
    """`icx run` without apply=true: what would send or run due jobs is left out, not an error."""
    dry = folder / "dry.ipynb"
    dry.write_bytes(NOTEBOOKS[list(ran).index("07-schedule")].read_bytes())
    with Workspace(folder.parent / "demo") as ws:
        assert ws.run(dry).state == "done"


def test_what_is_clicked_can_be_read_without_a_kernel(ran: dict[str, Any]) -> None:
    """A code-hosting page shows the HTML beside a widget; it holds the same numbers and asks no network."""
    widgets = [
        ("01-connect", "wizard"),
        ("02-pull-and-profile", "fields"),
        ("04-audience", "builder"),
        ("05-push", "plan"),
        ("06-sync", "editor"),
        ("07-schedule", "monitor"),
    ]
    for name, cell_id in widgets:
        (cell,) = [cell for cell in ran[name].cells if cell.get("id") == cell_id]
        (data,) = [
            out["data"]
            for out in cell.outputs
            if "application/vnd.jupyter.widget-view+json" in out.get("data", {})
        ]
        assert 'class="icx"' in data["text/html"], name
        assert data["text/plain"], name
        assert not re.search(r"https?://(?!app\.icontact\.com)", data["text/html"]), name
        assert "<script" not in data["text/html"], name


def test_an_error_shown_on_purpose_has_its_four_parts(ran: dict[str, Any]) -> None:
    said = shown(ran["01-connect"], "errors")
    for part in ("acne", "where", "kept", "next"):
        assert part in said


def test_no_notebook_complains_or_shows_an_address_in_full(ran: dict[str, Any]) -> None:
    for name, book in ran.items():
        text = "\n".join(shown(book, cell.id) for cell in book.cells if cell.cell_type == "code")
        complaints = [
            out for cell in book.cells for out in cell.get("outputs", []) if out.get("name") == "stderr"
        ]
        assert complaints == [], name
        assert not re.search(r"[\w.+-]+@(?:[\w-]+\.)*example\.\w+", text), name
        assert "password" not in text.lower(), name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_teaches_first(path: Path) -> None:
    book = read(path)
    nbformat.validate(book)
    assert book.cells[0].cell_type == "markdown"
    assert book.cells[0].source.startswith(f"# {int(path.stem[:2])} · ")
    for cell in book.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
            assert len(cell.source.splitlines()) <= 12


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_first_code_cell_holds_typed_and_described_parameters_and_no_secret(path: Path) -> None:
    first = next(cell for cell in read(path).cells if cell.cell_type == "code")
    assert first.metadata.tags == ["parameters"]
    lines = first.source.splitlines()
    for line, node in zip(lines, ast.parse(first.source).body, strict=True):
        assert isinstance(node, ast.AnnAssign), line
        assert node.value is not None
        assert "  # " in line
    names = [line.split(":")[0] for line in lines]
    assert names[:3] == ["sandbox", "workspace", "connection"]
    assert not any(word in name for name in names for word in ("password", "secret", "app_id", "token"))
