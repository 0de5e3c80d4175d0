"""Great Expectations over DuckDB: what it answers, what it refuses by name, and what never stops the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from icx.quality import batches, native, words
from icx.quality.relation import describe
from icx.store import Connection, memory


@pytest.fixture
def con() -> Iterator[Connection]:
    made = memory()
    made.execute(
        """
        create table people as
        select range as id, case when range % 10 = 0 then null else 'p' || range || '@example.com' end as email,
               case range % 4 when 0 then 'Durham' when 1 then 'Cary' when 2 then null else 'Apex' end as city,
               range % 7 as opens, case when range % 50 = 3 then 'nan'::double else range / 100 end as rate,
               timestamp '2026-03-01' + to_days(range::int) as seen, range % 2 = 0 as active, ['a', 'b'] as tags
        from range(100)
        """
    )
    yield made
    made.close()


def judge(con: Connection, name: str, **kwargs: Any) -> native.Verdict:
    (found,) = native.judge(con, describe(con, "people", ["id"]), [{"type": name, "kwargs": kwargs}])
    return found


def result(con: Connection, name: str, **kwargs: Any) -> dict[str, Any]:
    found = judge(con, name, **kwargs)
    assert found.refused is None
    return dict(found.native["result"])


def test_an_expectation_nobody_knows_is_refused_by_name_with_the_nearest(con: Connection) -> None:
    found = judge(con, "expect_column_values_to_be_uniqe", column="id")
    assert not found.success
    assert found.refused == (
        'Great Expectations has no "expect_column_values_to_be_uniqe"; nearest: expect_column_values_to_be_unique'
    )
    assert found.native["exception_info"]["raised_exception"]


def test_an_expectation_written_wrongly_is_refused_and_the_next_is_judged(con: Connection) -> None:
    found = native.judge(
        con,
        describe(con, "people", ["id"]),
        [
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "id", "max": 3}},
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}},
        ],
    )
    assert found[0].refused is not None
    assert "expect_column_values_to_be_between" in found[0].refused
    assert found[1].success


def test_an_expectation_without_a_form_here_is_refused_by_name(con: Connection) -> None:
    found = judge(
        con,
        "expect_query_results_to_match_comparison",
        base_query="select 1",
        comparison_data_source_name="other",
        comparison_query="select 1",
    )
    assert found.refused is not None
    assert found.refused.startswith(
        '"expect_query_results_to_match_comparison" cannot be judged on this data'
    )


@pytest.mark.parametrize(
    ("name", "kwargs", "why"),
    [
        ("expect_column_values_to_not_be_null", {"column": "nowhere"}, 'there is no column "nowhere"'),
        (
            "expect_column_values_to_be_between",
            {"column": "email", "min_value": 3},
            "cannot be compared with email",
        ),
        ("expect_column_mean_to_be_between", {"column": "city", "min_value": 3}, "city is VARCHAR"),
        (
            "expect_column_values_to_be_in_set",
            {"column": "tags", "value_set": ["a"]},
            "cannot be compared with a set",
        ),
        (
            "expect_column_values_to_be_between",
            {"column": "seen", "min_value": "soon"},
            "not understood as it is written",
        ),
        (
            "expect_column_values_to_be_of_type",
            {"column": "email", "type_": "StringType"},
            "DuckDB has no such type",
        ),
        (
            "expect_column_values_to_not_be_null",
            {"column": "email", "row_condition": "city.str.len() > 3", "condition_parser": "pandas"},
            "row condition",
        ),
        ("unexpected_rows_expectation", {"unexpected_rows_query": "select nothing from {batch}"}, "nothing"),
    ],
)
def test_what_does_not_fit_the_data_is_refused_with_its_reason(
    con: Connection, name: str, kwargs: dict[str, Any], why: str
) -> None:
    found = judge(con, name, **kwargs)
    assert not found.success
    assert why in str(found.refused)


def test_one_value_that_breaks_the_scan_fails_only_its_own_check(con: Connection) -> None:
    con.execute("create table dirty as select range as id, range - 5 as amount from range(10)")
    found = native.judge(
        con,
        describe(con, "dirty", ["id"]),
        [
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}},
            {
                "type": "expect_column_values_to_not_be_null",
                "kwargs": {
                    "column": "id",
                    "row_condition": "cast(amount || 'x' as int) > 3",
                    "condition_parser": "spark",
                },
            },
            {"type": "expect_column_max_to_be_between", "kwargs": {"column": "amount", "max_value": 4}},
        ],
    )
    assert [one.success for one in found] == [True, False, True]
    assert "Conversion Error" in str(found[1].refused)


def test_a_set_member_of_another_type_is_dropped_and_not_cast(con: Connection) -> None:
    assert (
        result(con, "expect_column_values_to_be_in_set", column="opens", value_set=["1", 0, None])[
            "unexpected_count"
        ]
        == 85
    )
    assert (
        result(con, "expect_column_values_to_not_be_in_set", column="city", value_set=[None, "Oslo"])[
            "unexpected_count"
        ]
        == 0
    )


def test_a_look_ahead_goes_through_pandas_and_keeps_mostly(con: Connection) -> None:
    found = judge(con, "expect_column_values_to_match_regex", column="email", regex="^(?!p7)", mostly=0.8)
    assert found.success
    assert found.native["result"]["unexpected_count"] == 10
    assert found.native["result"]["missing_count"] == 10
    assert found.native["result"]["partial_unexpected_index_list"][0] == {"id": 7, "email": "p7@example.com"}


def test_a_regular_expression_that_nobody_can_read_is_refused(con: Connection) -> None:
    assert judge(con, "expect_column_values_to_match_regex", column="email", regex="(p").refused


def test_batches_add_up(con: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = result(con, "expect_column_values_to_be_dateutil_parseable", column="email")
    monkeypatch.setattr(batches.in_batches, "__defaults__", (7,))
    assert result(con, "expect_column_values_to_be_dateutil_parseable", column="email") == whole
    assert whole["unexpected_count"] == 90


def test_a_json_schema_is_judged_row_by_row(con: Connection) -> None:
    con.execute("update people set city = '{\"a\": ' || id || '}'")
    found = result(
        con,
        "expect_column_values_to_match_json_schema",
        column="city",
        json_schema={"properties": {"a": {"type": "integer", "maximum": 89}}},
    )
    assert found["unexpected_count"] == 10


def test_types_are_compared_in_duckdbs_names(con: Connection) -> None:
    assert judge(con, "expect_column_values_to_be_of_type", column="email", type_="text").success
    assert judge(
        con, "expect_column_values_to_be_in_type_list", column="id", type_list=["INTEGER", "BIGINT"]
    ).success
    assert not judge(con, "expect_column_type_to_be", column="seen", type_="DATE").success
    assert not judge(
        con, "expect_column_values_to_be_of_type", column="id", type_="INT); drop table people; --"
    ).success
    assert con.execute("select count(*) from people").fetchall() == [(100,)]


@pytest.mark.parametrize(
    ("given", "parser", "looked_at"),
    [
        ('city == "Durham"', "pandas", 25),
        ('city != "Durham"', "pandas", 75),
        ('city == "Durham" or city == "Cary"', "pandas", 50),
        ('(city == "Durham") | (city == "Cary")', "pandas", 50),
        ("opens > 2 & opens <= 4", "pandas", 28),
        ("2 < opens <= 4", "pandas", 28),
        ('city in ["Durham", "Apex"]', "pandas", 50),
        ('city not in ["Durham", "Apex"]', "pandas", 50),
        ("`city`.isnull()", "pandas", 25),
        ("~(city.notnull())", "pandas", 25),
        ("active", "pandas", 50),
        ('col("city") == "Durham"', "great_expectations", 25),
        ('col("city").notNull()', "great_expectations", 75),
        ("city = 'Durham' AND opens > 2", "spark", 14),
        (
            {"type": "comparison", "column": {"name": "city"}, "operator": "==", "parameter": "Durham"},
            None,
            25,
        ),
        (
            {"type": "comparison", "column": {"name": "opens"}, "operator": "IN", "parameter": [1, 2]},
            None,
            29,
        ),
        ({"type": "nullity", "column": {"name": "city"}, "is_null": True}, None, 25),
        (
            {
                "type": "and",
                "conditions": [
                    {"type": "nullity", "column": {"name": "city"}, "is_null": False},
                    {"type": "comparison", "column": {"name": "city"}, "operator": "!=", "parameter": "Apex"},
                ],
            },
            None,
            50,
        ),
    ],
)
def test_a_row_condition_says_which_rows_are_looked_at(
    con: Connection, given: Any, parser: str | None, looked_at: int
) -> None:
    extra = {"condition_parser": parser} if parser else {}
    found = result(con, "expect_column_values_to_be_null", column="id", row_condition=given, **extra)
    assert found["element_count"] == found["unexpected_count"] == looked_at


def test_a_nan_is_missing(con: Connection) -> None:
    assert result(con, "expect_column_values_to_not_be_null", column="rate")["unexpected_count"] == 2


def test_dates_written_as_text_are_compared_as_times(con: Connection) -> None:
    found = result(con, "expect_column_values_to_be_between", column="seen", max_value="2026-03-10 12:00:00")
    assert found["unexpected_count"] == 90
    assert not judge(
        con, "expect_column_values_to_be_in_set", column="seen", value_set=["2026-03-01"]
    ).success


def test_own_sql_counts_the_rows_it_returns(con: Connection) -> None:
    found = judge(
        con, "unexpected_rows_expectation", unexpected_rows_query="select * from {batch} where opens > 5;"
    )
    assert not found.success
    assert found.native["result"]["observed_value"] == 14


def test_own_sql_cannot_write(con: Connection) -> None:
    assert judge(
        con, "unexpected_rows_expectation", unexpected_rows_query="delete from {batch} returning 1"
    ).refused
    assert con.execute("select count(*) from people").fetchall() == [(100,)]


def test_another_table_is_counted_in_the_same_store(con: Connection) -> None:
    con.execute("create table twin as select * from people")
    assert judge(con, "expect_table_row_count_to_equal_other_table", other_table_name="twin").success


def test_values_with_quotes_and_percent_signs_stay_data(con: Connection) -> None:
    con.execute("update people set city = 'O''Hara%_' where id = 1")
    assert (
        result(con, "expect_column_values_to_not_be_in_set", column="city", value_set=["O'Hara%_"])[
            "unexpected_count"
        ]
        == 1
    )
    assert (
        result(
            con,
            "expect_column_values_to_match_like_pattern",
            column="city",
            like_pattern="O'Hara\\%\\_",
            escape="\\",
        )["unexpected_count"]
        == 74
    )


def test_nothing_is_asked_of_the_network(con: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: Any) -> None:
        raise AssertionError("a check opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert judge(con, "expect_column_values_to_be_unique", column="id").success


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(["email", "opens", "nowhere", "(", "2026-03-01", ""]),
    st.lists(st.sampled_from(["a", 1, None, 2.5]), max_size=3),
    st.just({"$PARAMETER": "unknown"}),
    st.just(float("inf")),
)
ARGUMENTS = [
    "column",
    "value_set",
    "min_value",
    "max_value",
    "regex",
    "mostly",
    "column_A",
    "column_B",
    "column_list",
    "row_condition",
    "condition_parser",
    "quantile_ranges",
    "threshold",
    "value",
]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(data=st.data())
def test_a_suite_written_by_hand_never_brings_the_check_down(con: Connection, data: st.DataObject) -> None:
    native.load()
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    known = sorted(list_registered_expectation_implementations())
    kwargs = data.draw(st.dictionaries(st.sampled_from(ARGUMENTS), ODD, max_size=5))
    first = {
        "type": data.draw(st.sampled_from([*known, "expect_more"])),
        "kwargs": {"column": "email"} | kwargs,
    }
    second = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}}
    odd, plain = native.judge(con, describe(con, "people", ["id"]), [first, second])
    assert plain.success
    assert isinstance(odd.success, bool)
    assert words.whole(first, words.finding(first, native.result_of(odd.native), odd.refused, odd.success))
