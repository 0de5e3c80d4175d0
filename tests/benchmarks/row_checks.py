"""Row 10: thirty expectations beside one hand-written scan of the same conditions, and beside GX's own pandas source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.big_account import Size
from benchmarks.datasets import NAME, Account, account
from benchmarks.harness import Figure, bench, in_turn, peak, ratio, seconds, worked
from icx.quality import check, native

ADDRESS = r"^\S.*@[^\s@]+\.[^\s@]{2,}$"
STATES = [f"S{n}" for n in range(50)]


def entry(name: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{name}", "kwargs": kwargs, "meta": {}, "severity": "warning"}


CORE = [
    *(entry("column_values_to_not_be_null", column=name) for name in ("id", "email", "status", "city", "state")),
    entry("column_values_to_not_be_null", column="business", mostly=0.1),
    entry("column_values_to_be_unique", column="id"),
    entry("column_values_to_be_unique", column="email", mostly=0.95),
    *(
        entry("column_to_exist", column=name)
        for name in ("id", "email", "first_name", "last_name", "city", "state", "phone", "business", "status", "custom")
    ),
    entry("column_values_to_match_regex", column="email", regex=ADDRESS, mostly=0.99),
    entry("column_values_to_match_regex", column="postal_code", regex="^[0-9]{5}$"),
    entry("column_values_to_not_match_regex", column="email", regex="[*,]"),
    entry("column_values_to_be_in_set", column="status", value_set=["normal", "bounced", "donotcontact"]),
    entry("column_values_to_be_in_set", column="state", value_set=STATES),
    entry("column_values_to_be_in_set", column="bounce_count", value_set=["0", "1", "2"]),
    entry("column_value_lengths_to_be_between", column="email", min_value=3, max_value=254),
    entry("column_value_lengths_to_be_between", column="first_name", min_value=1, max_value=40),
    entry("column_values_to_be_between", column="id", min_value=1),
    entry("column_unique_value_count_to_be_between", column="city", min_value=1, max_value=400),
    entry("column_min_to_be_between", column="id", min_value=1),
    entry("table_row_count_to_be_between", min_value=1),
]  # fmt: skip
for _at, _one in enumerate(CORE):
    _one["meta"]["at"] = _at

BY_HAND = f"""
select count(*), count(*) - count(id), count(*) - count(email), count(*) - count(status), count(*) - count(city),
  count(*) - count(state), count(*) - count(business), count(id) - count(distinct id), count(email) - count(distinct email),
  count(*) filter (not regexp_matches(email, '{ADDRESS}')), count(*) filter (not regexp_matches(postal_code, '^[0-9]{{5}}$')),
  count(*) filter (regexp_matches(email, '[*,]')), count(*) filter (status not in ('normal', 'bounced', 'donotcontact')),
  count(*) filter (state not in ({", ".join(f"'{state}'" for state in STATES)})),
  count(*) filter (bounce_count not in ('0', '1', '2')), count(*) filter (length(email) not between 3 and 254),
  count(*) filter (length(first_name) not between 1 and 40), count(*) filter (id < 1), count(distinct city), min(id)
from """
DIRTY = """
create or replace table dirty as
select * replace (
  case hash(id, 30) % 200 when 0 then null when 1 then 'no address' when 2 then 'p7@mail1.example.com' else email end as email,
  case when hash(id, 31) % 100 = 0 then 'x' else status end as status,
  case when hash(id, 32) % 100 = 0 then null else city end as city,
  case when hash(id, 33) % 100 = 0 then '' else first_name end as first_name,
  case when hash(id, 34) % 100 = 0 then '27' else postal_code end as postal_code
)
from icontact_users
"""


def _ours(acme: Account, table: str) -> None:
    suites = acme.folder / "suites"
    suites.mkdir(exist_ok=True)
    text = json.dumps({"name": "core", "expectations": CORE, "meta": {}})
    (suites / "core.json").write_text(text, encoding="utf-8")
    check(
        acme.store, NAME, "core", suites=[suites], reports=acme.folder, clock=acme.store.clock,
        relation=table, key=["id"],
    )  # fmt: skip


TABLES = {"clean": "icontact_users", "dirty": "dirty"}


@bench(10, "XS", "S1", "S2", "hard")
def checks(size: Size) -> Iterator[Figure]:
    """With their report, on clean and on dirty contacts; importing Great Expectations is not counted."""
    native.load()
    with account(size) as acme, acme.store.open(NAME) as con:
        con.execute("set threads = 2")
        con.execute(DIRTY)
        for what, table in TABLES.items():
            ours, plain = partial(_ours, acme, table), partial(con.execute, BY_HAND + table)
            ours()
            times = in_turn(3, ours=ours, plain=lambda plain=plain: plain().fetchall())
            yield Figure(
                f"30 checks of {what} rows with their report", ratio(times, "ours", "plain"),
                target=1.6 if what == "clean" else 2, against=f"one scan by hand ({min(times['plain']):.2f} s)",
                times=times, note=f"{min(times['ours']):.2f} s, {worked(times, 'ours', 'plain')}",
            )  # fmt: skip


@bench(10, "XS", "S1", "S2", "hard")
def checks_in_little_memory(size: Size) -> Iterator[Figure]:
    """The same with 256 MB for DuckDB; what is held is the whole process, Great Expectations and all."""
    native.load()
    with account(size, memory="256MB") as acme, acme.store.open(NAME) as con:
        con.execute(DIRTY)
        for what, table in TABLES.items():
            with peak() as told:
                took = seconds(partial(_ours, acme, table))
                held = told()
            yield Figure(
                f"30 checks of {what} rows, memory held under a limit of 256 MB",
                held,
                "GB",
                0.8,
                note=f"{took:.1f} s",
            )


@bench(10, "XS", "S1")
def checks_equal_to_pandas(size: Size) -> Iterator[Figure]:
    """The native results beside those of GX's own pandas source, number by number and sample by sample."""
    from quality import test_equal_to_pandas as equality

    from icx.quality.relation import describe

    native.load()
    equality.CORE[:] = CORE
    columns = "id, email, first_name, last_name, city, state, postal_code, phone, business, status, bounce_count, 0 as custom"
    with account(size) as acme, acme.store.open(NAME) as con:
        con.execute(DIRTY)
        con.execute(f"create or replace table judged as select {columns} from dirty order by id")
        found: list[Any] = []
        took = seconds(lambda: found.extend(native.judge(con, describe(con, "judged", ["id"]), CORE)))
        theirs: list[Any] = []
        with peak() as told:
            frame = con.execute("from judged order by id").df()
            slow = seconds(lambda: theirs.extend(equality.by_pandas(frame)))
            held = told()
        plain, together = equality.plain, equality.together
        wrong = [
            f"{asked['type']} {asked['kwargs'].get('column')}: {name}"
            for mine, their, asked in zip(found, theirs, CORE, strict=True)
            for name in ("success", *equality.COMPARED)
            if (
                mine.success is not bool(their["success"])
                if name == "success"
                else plain(together(mine.native["result"].get(name)))
                != plain(together(their["result"].get(name)))
            )
        ]
        yield Figure(
            "30 checks of dirty rows, all figures and samples equal", took / slow,
            against=f"GX's own pandas source ({slow:.1f} s without reading the rows, {held:.1f} GB)",
            wrong="; ".join(wrong[:3]), times={"ours": [took], "pandas": [slow]}, note=f"{took:.2f} s",
        )  # fmt: skip
