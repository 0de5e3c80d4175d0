"""A table is connected by naming its columns; its password is kept apart, and no command mistakes it for an account."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typing_commands import Typed

from icx.workspace import Workspace


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    path = tmp_path / "crm.csv"
    path.write_text(
        "nr,e_mail,city\n1,ada@example.com,Durham\n1,eve@example.com,\n2,nobody,\n,x@example.com,\n"
    )
    return path


def test_a_table_is_read_once_and_shown_as_it_is(typed: Typed, tmp_path: Path, crm: Path) -> None:
    words = ["connect", "crm", "--table", str(crm), "--identity", "nr", "--writable", "city"]
    said = typed(*words, workspace=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:5] == [
        "crm.csv: 4 rows, told apart by `nr`, addresses in `e_mail` (guessed; --email names another)",
        "  2 rows share 1 identity: shown, written nowhere",
        "  1 row without an identity: left alone",
        "  1 row without an address: matched with nobody",
        "  may be written: city",
    ]
    assert "ada" not in said.out
    status = typed("status", workspace=tmp_path)
    assert status.code == 0
    assert "e_mail" in status.out
    [table] = typed("status", "--json", workspace=tmp_path).json["tables"]
    assert (table["identity"], table["writable"], table["problem"]) == ("nr", ["city"], "")
    assert "can be read, 4 rows" in typed("doctor", "crm", "--no-bundle", workspace=tmp_path).out
    with Workspace(tmp_path) as ws:
        assert "Told apart by" in ws.status()._repr_html_()
        assert "Told apart by" in ws.accounts.connections.load("crm")._repr_html_()
        assert repr(ws.accounts.connections.load("crm")) == f"SavedConnection(crm: {crm})"
    crm.unlink()
    assert "the file is not there" in typed("status", workspace=tmp_path).out
    assert "REFUSED  There is no file" in typed("doctor", "crm", "--no-bundle", workspace=tmp_path).out


def test_what_is_missing_is_asked_for_and_what_is_no_account_is_told_as_such(
    typed: Typed, tmp_path: Path, crm: Path
) -> None:
    said = typed("connect", "crm", "--table", str(crm), "--json", workspace=tmp_path)
    assert (said.code, said.json["error"]["where"]["choices"]) == (3, ["nr", "e_mail", "city"])
    for more, code in (("zip", "table-column"), ("nr", "")):
        said = typed("connect", "crm", "--table", str(crm), "--identity", more, "--json", workspace=tmp_path)
        assert said.json.get("error", {}).get("code", "") == code
    said = typed("pull", "crm", "--json", workspace=tmp_path)
    assert (said.code, said.json["error"]["code"]) == (2, "connection-kind")
    said = typed("connect", "x", "--table", "sqlite:////no/such/folder/a.db#people", "--identity", "id", "--json",
                 workspace=tmp_path)  # fmt: skip
    assert (said.code, said.json["error"]["code"]) == (1, "table-unreachable")


def test_the_password_of_a_database_is_kept_apart_and_shown_nowhere(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy

    asked: list[str] = []
    with closing(sqlite3.connect(tmp_path / "crm.db")) as con, con:
        con.execute("create table people (id integer primary key, mail text)")
        con.execute("insert into people values (1, 'ada@example.com')")
    make = sqlalchemy.create_engine

    def here(url: sqlalchemy.URL, **options: bool) -> sqlalchemy.Engine:
        asked.append(str(url.password))
        return make(
            f"sqlite:///{tmp_path / 'crm.db'}", **options
        )  # a database of another kind, without its driver

    monkeypatch.setattr(sqlalchemy, "create_engine", here)
    url = "postgresql://maya@db.example.com/crm#people"
    words = ["connect", "crm", "--identity", "id", "--table"]
    refused = typed(*words, url.replace("@", ":s%40cret-w0rd@", 1), workspace=tmp_path)
    assert (refused.code, "cret-w0rd" in refused.err) == (2, False)
    monkeypatch.setenv("ICX_PASSWORD", "s@cret-w0rd")
    said = typed(*words, url, workspace=tmp_path)
    monkeypatch.delenv("ICX_PASSWORD")
    assert said.code == 0
    with Workspace(tmp_path) as ws:
        assert [one.email for one in ws.system("crm").read()] == ["ada@example.com"]
        assert "postgresql://maya@db.example.com/crm" in ws.accounts.connections.load("crm")._repr_html_()
    assert asked == ["s@cret-w0rd"] * len(asked)
    assert "cret-w0rd" not in said.out + said.err + (tmp_path / "data/connections/crm.json").read_text()


def test_a_saved_table_that_somebody_cut_short_is_told(typed: Typed, tmp_path: Path, crm: Path) -> None:
    assert typed("connect", "crm", "--table", str(crm), "--identity", "nr", workspace=tmp_path).code == 0
    kept = tmp_path / "data" / "connections" / "crm.json"
    kept.write_text(kept.read_text().replace('"identity"', '"idenity"'))
    said = typed("status", "--json", workspace=tmp_path)
    assert (said.code, said.json["error"]["code"]) == (1, "connection-file")
