"""What the papers point at is there, the map shows the whole house, and nothing of anybody's machine is in it."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest
import written

PAPERS = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "data/README.md"]
MADE_LATER = {  # paths of a workspace, which commands make
    "audiences/*.json", "points/*.json", "connections/*.json", "secrets/*.json", "reports/*.html", "plans/*.parquet", "fields/*.sql",
    "icx.duckdb", "journal.sqlite", "icx.toml", "published/<connection>/*.parquet", "data/published/acme/*.parquet",
    "profile.parquet", "index.html",
}  # fmt: skip
# Addresses of other people's published test vectors; they are inputs to functions, not people.
VECTORS = {"icx/functions", "tests/functions"}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=written.HOUSE, capture_output=True, check=True
    ).stdout
    return [name for name in listed.decode().split("\0") if name and (written.HOUSE / name).is_file()]


def looks_like_a_path(span: str) -> bool:
    return bool(re.fullmatch(r"[\w*<>/-][\w.*<>/-]+", span)) and (
        span.endswith("/")
        or bool(re.search(r"\.(py|sql|json|toml|md|sqlite|duckdb|parquet|html|ipynb|txt)$", span))
    )


@pytest.mark.parametrize("paper", PAPERS)
def test_every_path_that_is_named_is_there(paper: str) -> None:
    named = {span for span in written.spans(paper) if looks_like_a_path(span)} - MADE_LATER
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", written.text(paper)))
    missing = {path for path in named | links if not any(written.HOUSE.glob(path.rstrip("/")))}
    assert missing == set()


def test_the_map_of_the_house_names_every_room() -> None:
    rooms = {
        span.strip("/")
        for row in written.tables("CONTRIBUTING.md")[0]
        for span in re.findall(r"`([^`]+)`", row[1])
    }
    packages = {f"icx/{path.parent.name}" for path in (written.HOUSE / "icx").glob("*/__init__.py")}
    assert packages <= rooms
    single = {path.stem for path in (written.HOUSE / "icx").glob("*.py")} - {"__init__"}
    floors = {word.strip() for row in written.tables("CONTRIBUTING.md")[0] for word in row[0].split(",")}
    assert single <= floors


def test_the_map_of_the_house_has_the_floors_in_the_order_that_is_checked() -> None:
    project = tomllib.loads(written.text("pyproject.toml"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    checked = [[room.strip().removeprefix("icx.") for room in layer.split("|")] for layer in layers]
    shown = [word.strip() for row in written.tables("CONTRIBUTING.md")[0] for word in row[0].split(",")]
    floor_of = {room: number for number, floor in enumerate(checked) for room in floor}
    assert [floor_of[room] for room in shown if room in floor_of] == sorted(floor_of.values())
    assert set(shown) - set(floor_of) == {"beside"}


def test_no_tracked_file_speaks_of_somebodys_machine() -> None:
    inside = "|".join(("home", "root", "work", "Users", "farm", "opt", "mnt"))
    a_path = re.compile(rf"(?<![\w.:/~-])/(?:{inside})/\w+|(?<![\w./])/tmp/\w+|file:///(?!C:)")
    registry = re.compile("|".join(("pypi" + r"\.", "artifactory", r"(?:index|extra-index)-url", "jfrog")))
    found = []
    for name in tracked():
        raw = (written.HOUSE / name).read_bytes()
        if name == "tests/docs/" + "test_papers_keep_house.py" or b"\0" in raw[:8000]:
            continue
        for number, line in enumerate(raw.decode("utf-8").splitlines(), 1):
            if a_path.search(line) or registry.search(line):
                found.append(f"{name}:{number}: {line.strip()[:120]}")
    assert found == []


def test_people_in_the_house_live_at_example_addresses() -> None:
    address = re.compile(r"[\w.%+-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})")
    here = re.compile(r"(?:[\w-]+\.)*(?:example\.(?:com|org|net)|example|invalid|test)", re.IGNORECASE)
    service = {"app.icontact.com"}  # a login inside a URL, which a test shows being refused
    found = []
    for name in tracked():
        raw = (written.HOUSE / name).read_bytes()
        if b"\0" in raw[:8000] or any(name.startswith(f"{folder}/") for folder in VECTORS):
            continue
        for match in address.finditer(raw.decode("utf-8")):
            if not here.fullmatch(match[1]) and match[1] not in service:
                found.append(f"{name}: {match[0]}")
    assert found == []
