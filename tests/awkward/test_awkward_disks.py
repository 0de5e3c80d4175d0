"""A disk that is full, a folder that cannot be written to, a file of another icx: said, and nothing is lost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from awkward_words import four_parts
from typing_commands import PROGRAM, Said, environment

MORE = """
    insert into contacts (contact_id, folder_id, email, first_name, city, status, create_date, custom)
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000)
    select 900000 + i, (select folder_id from contacts limit 1), 'p' || i || '@example.com', hex(randomblob(40)),
           hex(randomblob(40)), 'normal', 1700000000, '{}' from n
"""
ON_A_LIST = """
    insert into subscriptions (list_id, contact_id, folder_id, status, add_date)
    select 3001, contact_id, folder_id, 'normal', create_date from contacts where contact_id > 900000
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path | None]]:
    """`small_disk(bytes)`: a folder on a disk of that size where root may mount one, else None."""
    mounted: list[Path] = []

    def make(size: int) -> Path | None:
        folder = tmp_path / "small"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            return None
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def under_a_limit(limit: int | None, *words: str, workspace: Path) -> Said:
    """Run a command whose files may not grow beyond a size, which is a full disk for whoever writes them."""

    def narrow() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [*PROGRAM, *words, "--workspace", str(workspace)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment(),
        preexec_fn=narrow,
        timeout=300,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def test_a_full_disk_keeps_the_database_whole_and_the_same_command_goes_on(
    ready: Any, small_disk: Any, tmp_path: Path
) -> None:
    before = ready.stored()
    ready.edit(MORE)
    ready.edit(ON_A_LIST)
    size = sum(path.stat().st_size for path in ready.folder.rglob("*") if path.is_file())
    database = (ready.folder / "data/icx.duckdb").stat().st_size
    disk = small_disk(size + 400_000)
    if disk is None:
        folder, limit = ready.folder, database + 100_000
    else:
        folder, limit = Path(shutil.copytree(ready.folder, disk / "w")), None
    told = four_parts(under_a_limit(limit, "pull", "acme", workspace=folder), "disk-full", 1)
    assert "the database" in told[2]
    assert "free some room" in told[3]
    roomy = replace(ready, folder=Path(shutil.copytree(folder, tmp_path / "roomy")))
    assert roomy.stored()["icontact_users"] == before["icontact_users"]
    assert roomy.stored()["subscriptions"] == before["subscriptions"]
    said = roomy.icx("pull", "acme", "--json")
    assert said.code == 0, said.err
    contacts = next(table for table in said.json["tables"] if table["name"] == "contacts")
    assert contacts["stored"] == contacts["service"] == len(before["icontact_users"]) + 12_000

    assert roomy.icx("vacuum").code == 0  # room left inside the file would do for the build
    narrow = (roomy.folder / "data/icx.duckdb").stat().st_size + 100_000
    published = {path: path.read_bytes() for path in (roomy.folder / "data/published").rglob("*.parquet")}
    told = four_parts(under_a_limit(narrow, "build", workspace=roomy.folder), "disk-full", 1)
    assert "free some room" in told[3]
    assert len(roomy.stored()["profile_rows"]) == len(before["profile_rows"]), (
        "the profile before stays, whole"
    )
    assert {path: path.read_bytes() for path in published} == published
    assert roomy.icx("build").code == 0
    assert len(roomy.stored()["profile_rows"]) == contacts["stored"]


def test_a_folder_that_cannot_be_written_to_is_said(ready: Any, tmp_path: Path) -> None:
    closed = Path("/sys/icx") if os.geteuid() == 0 else tmp_path / "closed" / "w"
    if os.geteuid() != 0:
        closed.parent.mkdir()
        closed.parent.chmod(0o500)
    four_parts(ready.type_in("status", workspace=closed), "read-only", 1)
    four_parts(ready.type_in("init", workspace=closed), "read-only", 1)
    if os.geteuid() != 0:
        closed.parent.chmod(0o700)


def test_a_database_of_a_newer_icx_is_not_opened(ready: Any) -> None:
    from icx.workspace import Workspace

    with Workspace(ready.folder).store.open() as con:
        con.execute("insert into main.icx_migrations values ('', '9999-later.sql', now()::timestamp, '9.9')")
    before = (ready.folder / "data/icx.duckdb").read_bytes()
    told = four_parts(ready.icx("lists", "acme"), "made-by-newer", 1)
    assert "icx 9.9" in told[0]
    assert (ready.folder / "data/icx.duckdb").read_bytes() == before


def test_a_file_that_is_no_database_is_left_as_it_is(ready: Any) -> None:
    path = ready.folder / "data/icx.duckdb"
    path.write_bytes(b"these are not the tables you are looking for" * 1000)
    four_parts(ready.icx("lists", "acme"), "database-damaged", 1)
    assert path.read_bytes().startswith(b"these are not")


def test_settings_that_are_none_are_named(ready: Any) -> None:
    (ready.folder / "icx.toml").write_text('zone = "Europe/Berlin"\ncolour = "red"\n')
    told = four_parts(ready.icx("status"), "settings", 2)
    assert "colour" in told[0] + told[1]
