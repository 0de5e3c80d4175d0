"""The long way round: GX's own pandas code over bounded batches, for what DuckDB cannot express.

Only where each row stands for itself, so that batches can be added up. Only the columns looked at and the
key travel; memory holds one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from icx.quality.conditions import condition
from icx.quality.relation import Relation
from icx.quality.scan import split
from icx.store.db import Connection, quoted

BATCH = 250_000
ROW_BY_ROW = {
    "column_values.match_json_schema",
    "column_values.dateutil_parseable",
    "column_values.json_parseable",
    "column_values.match_strftime_format",
    "column_values.match_regex",
    "column_values.not_match_regex",
    "column_values.match_regex_list",
    "column_values.not_match_regex_list",
}


def in_batches(
    con: Connection, relation: Relation, metrics: Sequence[Any], samples: int, rows: int = BATCH
) -> dict[Any, Any]:
    """Return the values of one expectation's metrics, counted by GX's pandas engine batch by batch.

    Raises what that engine raises on the data.
    """
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from great_expectations.validator.metrics_calculator import MetricsCalculator

    domain = metrics[0].metric_domain_kwargs
    column = relation.column(domain["column"])
    where = condition(domain.get("row_condition"), domain.get("condition_parser"), relation)
    names = list(dict.fromkeys([*relation.key, column.name]))
    sql = f"SELECT {', '.join(map(quoted, names))} FROM {relation.sql} WHERE {where} AND {column.sql} IS NOT NULL"
    totals: dict[Any, Any] = {}
    for frame in _frames(con, sql, rows):  # one batch in memory at a time
        engine = PandasExecutionEngine(batch_data_dict={"batch": frame})
        asked = {}
        for metric in metrics:
            # the condition is already in the query
            plain = {**metric.metric_domain_kwargs, "row_condition": None, "condition_parser": None}
            asked[metric.id] = MetricConfiguration(
                metric.metric_name, plain, dict(metric.metric_value_kwargs)
            )
        calculator = MetricsCalculator(execution_engine=engine, show_progress_bars=False)
        found, aborted = calculator.compute_metrics(metric_configurations=list(asked.values()))
        for problem in aborted.values():
            raise ValueError(_said(problem.get("exception_info")))
        for key, metric in asked.items():
            _add(totals, key, split(metric.metric_name)[1], found[metric.id], samples)
    for metric in metrics:
        part = split(metric.metric_name)[1]
        totals.setdefault(metric.id, {"unexpected_count": 0, "unexpected_index_query": ""}.get(part, []))
    return totals


def _add(totals: dict[Any, Any], key: Any, part: str, value: Any, samples: int) -> None:
    match part:
        case "unexpected_count" | "filtered_row_count":
            totals[key] = totals.get(key, 0) + int(value)
        case "unexpected_values" | "unexpected_index_list":
            totals[key] = [*totals.get(key, []), *(value or [])][:samples]
        case _:
            totals[key] = value


def _said(problem: Any) -> str:
    for info in problem if isinstance(problem, (set, list, tuple)) else [problem]:
        text = getattr(info, "exception_message", None) or (
            info.get("exception_message") if isinstance(info, dict) else None
        )
        if text:
            return str(text)
    return "pandas could not look at these rows"


def _frames(con: Connection, sql: str, rows: int) -> Iterator[Any]:
    found = con.sql(sql)
    if found is None:
        return
    reading = (
        found.to_arrow_reader(rows) if hasattr(found, "to_arrow_reader") else found.fetch_arrow_reader(rows)
    )
    try:
        for batch in reading:
            if batch.num_rows:
                yield batch.to_pandas()
    finally:
        reading.close()  # an unfinished result would bar this connection from the next query
