"""What is particular to tables: what nobody changed stays as it lies, and what somebody else changed is not lost."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from icx.connections.base import Change
from icx.connections.table import table
from icx.connections.table.values import DoesNotFit, Known, value_of
from icx.errors import BadInput, Damaged, TryLater

AWKWARD = (
    "\ufeffid;e-mail;name;note;zip\r\n"
    '7;ada@example.com;"Ada ""the"" Count;ess";"two\r\nlines";01234\r\n'
    "\r\n"
    '8;Bob <BOB@Example.org>;Bob 5" disk;"";02134\r\n'
    "9;nobody;;\r\n"
    "11;eve@example.net;Eve;x;y;too;many"
)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(AWKWARD.encode())
    return path


def test_only_the_cells_that_change_are_written_anew(csv: Path) -> None:
    csv.chmod(0o640)
    there = table(csv, "id", writable=["name", "zip", "e-mail"])
    assert (there.email, there.guessed) == ("e-mail", True)
    [done, other] = there.write([Change(1, "7", fields={"zip": "0"}), Change(2, "9", fields={"name": "N;N"})])
    assert (done.state, other.state) == ("done", "done")
    expected = AWKWARD.replace("01234", "0").replace("9;nobody;;\r\n", '9;nobody;"N;N";;\r\n')
    assert csv.read_bytes().decode() == expected
    assert csv.stat().st_mode & 0o777 == 0o640
    assert there.write([Change(3, None, "new@example.com", {"name": "New"})])[0].key == "12"
    assert csv.read_bytes().decode() == expected + '\r\n12;new@example.com;"New";;\r\n'
    assert [path.name for path in csv.parent.iterdir()] == ["people.csv"]


def test_a_cell_longer_than_pythons_reader_takes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"id,email,note\n1,a@example.com,x\n2,b@example.com,{'n' * 200_000}\n3,c@example.com,\n")
    assert [len(one.fields.get("note", "")) for one in table(path, "id").read()] == [1, 200_000, 0]


def test_who_has_no_address_and_who_has_one_in_another_form(csv: Path) -> None:
    there = table(csv, "id")
    people = {one.key: one for one in there.read()}
    assert [people[key].email for key in ("7", "8", "9")] == ["ada@example.com", "bob@example.org", None]
    assert people["7"].fields == {"name": 'Ada "the" Count;ess', "note": "two\r\nlines", "zip": "01234"}
    assert people["9"].fields == {}
    assert there.find(["BOB@example.org"])["BOB@example.org"] == [people["8"]]
    assert there.verify().no_address == 1
    assert there.can == frozenset()
    assert there.write([Change(1, "7", fields={"name": "x"})])[0].words.startswith(
        "`name` may not be written"
    )


def test_what_somebody_else_wrote_meanwhile_is_not_written_over(csv: Path) -> None:
    there = table(csv, "id", writable=["name"])
    assert there.people(["7"])["7"] is not None
    theirs = AWKWARD.replace("01234", "99999").encode()
    csv.write_bytes(theirs)
    with pytest.raises(TryLater) as raised:
        there.write([Change(1, "7", fields={"name": "ours"})])
    assert raised.value.code == "table-changed"
    assert csv.read_bytes() == theirs
    assert there.people(["7"])["7"].fields["zip"] == "99999"
    assert there.write([Change(1, "7", fields={"name": "ours"})])[0].state == "done"


def test_rows_of_one_identity_are_shown_and_written_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text(
        "id,email,name\n1,a@example.com,Ada\n1,b@example.com,Bob\n,c@example.com,Cy\n2,d@example.com,Di\n"
    )
    there = table(path, "id", writable=["name"])
    assert {one.key: one.trouble for one in there.read()} == {"1": "2 rows have this identity", "2": ""}
    assert there.people(["1"])["1"].trouble
    assert there.write([Change(1, "1", fields={"name": "x"})])[0].words == "2 rows have this identity"
    seen = there.verify()
    assert (seen.rows, dict(seen.twice), seen.no_identity) == (4, {"1": 2}, 1)
    assert "2 rows share 1 identity" in seen.text()


def test_a_parquet_file_keeps_types_notes_and_packing(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    schema = pa.schema(
        [("mail", pa.large_string()), ("tier", pa.dictionary(pa.int8(), pa.string())), ("age", pa.int16()),
         ("paid", pa.decimal128(7, 2)), ("born", pa.date32()), ("seen", pa.timestamp("ms", tz="UTC"))],
        metadata={"made by": "somebody"},
    )  # fmt: skip
    rows = [{"mail": f"p{number}@example.com", "tier": "gold", "age": number} for number in range(5)]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd", row_group_size=2)
    there = table(path, "mail", writable="*")
    fields = {
        "tier": "new",
        "age": "77",
        "paid": "12.5",
        "born": "2026-03-02",
        "seen": "2026-03-02T09:15:00-05:00",
    }
    asked = [Change(1, "p3@example.com", fields=fields), Change(2, None, "N@example.com", {"age": "40000"}),
             Change(3, None, "N@example.com", {"age": ""})]  # fmt: skip
    assert [one.state for one in there.write(asked)] == ["done", "refused", "done"]
    found = there.people(["p3@example.com"])["p3@example.com"].fields
    assert found == {**fields, "paid": "12.50", "seen": "2026-03-02T14:15:00+00:00"}
    assert [one.state for one in there.settle(asked)] == ["done", "not_sent", "done"]
    with pq.ParquetFile(path) as file:
        assert file.schema_arrow.equals(schema, check_metadata=True)
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        assert (file.metadata.num_rows, file.metadata.row_group(0).num_rows) == (6, 2)


@pytest.mark.parametrize(
    ("text", "column"),
    [("7.5", Known("a", "whole")), ("300", Known("a", "whole", least=-128, most=127)), ("x", Known("a", "number")),
     ("nan", Known("a", "number")), ("1.234", Known("a", "decimal", digits=(3, 2))), ("perhaps", Known("a", "yes/no")),
     ("2026-02-30", Known("a", "date")), ("noon", Known("a", "moment")), ("", Known("a", "whole", empty=False)),
     ("longer", Known("a", longest=3)), ("日本", Known("a", letters="cp1252")), ("x", Known("a", "other")),
     ("c", Known("a", "choice", choices=("a", "b")))],
)  # fmt: skip
def test_what_a_column_cannot_hold_is_refused_and_never_rounded(text: str, column: Known) -> None:
    with pytest.raises(DoesNotFit) as raised:
        value_of(text, column)
    assert "`a`" in str(raised.value)


def test_a_table_that_cannot_be_used_is_told_before_anything_is_saved(tmp_path: Path, csv: Path) -> None:
    (tmp_path / "open.csv").write_text('id,email\n1,"a@example.com\n')
    (tmp_path / "names.csv").write_text("id,id,email\n")
    (tmp_path / "none.csv").write_text("id,name\n1,Ada\n")
    (tmp_path / "no.parquet").write_bytes(b"PAR1")
    wrong = {"absent.csv": "table-source", "open.csv": "table-source", "names.csv": "table-source",
             "no.parquet": "table-source", "none.csv": "table-email"}  # fmt: skip
    for name, code in wrong.items():
        with pytest.raises(BadInput) as raised:
            table(tmp_path / name, "id")
        assert raised.value.code == code
    with pytest.raises(BadInput, match="Nearest: `name`"):
        table(csv, "id", writable=["nam"])


def test_a_folder_that_cannot_be_written_to_leaves_the_file_whole(
    csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = table(csv, "id", writable=["name"])

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Damaged) as raised:
        there.write([Change(1, "7", fields={"name": "ours"})])
    assert raised.value.code == "disk-full"
    assert csv.read_bytes() == AWKWARD.encode()
    assert [path.name for path in csv.parent.iterdir()] == ["people.csv"]
    assert there.people(["7"])["7"].fields["name"] == 'Ada "the" Count;ess'


def test_a_database_says_itself_which_row_it_does_not_keep(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "crm.db")) as con, con:
        con.execute(
            "create table people (id integer primary key, mail text not null, age integer check (age < 150),"
            " name varchar(5), tier text default 'new')"
        )
        con.execute("insert into people values (7, 'ada@example.com', 36, 'Ada', null)")
    there = table(f"sqlite:///{tmp_path / 'crm.db'}#people", "id", writable="*")
    done = there.write(
        [
            Change(1, "7", fields={"age": "37"}),
            Change(2, None, "bob@example.com", {"age": "200"}),
            Change(3, None, "eve@example.com", {"age": "20", "name": "Evelyn"}),
            Change(4, None, "cy@example.com"),
        ]
    )
    assert [one.state for one in done] == ["done", "refused", "refused", "done"]
    assert "CHECK constraint failed" in done[1].words
    assert done[2].words == "`name` takes 5 characters, and this has 6"
    assert done[3].key == "8"
    assert there.people(["8"])["8"].fields == {"tier": "new"}
    assert there.people(["7"])["7"].fields["age"] == "37"
    with closing(sqlite3.connect(tmp_path / "crm.db")) as con, con:
        con.execute("update people set name = 'Other' where id = 7")
    [refused] = there.write([Change(1, "7", fields={"age": "38"})])
    assert refused.words.startswith("somebody else changed this row")
    assert there.write([Change(1, "7", fields={"age": "38"})])[0].state == "done"


def test_a_frame_is_changed_in_place_and_keeps_its_types() -> None:
    frame = pd.DataFrame(
        {"id": [1, 2], "mail": ["ada@example.com", "bob@example.com"], "age": pd.array([36, None], dtype="Int16"),
         "tier": pd.Categorical(["a", "b"]), "seen": pd.to_datetime(["2026-03-02", None]), "vip": [True, False]}
    )  # fmt: skip
    types = frame.dtypes.to_dict()
    there = table(frame, "id", writable=["mail", "age", "tier", "seen", "vip"])
    asked = [
        Change(1, "2", fields={"age": "40", "tier": "a", "seen": "2026-03-03", "vip": "yes"}),
        Change(2, None, "new@example.com", {"vip": "no"}),
        Change(3, "1", fields={"tier": "c"}),
        Change(4, "1", fields={"age": "40000"}),
    ]
    assert [one.state for one in there.write(asked)] == ["done", "done", "refused", "refused"]
    assert frame.dtypes.to_dict() == types
    assert frame["id"].tolist() == [1, 2, 3]
    assert there.people(["2"])["2"].fields == {
        "age": "40",
        "tier": "a",
        "seen": "2026-03-03T00:00:00",
        "vip": "yes",
    }
    assert there.people(["1"])["1"].fields["tier"] == "a"


# P-14, P-15: which of a system's kinds of people is meant is said by the table
def test_a_duckdb_table_gives_its_own_numbers_and_says_which_row_it_does_not_keep(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "create sequence numbers start 100; create type tier as enum ('gold', 'it''s'); create table people"
            " (nr bigint default nextval('numbers') primary key, mail varchar unique, tier tier, paid decimal(7, 2),"
            " seen timestamptz, age integer check (age < 150), tags varchar[]);"
            " insert into people (mail, tags) values ('ada@example.com', ['x']); create view looked_at as from people"
        )
    there = table(f"{path}#people", "nr", writable="*")
    assert {one.name: (one.type, one.writable) for one in there.schema()} == {
        "tier": ("choice", True), "paid": ("number", True), "seen": ("date", True), "age": ("number", True),
        "tags": ("text", False),
    }  # fmt: skip
    done = there.write(
        [
            Change(1, "100", fields={"tier": "it's", "paid": "1.5", "seen": "2026-03-02T09:15:00-05:00"}),
            Change(2, None, "bob@example.com", {"age": "200"}),
            Change(3, None, "eve@example.com", {"tier": "silver"}),
            Change(4, None, "cy@example.com", {"age": "20"}),
            Change(5, "100", fields={"tags": "y"}),
        ]
    )
    assert [one.state for one in done] == ["done", "refused", "refused", "done", "refused"]
    assert "CHECK constraint" in done[1].words
    found = there.people(["100", str(done[3].key)])
    assert found["100"].fields == {
        "tier": "it's", "paid": "1.50", "seen": "2026-03-02T14:15:00+00:00", "tags": '["x"]',
    }  # fmt: skip
    assert found[str(done[3].key)].email == "cy@example.com"
    seen = table(f"{path}#looked_at", "nr", writable=["age"])
    assert seen.write([Change(1, "100", fields={"age": "7"})])[0].state == "refused"


def test_a_duckdb_file_that_somebody_has_open_is_told_as_busy(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table people (id int, email varchar)")
        with pytest.raises(TryLater) as raised:
            table(f"{path}#people", "id")
    assert raised.value.code == "database-busy"
    with pytest.raises(BadInput) as wrong:
        table(f"{path}#nobody", "id")
    assert wrong.value.code == "table-source"
