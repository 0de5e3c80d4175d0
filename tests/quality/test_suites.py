"""Suites: found, read, overridden by the workspace, refused where they are not suites."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from icx.errors import BadInput
from icx.quality import suites


def written(folder: Path, name: str, *entries: object) -> Path:
    (folder / f"{name}.json").write_text(json.dumps({"name": name, "expectations": list(entries)}))
    return folder


def test_the_four_suites_come_with_icx() -> None:
    assert suites.names() == ["contacts", "activity", "profile", "plan"]
    assert all(suites.find(name).expectations for name in suites.names())


def test_every_packaged_expectation_is_native_and_has_a_severity() -> None:
    for name in suites.names():
        given = json.loads((suites.packaged() / f"{name}.json").read_text())
        assert given["name"] == name
        for entry in given["expectations"]:
            assert set(entry) <= {"type", "kwargs", "meta", "severity", "description"}
            assert entry["severity"] in ("critical", "warning")


def test_setup_installs_every_package_of_the_project() -> None:
    root = Path(suites.__file__).parents[2]
    unlisted = [
        path.parent for path in root.glob("icx/**/*.py") if not (path.parent / "__init__.py").exists()
    ]
    assert unlisted == []


def test_the_workspaces_own_suite_comes_before_the_packaged_one(tmp_path: Path) -> None:
    written(tmp_path, "profile", {"type": "expect_column_to_exist", "kwargs": {"column": "tier"}})
    assert len(suites.find("profile", [tmp_path]).expectations) == 1
    assert len(suites.find("contacts", [tmp_path]).expectations) > 1


def test_an_unknown_suite_names_the_nearest() -> None:
    with pytest.raises(BadInput, match='There is no suite "profil"') as caught:
        suites.find("profil")
    assert caught.value.next == [["icx", "check", "profile"]]


def test_the_old_key_of_a_type_is_understood(tmp_path: Path) -> None:
    written(tmp_path, "own", {"expectation_type": "expect_column_to_exist", "kwargs": {"column": "id"}})
    assert suites.find("own", [tmp_path]).expectations[0]["type"] == "expect_column_to_exist"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "own.json"),
        ("[]", "expectations"),
        ('{"expectations": [3]}', "expectations[0] is not an object"),
        ('{"expectations": [{"kwargs": {}}]}', 'expectations[0] has no "type"'),
        ('{"expectations": [{"type": "x", "kwargs": 3}]}', "expectations[0].kwargs"),
        ('{"expectations": [{"type": "x", "severity": "loud"}]}', "severity 'loud'"),
    ],
)
def test_a_file_that_is_no_suite_says_where(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "own.json").write_text(text)
    with pytest.raises(BadInput) as caught:
        suites.find("own", [tmp_path])
    assert where in caught.value.where_text()


def test_the_digest_changes_with_the_text_and_not_with_its_layout(tmp_path: Path) -> None:
    entry = {"type": "expect_column_to_exist", "kwargs": {"column": "id"}}
    first = suites.find("own", [written(tmp_path, "own", entry)]).digest
    (tmp_path / "own.json").write_text(json.dumps({"expectations": [entry]}, indent=4))
    assert suites.find("own", [tmp_path]).digest == first
    written(tmp_path, "own", entry | {"severity": "warning"})
    assert suites.find("own", [tmp_path]).digest != first
