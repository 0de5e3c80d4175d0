"""An audience counted on a Spark cluster: the query DuckDB would be asked, over a copy of what it reads."""

from __future__ import annotations

from typing import Any

from icx.audience.audience import Audience
from icx.audience.people import People
from icx.audience.waterfall import Question, Waterfall, question
from icx.rules import Reading, Rule
from icx.scale import Cluster, Spark, columns_of, export, run, tables_of
from icx.store import Store, quoted


def waterfall(people: People, audience: Audience | Rule, cluster: Cluster) -> tuple[Waterfall, Reading, Rule]:
    """Return the figures of a rule's nodes, what it was read against, and the rule.

    The database is open only while the tables are written; of the profile only the columns that the rule names.
    """
    store = people.store
    assert isinstance(store, Store), "what a build published is counted where it lies"
    with run(cluster, store, people.connection, "count") as spark:
        with people.open(audience) as (con, reading, rule):
            asked = question(people.profile, rule, reading)
            for name in sorted(tables_of(asked.sql.text)):
                what = "*"
                if name == people.profile:
                    used = columns_of(asked.sql.text) & {"contact_id", *people.catalogue}
                    what = ", ".join(quoted(column) for column in sorted(used))
                spark.view(name, export(con, f"select {what} from {quoted(name)}", spark.folder / name))
        return answered(asked, spark), reading, rule


def answered(asked: Question, spark: Spark) -> Waterfall:
    """Ask Spark, whose views are the tables of the query."""
    import pyarrow as pa

    rows = spark.rows(asked.sql.text, asked.sql.params)
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    names = ["n", *(f"r{n}" for n in range(len(rows[0]) - 1))] if rows else []
    return asked.answered(pa.table(dict(zip(names, columns, strict=True))))
