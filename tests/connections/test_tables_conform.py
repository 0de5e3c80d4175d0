"""A table does what every kind of connection must, whatever it lies in."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conformance import Conformance, Rig

from icx.connections.table import table

PEOPLE = [
    {
        "id": number,
        "mail": f"Jo <Jo.{number}@example.com>" if number == 2 else f"Jo.{number}@example.com",
        "name": f"Jo O'Brien {number}",
        "city": city,
        "age": 20 + number,
    }
    for number, city in enumerate(["Durham", None, "New York", "Łódź", "", "Bonn"], 1)
]


def csv(folder: Path) -> str:
    lines = ["id;mail;name;city;age"]
    lines += [";".join(str("" if cell is None else cell) for cell in one.values()) for one in PEOPLE]
    (folder / "people.csv").write_bytes(("\r\n".join(lines)).encode("utf-8-sig"))
    return str(folder / "people.csv")


def parquet(folder: Path) -> str:
    pq.write_table(pa.Table.from_pylist(PEOPLE), folder / "people.parquet", row_group_size=4)
    return str(folder / "people.parquet")


def duckdb_file(folder: Path) -> str:
    with duckdb.connect(str(folder / "crm.duckdb")) as con:
        con.register("people", pa.Table.from_pylist(PEOPLE))
        con.execute('create schema "odd name"')
        con.execute('create table "odd name".people as from people')
    return str(folder / "crm.duckdb") + "#odd name.people"


def database(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "crm.db")) as con, con:
        con.execute(
            "create table people (id integer primary key, mail text unique, name text, city text, age int)"
        )
        con.executemany("insert into people values (:id, :mail, :name, :city, :age)", PEOPLE)
    return f"sqlite:///{folder / 'crm.db'}#people"


def frame(folder: Path) -> pd.DataFrame:
    return pd.DataFrame(PEOPLE).astype({"age": "Int64"})  # a plain integer of pandas cannot be empty


class TestTable(Conformance):
    @pytest.fixture(params=[csv, parquet, duckdb_file, database, frame], ids=lambda make: make.__name__)
    def rig(self, request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
        source = request.param(tmp_path)
        return Rig(
            lambda: table(source, "id", email="mail", writable=["mail", "name", "city"]), "name", "city"
        )
