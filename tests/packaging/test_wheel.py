"""The wheel holds what running needs, installs without the network, and every requirement has a pinned version."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]


def run(*words: str, cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the tracked files, with the setuptools that is here."""
    source = tmp_path_factory.mktemp("source")
    listed = run("git", "ls-files", "-z", cwd=HOUSE).split("\0")
    for name in listed:
        if name and not name.startswith("tests/") and (HOUSE / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HOUSE / name, source / name)
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-c", build, str(dist), cwd=source)
    (made,) = dist.glob("*.whl")
    return made


def test_the_wheel_holds_the_sql_the_suites_the_notebooks_and_the_styles(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        inside = set(opened.namelist())
    tracked = [
        name for name in run("git", "ls-files", "-z", cwd=HOUSE).split("\0") if (HOUSE / name).is_file()
    ]
    wanted = {name for name in tracked if name.startswith("icx/")}
    wanted |= {f"icx/{name}" for name in tracked if re.match(r"(expectations|notebooks)/", name)}
    assert wanted - inside == set()
    for kind in (".sql", ".json", ".css", ".ipynb", "py.typed"):
        assert any(name.endswith(kind) for name in inside), kind
    assert not [name for name in inside if name.startswith(("tests/", "data/", "docs/"))]


def test_an_installed_icx_walks_without_its_checkout(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    venv.create(place, with_pip=False, symlinks=True)
    libraries = place / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(libraries)  # what pip does with a wheel of pure Python, but for the script
    # Everything else comes from here; a .pth file that names our checkout would be a way back to it.
    here = [path for path in map(Path, sys.path) if path.name == "site-packages"]
    (libraries / "others.pth").write_text(
        "\n".join(f"import sys; sys.path.append({str(path)!r})" for path in here)
    )
    python = place / "bin" / "python"
    told = "import icx, icx.cli; print(icx.__file__)"
    assert run(str(python), "-I", "-c", told, cwd=tmp_path).strip() == str(libraries / "icx" / "__init__.py")
    walk = (
        "import icx\n"
        "ws = icx.open('acme', sandbox=True, contacts=60, messages=3)\n"
        "ws.pull(); ws.build(); print(len(ws.checks()), len(ws.catalogue())); ws.close()\n"
    )
    suites, fields = run(str(python), "-I", "-c", walk, cwd=tmp_path).split()
    assert int(suites) == 3
    assert int(fields) > 70


def pinned() -> dict[str, str]:
    lines = (HOUSE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [
        re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!]+)", line)
        for line in lines
        if not line.startswith("#")
    ]
    assert all(found), "one name==version a line, and nothing else"
    return {_plain(match[1]): match[2] for match in found if match}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_requirement_is_pinned_and_every_pin_is_allowed() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    needed = [*project["project"]["dependencies"], *(each for extra in extras for each in extra)]
    assert {_plain(re.split(r"[<>=!~;\[ ]", need)[0]) for need in needed} <= set(pinned())


def test_every_pin_needs_only_what_is_pinned_too() -> None:
    """Nothing that comes along is left to the day it is installed."""
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = pinned()
    todo = [
        Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    ]
    seen: set[str] = set()
    unpinned: set[str] = set()
    while todo:
        need = todo.pop()
        if _plain(need.name) not in pins:
            unpinned.add(need.name)
        elif not need.specifier.contains(pins[_plain(need.name)], prereleases=True):
            unpinned.add(f"{need} is not {pins[_plain(need.name)]}")
        if _plain(need.name) in seen:
            continue
        seen.add(_plain(need.name))
        try:
            texts = requires(need.name) or []
        except PackageNotFoundError:
            texts = []
        for text in texts:
            further = Requirement(text)
            if further.marker is None or any(
                further.marker.evaluate({"extra": extra}) for extra in (need.extras or {""})
            ):
                todo.append(further)
    assert unpinned == set()
