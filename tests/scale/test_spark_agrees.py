"""Spark gives the rows DuckDB gives: every field of the profile, and every rule, from one and the same SQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import oracle
import pyarrow as pa
import pytest
from accounts import CLOCK, PULLED, store_at
from every_rule import LEAVES, crowd_of, random_rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_account import PEOPLE, fill
from rule_people import AS_OF, CATALOGUE, LOOKUP, database, people, rules

import icx.scale.turn
from icx.audience.scaled import answered
from icx.audience.waterfall import question
from icx.errors import IcxError
from icx.points import Action, Score
from icx.profile import build
from icx.profile.attach import attach
from icx.profile.catalogue import everything
from icx.profile.statement import view_columns
from icx.rules import EVERYBODY, Compare, Event, Group, Lookup, OnList, Person, Reading, Rule, Sql, condition
from icx.scale import Cluster, Spark, export, relation, started
from icx.settings import Settings
from icx.store import Connection, Store, memory, quoted

pytestmark = pytest.mark.spark

OWN = """\
-- name: clicks_per_open
-- type: number
-- description: clicks for each open
email_click_ct / nullif(email_open_ct, 0)
"""
OWN_QUERY = """\
-- name: different_links
-- type: integer
-- description: different links clicked
select contact_id, count(distinct event_url) as n from icontact_activity where event_ts < $as_of group by contact_id
"""
BY_POINTS = """\
-- name: points_per_open
-- type: number
-- description: points for each open
points / nullif(email_open_ct, 0)
"""
EARNED = [
    Action("Clicked", 3, Event("click"), each=True),
    Action("In Durham", 5, Compare("city", "=", "Durham"), group="place"),
]


@contextmanager
def _running(spark: Spark) -> Iterator[None]:
    """Let a build use the Spark that runs already."""

    @contextmanager
    def started(cluster: Cluster, name: str, **how: Any) -> Iterator[Spark]:
        folder = Path(tempfile.mkdtemp(dir=spark.folder, prefix=name))
        yield replace(spark, cluster=cluster, folder=folder, say=how["say"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(icx.scale.turn, "started", started)
        yield


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, spark: Spark
) -> tuple[Store, dict[str, Any], dict[str, Any]]:
    """The store, and what DuckDB and then Spark built in it."""
    return built_twice(tmp_path_factory.mktemp("agrees"), spark, seed=11)


def built_twice(directory: Path, spark: Spark, seed: int) -> tuple[Store, dict[str, Any], dict[str, Any]]:
    fields = directory / "fields"
    fields.mkdir()
    (fields / "a.sql").write_text(OWN)
    (fields / "b.sql").write_text(OWN_QUERY)
    (fields / "c.sql").write_text(BY_POINTS)
    (directory / "crm.csv").write_text(
        "id,tier,visits\n" + "".join(f"{n},t{n % 3},{n}\n" for n in range(1, 20))
    )
    store = store_at(directory)
    with store.open("acme") as con:
        fill(con, seed)
    attach(store, "acme", directory / "crm.csv", "id", "crm", clock=CLOCK)
    found = []
    for cluster in (None, Cluster("local[2]", directory / "scale")):
        score = Score(EARNED, lambda con: Lookup())
        with _running(spark):
            done = build(
                store,
                "acme",
                settings=Settings(),
                fields_dir=fields,
                clock=CLOCK,
                cluster=cluster,
                totals=score,
            )
        with store.open("acme") as con:
            profile = {row["contact_id"]: row for row in oracle.rows(con, "profile")}
            marks = sorted(map(str, oracle.rows(con, "machine_events")))
            types = con.execute("describe profile_rows").fetchall()
            view = view_columns(everything(con, fields, score.fields), PULLED)
        found.append({"profile": profile, "marks": marks, "types": types, "done": done, "view": view})
    return store, found[0], found[1]


def test_every_field_of_everybody_is_the_same(both: Any) -> None:
    _, here, there = both
    assert there["done"].people == PEOPLE - 1
    assert there["types"] == here["types"]
    for contact_id, fields in here["profile"].items():
        assert there["profile"][contact_id] == fields
    assert there["marks"] == here["marks"]
    assert replace(there["done"], build_id="", seconds=0) == replace(here["done"], build_id="", seconds=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 30))
def test_every_field_of_more_accounts_is_the_same(tmp_path: Path, spark: Spark, seed: int) -> None:
    _, here, there = built_twice(tmp_path, spark, seed)
    assert (there["profile"], there["marks"]) == (here["profile"], here["marks"])


def test_every_field_differs_between_people_or_the_comparison_would_prove_nothing(both: Any) -> None:
    rows = list(both[1]["profile"].values())
    constant = [name for name in rows[0] if len({str(row[name]) for row in rows}) < 2]
    assert not constant


def test_what_spark_writes_outside_is_the_profile_as_it_is_read(
    both: Any, spark: Spark, tmp_path: Path
) -> None:
    """With what is computed when it is read; the rows of the last build lie under the name `profile`."""
    spark.write(f"select {both[1]['view']} from profile", tmp_path / "profile")
    with memory() as con:
        found = oracle.rows(con, relation(tmp_path / "profile"))
    assert {row["contact_id"]: row for row in found} == both[1]["profile"]


TABLES = ("profile", "subscriptions", "icontact_activity", "machine_events", "changes")


def test_every_kind_of_rule_is_tried() -> None:
    assert {type(rule) for rule in [*LEAVES, EVERYBODY]} == set(Rule.__subclasses__())


def same_people(
    spark: Spark, folder: Path, crowd: Sequence[Person], asked: Sequence[Rule], past: bool = False
) -> list[int]:
    """Compare who passes each rule, asked as columns and as conditions; return how many passed each."""
    reading = Reading(CATALOGUE, LOOKUP, AS_OF, past=past)
    with database(crowd) as con:
        con.execute(CHANGES)
        con.execute(
            "insert into changes select timestamp '2026-11-22', 'subscription', 1, contact_id, 'status', 'pending', status, null from subscriptions where contact_id % 3 = 0"
        )
        for name in TABLES:
            spark.view(name, export(con, f"select * from {quoted(name)}", folder / name))
        found = [condition(rule, reading) for rule in asked]
        plain = [one for one in found if "(select" not in one.text]
        among = [one for one in found if "(select" in one.text]
        passed: dict[Sql, int] = {}
        for some in (plain, *(among[n : n + 10] for n in range(0, len(among), 10))):
            columns = ", ".join(f"{one.text} as r{n}" for n, one in enumerate(some))
            here = _same(spark, con, f"select contact_id, {columns} from profile", some) if some else []
            passed |= dict(
                zip(some, [sum(column) for column in list(zip(*here, strict=True))[1:]], strict=True)
            )
        chosen = [
            f"select {n} as n, contact_id from profile where {one.text}" for n, one in enumerate(among[:5])
        ]
        if chosen:
            _same(spark, con, " union all ".join(chosen), among[:5])
    return [passed[one] for one in found]


def _same(spark: Spark, con: Connection, text: str, asked: Sequence[Sql]) -> list[tuple[Any, ...]]:
    params = tuple(param for one in asked for param in one.params)
    here = sorted(con.execute(text, list(params)).fetchall())
    assert sorted(spark.rows(text, params)) == here
    return here


CHANGES = (
    "create temp table changes (happened_at timestamp, entity varchar, list_id bigint, contact_id bigint,"
    " field varchar, old varchar, new varchar, other varchar)"
)


@pytest.mark.slow
def test_every_leaf_finds_the_same_people(spark: Spark, tmp_path: Path) -> None:
    crowd = crowd_of(40)
    passed = same_people(spark, tmp_path, crowd, LEAVES)
    telling = [0 < n < len(crowd) for n in passed]
    assert sum(telling) > 0.8 * len(telling), [
        rule for rule, tells in zip(LEAVES, telling, strict=True) if not tells
    ]


@pytest.mark.slow
def test_lists_as_they_were_find_the_same_people(spark: Spark, tmp_path: Path) -> None:
    same_people(
        spark, tmp_path, crowd_of(12), [rule for rule in LEAVES if isinstance(rule, OnList)], past=True
    )


@pytest.mark.slow
def test_random_rules_count_the_same_people_with_the_same_waterfall(spark: Spark, tmp_path: Path) -> None:
    drawn = random_rules(12)
    crowd = crowd_of(25)
    reading = Reading(CATALOGUE, LOOKUP, AS_OF)
    rule = Group("and", (~drawn[0], Group("or", tuple(drawn[1:4]), negated=True)))
    with database(crowd) as con:
        for name in TABLES[:-1]:
            spark.view(name, export(con, f"select * from {quoted(name)}", tmp_path / name))
        asked = question("profile", rule, reading)
        table: pa.Table = con.sql(asked.sql.text, params=list(asked.sql.params)).to_arrow_table()
        assert answered(asked, spark) == asked.answered(table)
    same_people(spark, tmp_path / "again", crowd, drawn)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(rules, min_size=10, max_size=10), st.lists(people(), min_size=20, max_size=20))
def test_many_random_rules_find_the_same_people(spark: Spark, asked: list[Rule], crowd: list[Person]) -> None:
    same_people(spark, Path(tempfile.mkdtemp(dir=spark.folder)), crowd, asked)


def test_what_spark_cannot_compute_or_read_is_told_in_its_first_words(spark: Spark, tmp_path: Path) -> None:
    with database([]) as con:
        spark.view("few", export(con, "select 1 as one", tmp_path / "few"))
    with pytest.raises(IcxError, match="nowhere") as told:
        spark.rows("select nowhere from few")
    assert told.value.code == "spark-failed"
    for file in (tmp_path / "few").iterdir():
        file.unlink()
    with pytest.raises(IcxError) as told:
        spark.rows("select one from few")
    assert told.value.code == "folder-not-shared"
    with pytest.raises(IcxError) as told, started(Cluster("local[2]", tmp_path), "second"):
        pass
    assert told.value.code == "spark-in-use"
