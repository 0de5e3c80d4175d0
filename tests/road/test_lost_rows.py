"""A row lost from the database by hand turns its own cell red, holds the pushes it concerns, and is healed by a pull."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from road.account import Account, account, save
from road.command import done, typed

SETTINGS = "page_size = 40\n"
TABLES = (
    "icontact_users",
    "icontact_activity",
    "lists",
    "subscriptions",
    "custom_fields",
    "messages",
    "sends",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(
        tmp_path_factory.mktemp("account") / "a.sqlite", contacts=300, messages=8, seed=3
    ) as running:
        yield running


@pytest.fixture(scope="module")
def pulled(served: Account, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = served.workspace(tmp_path_factory.mktemp("pulled") / "w", SETTINGS)
    done("pull", "acme", workspace=workspace)
    return workspace


@pytest.fixture
def workspace(pulled: Path, tmp_path: Path) -> Path:
    """A copy of the pulled workspace, to be damaged."""
    return Path(shutil.copytree(pulled, tmp_path / "w"))


def tables(workspace: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(workspace / "data" / "icx.duckdb"), read_only=True) as con:
        return {
            name: sorted(
                con.execute(
                    f"select * {'exclude (first_seen)' if name == 'icontact_users' else ''} from acme.{name}"
                ).fetchall(),
                key=repr,
            )
            for name in TABLES
        }


def delete_one(workspace: Path, table: str, where: str) -> tuple[Any, ...]:
    """Delete one row with plain DuckDB, as somebody might by accident; return it."""
    with duckdb.connect(str(workspace / "data" / "icx.duckdb")) as con:
        found = con.execute(f"select rowid, * from acme.{table} where {where} order by rowid").fetchall()
        chosen = found[len(found) // 2]
        con.execute(f"delete from acme.{table} where rowid = ?", [chosen[0]])
    return tuple(chosen[1:])


def red(workspace: Path) -> list[dict[str, Any]]:
    """The cells that differ, as `icx status` has them."""
    said = done("status", "acme", "--json", workspace=workspace).json
    cells = [cell for cell in said["open"] if cell["state"] == "unequal"]
    assert said["red"] == len(cells)
    return cells


@pytest.mark.parametrize("kind", ["open", "click", "bounce", "unsubscribe"])
def test_a_lost_event_turns_its_cell_red_and_one_unit_heals_it(
    served: Account, workspace: Path, kind: str
) -> None:
    before = tables(workspace)
    assert red(workspace) == []
    lost = delete_one(workspace, "icontact_activity", f"event_type = '{kind}'")
    (cell,) = red(workspace)
    assert (cell["message"], cell["kind"]) == (lost[3], f"{kind}s")
    assert cell["service"] - cell["stored"] == 1
    asked = served.calls()
    done("pull", "acme", "--unit", f"{lost[3]}/{kind}s", "--json", workspace=workspace)
    assert served.calls() - asked <= 1 + cell["service"] // 40
    assert red(workspace) == []
    assert tables(workspace) == before


@pytest.mark.parametrize(
    ("table", "where", "collection"),
    [
        ("icontact_users", "gone_at is null", "contacts"),
        ("subscriptions", "status = 'normal'", "subscriptions"),
        ("subscriptions", "status = 'unsubscribed'", "subscriptions"),
    ],
)
def test_a_lost_contact_or_subscription_is_red_until_the_next_pull(
    workspace: Path, table: str, where: str, collection: str
) -> None:
    before = tables(workspace)
    delete_one(workspace, table, where)
    (cell,) = red(workspace)
    assert cell["collection"] == collection
    assert cell["service"] - cell["stored"] == 1
    done("pull", "acme", "--json", workspace=workspace)
    assert red(workspace) == []
    assert tables(workspace) == before


def test_pushes_wait_while_a_count_they_rest_on_differs(workspace: Path) -> None:
    done("build", workspace=workspace)
    save(workspace, "By city", {"field": "city", "operator": "notNull"})
    save(workspace, "By opens", {"field": "opens_90d", "operator": ">=", "value": 1})
    delete_one(workspace, "icontact_activity", "event_type = 'open'")
    assert _held_back(workspace, "By opens", "First")
    assert not _held_back(workspace, "By city", "Second")
    delete_one(workspace, "subscriptions", "status = 'normal'")
    assert _held_back(workspace, "By city", "Third")


def _held_back(workspace: Path, audience: str, target: str) -> bool:
    """Whether a push to a new list is stopped by the checks, at the plan and at the apply alike."""
    plan = done(
        "plan", audience, "--to", f"acme/lists/{target}", "--create", "--json", workspace=workspace
    ).json
    if plan["checks"]["ok"]:
        return False
    said = typed("apply", plan["plan"], "--yes", "--json", workspace=workspace)
    assert (said.code, said.json["error"]["code"]) == (3, "check-failed")
    return True
