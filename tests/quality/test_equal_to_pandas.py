"""What icx hands back is what Great Expectations' own pandas source says, to the sample."""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import duckdb
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from icx.quality import native
from icx.quality.relation import describe

CITIES = ["Durham", "durham", "", " Durham", "Ålesund", "O'Hara", "x\ny", '"q"', None]
EMAILS = [
    "ada@example.com",
    "jo@example.org",
    "no address",
    "a@b",
    "@",
    "ada@example.com",
    "p.q+r@example.net",
    None,
]

ROWS = st.lists(
    st.tuples(
        st.sampled_from(EMAILS),
        st.sampled_from(CITIES),
        st.one_of(st.none(), st.integers(-5, 30)),
        st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0, 1.25, -3.5, math.nan])),
        st.one_of(
            st.none(), st.sampled_from(["2026-03-01 10:00:00", "1999-12-31 23:59:59", "2026-11-20 00:00:00"])
        ),
        st.integers(0, 20),
    ),
    min_size=1,
    max_size=60,
)


def entry(name: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{name}", "kwargs": kwargs, "meta": {"note": name}, "severity": "warning"}


CORE = [
    entry("column_values_to_not_be_null", column="email"),
    entry("column_values_to_not_be_null", column="rate", mostly=0.5),
    entry("column_values_to_be_null", column="city", mostly=0.1),
    entry("column_values_to_be_unique", column="id"),
    entry("column_values_to_be_unique", column="email", mostly=0.8),
    entry("column_values_to_be_unique", column="seen"),
    entry("column_to_exist", column="email"),
    entry("column_to_exist", column="nowhere"),
    entry("column_values_to_match_regex", column="email", regex=r"^[^@ ]+@[^@ ]+\.[a-z]+$", mostly=0.6),
    entry("column_values_to_not_match_regex", column="city", regex="^ "),
    entry("column_values_to_match_regex_list", column="email", regex_list=["^ada", "org$"], match_on="any"),
    entry("column_values_to_match_regex_list", column="email", regex_list=["a", "@"], match_on="all"),
    entry("column_values_to_not_match_regex_list", column="email", regex_list=["^@", " "]),
    entry("column_values_to_be_in_set", column="city", value_set=["Durham", "O'Hara", None, 5]),
    entry("column_values_to_be_in_set", column="opens", value_set=[1, 2, 3, 20], mostly=0.2),
    entry("column_values_to_be_in_set", column="opens", value_set=[]),
    entry("column_values_to_not_be_in_set", column="city", value_set=["", "x\ny"]),
    entry("column_values_to_be_between", column="opens", min_value=0, max_value=20, mostly=0.9),
    entry("column_values_to_be_between", column="rate", min_value=0, max_value=1, strict_max=True),
    entry("column_value_lengths_to_be_between", column="city", min_value=1, max_value=7),
    entry("column_value_lengths_to_equal", column="city", value=6),
    entry(
        "column_pair_values_a_to_be_greater_than_b",
        column_A="total",
        column_B="opens",
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    ),
    entry(
        "column_pair_values_to_be_equal",
        column_A="email",
        column_B="city",
        ignore_row_if="either_value_is_missing",
    ),
    entry(
        "column_pair_values_to_be_in_set",
        column_A="email",
        column_B="city",
        value_pairs_set=[["ada@example.com", "Durham"], ["@", None]],
    ),
    entry("compound_columns_to_be_unique", column_list=["email", "city"]),
    entry("select_column_values_to_be_unique_within_record", column_list=["email", "city"]),
    entry("multicolumn_sum_to_equal", column_list=["total", "id"], sum_total=7),
    entry("column_values_to_be_increasing", column="total"),
    entry("column_values_to_be_decreasing", column="opens", strictly=True),
    entry("column_value_z_scores_to_be_less_than", column="total", threshold=1.5, double_sided=True),
    entry("column_values_to_not_be_outliers", column="total", method="iqr", multiplier=1.5),
    entry("column_values_to_be_json_parseable", column="city"),
    entry("column_values_to_be_dateutil_parseable", column="city"),
    entry("column_values_to_match_strftime_format", column="seen", strftime_format="%Y-%m-%d %H:%M:%S"),
    entry(
        "column_values_to_not_be_null",
        column="email",
        row_condition='city == "Durham"',
        condition_parser="pandas",
    ),
    entry(
        "column_values_to_be_between",
        column="opens",
        min_value=3,
        row_condition='total > 5 and city != "Durham"',
        condition_parser="pandas",
    ),
    entry("column_distinct_values_to_be_in_set", column="email", value_set=["ada@example.com"]),
    entry("column_distinct_values_to_contain_set", column="email", value_set=["ada@example.com", "@"]),
    entry("column_unique_value_count_to_be_between", column="city", min_value=2, max_value=4),
    entry("column_most_common_value_to_be_in_set", column="total", value_set=[1, 2]),
    entry("column_max_to_be_between", column="total", max_value=18),
    entry("column_min_to_be_between", column="total", min_value=1),
    entry("column_sum_to_be_between", column="total", max_value=100),
    entry("column_mean_to_be_between", column="total", max_value=9),
    entry("column_median_to_be_between", column="total", max_value=9),
    entry(
        "column_quantile_values_to_be_between",
        column="total",
        quantile_ranges={"quantiles": [0.1, 0.5, 0.9], "value_ranges": [[0, 5], [3, 12], [9, 20]]},
    ),
    entry("column_proportion_of_unique_values_to_be_between", column="total", min_value=0.2),
    entry("column_proportion_of_non_null_values_to_be_between", column="email", min_value=0.7),
    entry("table_row_count_to_be_between", min_value=10, max_value=50),
    entry("table_column_count_to_equal", value=7),
    entry("table_columns_to_match_set", column_set=["id", "email"], exact_match=False),
]

for _at, _one in enumerate(CORE):
    _one["meta"]["at"] = _at

# Exact in both, but in an order neither promises, or a float summed in another order.
COMPARED = (
    "element_count",
    "unexpected_count",
    "missing_count",
    "unexpected_percent",
    "missing_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
    "partial_unexpected_list",
    "partial_unexpected_counts",
    "partial_unexpected_index_list",
    "observed_value",
)


@functools.cache
def source() -> Any:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("own").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all")


def by_pandas(frame: pd.DataFrame) -> list[dict[str, Any]]:
    import great_expectations as gx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = source().get_batch({"dataframe": frame})
        suite = gx.ExpectationSuite(name="core", expectations=CORE)
        found = batch.validate(
            suite,
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": 20,
                "unexpected_index_column_names": ["id"],
            },
        )
        listed = [one.to_json_dict() for one in found.results]
    return sorted(listed, key=lambda one: one["expectation_config"]["meta"]["at"])


