"""An agency: client folders of one login in one workspace, twenty of them, and no row is in another's tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from icx.connections.login import Login
from icx.errors import NeedsYou
from icx.points import save
from icx.rules import F
from icx.sandbox.generate import generate
from icx.sandbox.process import SandboxProcess, start
from icx.workspace import Workspace

PEOPLE = 8
BUILT = (1, 2)
TABLES = {"icontact_users": "id", "subscriptions": "contact_id", "icontact_activity": "contact_id"}


@pytest.fixture(scope="module", params=[3, pytest.param(20, marks=pytest.mark.slow)])
def folders(request: pytest.FixtureRequest) -> int:
    """How many client folders the agency has."""
    return int(request.param)


@pytest.fixture(scope="module")
def state(folders: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account whose folders have lists of the same names, and one person who is in all of them."""
    path = tmp_path_factory.mktemp("agency") / "account.sqlite"
    with start(contacts=PEOPLE, messages=1, folders=folders, state=path) as box:
        account, first, as_of = box.account_id, box.client_folder_id, 1_772_445_600
    with closing(sqlite3.connect(path)) as con:
        for folder in range(first + 1, first + folders):
            generate(
                con,
                contacts=PEOPLE,
                messages=1,
                seed=1,
                as_of=as_of,
                account_id=account,
                folder_id=folder,
            )
        con.execute(
            "update contacts set email = 'jo@example.com' where contact_id in (select min(contact_id) from contacts group by folder_id)"
        )
        con.execute(
            "update contacts set status = 'normal' where contact_id in (select min(contact_id) from contacts group by folder_id)"
        )
        con.commit()
    return path


@pytest.fixture(scope="module")
def box(state: Path) -> Iterator[SandboxProcess]:
    with start(state=state, consent="permissive") as running:
        yield running


@pytest.fixture(scope="module")
def ws(folders: int, box: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The agency's workspace: every folder connected and pulled, two of them built."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        workspace = Workspace(tmp_path_factory.mktemp("agency workspace"))
        login = Login.clean(box.app_id, box.username, box.password, box.base_url)
        for number in range(folders):
            folder = box.client_folder_id + number
            workspace.accounts.connect(name(number), login, account=box.account_id, folder=folder)
            workspace.pull(name(number), contacts_only=number not in BUILT)
        for number in BUILT:
            workspace.build(name(number))
        yield workspace
        workspace.close()


def name(number: int) -> str:
    return f"client{number:02}"


def theirs(state: Path, folder: int, table: str = "contacts") -> list[tuple[int, ...]]:
    """What a folder holds in the account itself."""
    keys = {"contacts": "contact_id", "subscriptions": "list_id, contact_id"}[table]
    with closing(sqlite3.connect(state, timeout=30)) as con:
        sql = f"select {keys} from {table} where folder_id = ? and status <> 'deleted' order by {keys}"
        return con.execute(sql, [folder]).fetchall()


def test_every_folder_has_its_own_people_and_no_others(
    folders: int, ws: Workspace, box: SandboxProcess, state: Path
) -> None:
    with ws.store.open() as con:
        for number in range(folders):
            folder = box.client_folder_id + number
            own = {contact for (contact,) in theirs(state, folder)}
            assert len(own) == PEOPLE
            for table, column in TABLES.items():
                sql = f"select distinct {column} from {name(number)}.{table}"
                assert {contact for (contact,) in con.execute(sql).fetchall()} <= own
            assert con.execute(f"select count(*) from {name(number)}.icontact_users").fetchall() == [
                (PEOPLE,)
            ]
            known = con.execute(
                "select distinct contact_id from shared.consent_facts where client_folder_id = ?", [folder]
            ).fetchall()
            assert {contact for (contact,) in known} <= own


def test_a_profile_and_an_audience_are_of_their_folder(
    ws: Workspace, box: SandboxProcess, state: Path
) -> None:
    for number in BUILT:
        audience = ws.audience("All", F(ws.catalogue(name(number))).everybody(), connection=name(number))
        assert [(one,) for one in audience.members()] == theirs(state, box.client_folder_id + number)


def test_a_push_reaches_no_other_folder_though_a_person_and_lists_are_called_the_same(
    folders: int, ws: Workspace, box: SandboxProcess, state: Path
) -> None:
    before = [theirs(state, box.client_folder_id + n, "subscriptions") for n in range(folders)]
    audience = ws.audience(
        "Everybody", F(ws.catalogue(name(BUILT[0]))).everybody(), connection=name(BUILT[0])
    )
    plan = ws.plan(audience, f"{name(BUILT[0])}/lists/Autumn", create=True)
    assert plan.counts.add > 0
    answers = {stop.key: stop.confirm or "they signed up in the shop" for stop in plan.stops}
    assert ws.apply(plan, answers=answers).added == plan.counts.add
    after = [theirs(state, box.client_folder_id + n, "subscriptions") for n in range(folders)]
    changed = [n for n in range(folders) if before[n] != after[n]]
    assert changed == [BUILT[0]]
    assert len(after[BUILT[0]]) - len(before[BUILT[0]]) == plan.counts.add


def test_a_point_action_stays_with_its_folder_and_with_the_audiences_that_need_it(ws: Workspace) -> None:
    here, there = (name(number) for number in BUILT)
    f = F(ws.catalogue(here))
    action = ws.points("Opened", 1, f.opened(), connection=here)
    with pytest.raises(NeedsYou, match=f"saved already, of {here}") as error:
        ws.points("Opened", 1, f.opened(), connection=there)
    assert error.value.code == "points-change"
    assert ws.points("Opened").connection == here
    ws.build(here)
    ws.audience("Rich", F(ws.catalogue(here)).points >= 1, connection=here)
    with pytest.raises(NeedsYou) as error:
        ws.points("Opened", 1, f.opened(), connection=there, replace=True)
    assert error.value.code == "points-used"
    save(ws.layout.points, replace(action, connection="", book=None))  # as a file of every folder
    with pytest.raises(NeedsYou) as error:
        ws.remove_points("Opened")
    assert error.value.code == "points-used"
    ws.delete_audience("Rich")
    assert ws.remove_points("Opened").connection == ""