def together(counts: Any) -> Any:
    """pandas counts each NaN apart, since no NaN equals another; here they are one missing value."""
    if not isinstance(counts, list) or not all(isinstance(one, dict) and "count" in one for one in counts):
        return counts
    missing = sum(one["count"] for one in counts if plain(one["value"]) is None)
    listed = [one for one in counts if plain(one["value"]) is not None]
    return [*listed, *([{"value": None, "count": missing}] if missing else [])]


def plain(value: Any) -> Any:
    """JSON has no NaN and numbers print alike: what is left is what people would compare."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.10g}")
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(rows=ROWS)
def test_the_native_results_equal_those_of_gx_on_pandas(rows: list[tuple[Any, ...]]) -> None:
    native.load()
    columns = ["email", "city", "opens", "rate", "seen", "total"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["opens"] = frame["opens"].astype("float64")  # pandas has no integer with a missing value here
    frame.insert(0, "id", range(len(frame)))
    con = duckdb.connect()
    try:
        con.execute(
            "create table people (id bigint, email varchar, city varchar, opens double, rate double, seen varchar, total bigint)"
        )
        con.executemany(
            "insert into people values (?, ?, ?, ?, ?, ?, ?)", [[at, *row] for at, row in enumerate(rows)]
        )
        ours = native.judge(con, describe(con, "people", ["id"]), CORE)
    finally:
        con.close()
    for mine, theirs, asked in zip(ours, by_pandas(frame), CORE, strict=True):
        what = f"{asked['type']} {asked['kwargs']}"
        assert mine.refused is None or theirs["exception_info"], what
        assert mine.success is bool(theirs["success"]), what
        for name in COMPARED:
            assert plain(together(mine.native["result"].get(name))) == plain(
                together(theirs["result"].get(name))
            ), f"{what}: {name}"
        assert mine.native["expectation_config"]["meta"] == theirs["expectation_config"]["meta"]
        assert mine.native["expectation_config"]["severity"] == theirs["expectation_config"]["severity"]


def test_an_empty_table_is_judged_and_not_refused() -> None:
    con = duckdb.connect()
    try:
        con.execute(
            "create table people (id bigint, email varchar, city varchar, opens double, rate double, seen varchar, total bigint)"
        )
        found = native.judge(con, describe(con, "people", ["id"]), CORE)
    finally:
        con.close()
    assert [one.refused for one in found] == [None] * len(CORE)
