"""Great Expectations itself: it reads the suite, says what it needs to know, and gives the verdict.

The only module that imports it, always inside a function: the import takes seconds.
"""

from __future__ import annotations

import difflib
import logging
import os
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from icx.quality.batches import ROW_BY_ROW, in_batches
from icx.quality.kept import configurations_kept, keep
from icx.quality.late import NEVER_USED, RARELY_USED, late
from icx.quality.relation import Relation, Unfit
from icx.quality.scan import Computed, compute, first_line, split
from icx.store.db import Connection, DatabaseError

SAMPLES = 20
_IMPORTING = threading.Lock()


@dataclass(frozen=True)
class Verdict:
    """GX's result for one expectation (`native`, its own JSON), or why there is none (`refused`).

    `rows` are a few of those that an expectation's own SQL returned; GX counts them and shows none.
    """

    native: dict[str, Any]
    refused: str | None = None
    rows: Sequence[Mapping[str, Any]] = ()

    @property
    def success(self) -> bool:
        return self.refused is None and bool(self.native.get("success"))


def warm() -> threading.Thread:
    """Start importing Great Expectations beside other work; the check then need not wait for it."""
    thread = threading.Thread(target=_gx, name="icx-gx-import", daemon=True)
    thread.start()
    return thread


def load() -> None:
    """Import Great Expectations now, so that what follows can be timed without it."""
    _gx()


def metrics_of(entry: Mapping[str, Any], relation: Relation) -> list[Any]:
    """Return what GX needs to know for one expectation; raises what GX raises when it cannot be read."""
    with _quiet():
        return _needed(_build(_gx(), entry), relation)


def judge(con: Connection, relation: Relation, entries: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    """Return a verdict per expectation, in order; one that cannot be judged is refused by name.

    `entries` are native suite entries (`type`, `kwargs`, `meta`, `severity`) with parameters filled in.
    """
    with _quiet(), configurations_kept():
        return _judge(con, relation, entries)


@contextmanager
def _quiet() -> Iterator[None]:
    """GX warns about its own next version and its dependencies; none of it is for who reads a report."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _judge(con: Connection, relation: Relation, entries: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    gx = _gx()
    built: list[Any] = []
    refused: dict[int, str] = {}
    wanted: dict[Any, Any] = {}
    needs: dict[int, list[Any]] = {}
    for at, entry in enumerate(entries):
        try:
            expectation = _build(gx, entry)
            metrics = _needed(expectation, relation)
        except Exception as error:  # GX raises its own, pydantic's and plain errors here
            built.append(None)
            refused[at] = _why(gx, entry, error)
            continue
        built.append(expectation)
        needs[at] = metrics
        wanted.update((metric.id, metric) for metric in metrics)
    found = compute(con, relation, wanted, SAMPLES)
    for metrics in needs.values():
        _by_batches(con, relation, metrics, found)
    verdicts = []
    for at, entry in enumerate(entries):
        if at not in refused:
            try:
                verdicts.append(_verdict(con, relation, built[at], needs[at], found))
                continue
            except Exception as error:
                refused[at] = first_line(error)
        verdicts.append(Verdict(_exception(entry, refused[at]), refused[at]))
    return verdicts


def result_of(gx_json: Mapping[str, Any]) -> Mapping[str, Any]:
    return gx_json.get("result") or {}


def _gx() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read once, when it is imported
    with _IMPORTING, _quiet(), late("great_expectations", *RARELY_USED, absent=NEVER_USED):
        import great_expectations
        import great_expectations.core
        import great_expectations.expectations.core
        import great_expectations.expectations.expectation
        import great_expectations.expectations.expectation_configuration

        keep(great_expectations.expectations.expectation.Expectation)
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    return great_expectations


def _build(gx: Any, entry: Mapping[str, Any]) -> Any:
    made = gx.expectations.expectation_configuration.ExpectationConfiguration(
        type=entry["type"],
        kwargs=dict(entry.get("kwargs") or {}),
        meta=dict(entry.get("meta") or {}),
        **{name: entry[name] for name in ("severity", "description", "notes") if entry.get(name)},
    )
    return made.to_domain_obj()


def _runtime(relation: Relation) -> dict[str, Any]:
    # a fresh one each time: GX changes the mapping it is given
    return {
        "result_format": {
            "result_format": "SUMMARY",
            "partial_unexpected_count": SAMPLES,
            "include_unexpected_rows": False,
            "unexpected_index_column_names": list(relation.key) or None,
        }
    }


def _needed(expectation: Any, relation: Relation) -> list[Any]:
    asked = expectation.get_validation_dependencies(runtime_configuration=_runtime(relation))
    return list(asked.get_metric_configurations())


def _by_batches(con: Connection, relation: Relation, metrics: Sequence[Any], found: Computed) -> None:
    """Let GX's own pandas code look at the rows, where SQL cannot and each row stands for itself."""
    open_ones = [metric for metric in metrics if metric.id in found.unmapped]
    if open_ones and all(split(metric.metric_name)[0] in ROW_BY_ROW for metric in open_ones):
        try:
            values = in_batches(con, relation, open_ones, SAMPLES)
        except (Unfit, DatabaseError) as error:
            for metric in open_ones:
                found.failed[metric.id] = first_line(error)
            return
        except Exception as error:  # whatever GX's pandas code meets in the data
            for metric in open_ones:
                found.failed[metric.id] = f"{type(error).__name__}: {first_line(error)}"
            return
        found.values.update(values)
        for metric in open_ones:
            del found.unmapped[metric.id]


def _verdict(
    con: Connection, relation: Relation, expectation: Any, metrics: Sequence[Any], found: Computed
) -> Verdict:
    entry = expectation.configuration.to_json_dict()
    if entry["type"] in _TYPES:
        return _of_type(con, relation, entry)
    for metric in metrics:
        if metric.id in found.failed:
            text = found.failed[metric.id]
            return Verdict(_exception(entry, text), text)
        if metric.id in found.unmapped:
            text = f'"{entry["type"]}" cannot be judged on this data: {found.unmapped[metric.id]} has no form here'
            return Verdict(_exception(entry, text), text)
    made = expectation.metrics_validate(metrics=dict(found.values), runtime_configuration=_runtime(relation))
    native = made.to_json_dict()
    native["success"] = bool(native["success"])
    own = [found.values[m.id] for m in metrics if m.metric_name == "unexpected_rows_query.table"]
    return Verdict(native, rows=own[0] if own else ())


_TYPES = {
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_column_type_to_be",
}


def _of_type(con: Connection, relation: Relation, entry: Mapping[str, Any]) -> Verdict:
    """Compare a column's type in DuckDB's names: GX's own code knows only its three engines' types."""
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    kwargs = entry["kwargs"]
    column = relation.column(kwargs["column"])
    given = kwargs["type_list"] if "type_list" in kwargs else [kwargs["type_"]]
    names = [_type_name(con, name) for name in given or []]
    if given and not any(names):
        raise Unfit(f"{', '.join(map(repr, given))}: DuckDB has no such type; this column is {column.type}")
    made = ExpectationValidationResult(
        success=column.type in names or given is None,
        expectation_config=ExpectationConfiguration(**dict(entry)),
        result={"observed_value": column.type},
        exception_info={"raised_exception": False, "exception_traceback": None, "exception_message": None},
    )
    return Verdict(made.to_json_dict())


def _type_name(con: Connection, name: Any) -> str | None:
    if (
        not str(name)
        .replace("_", "")
        .replace(" ", "")
        .replace("(", "")
        .replace(")", "")
        .replace(",", "")
        .replace("[", "")
        .replace("]", "")
        .isalnum()
    ):
        return None
    try:
        ((found,),) = con.execute(f"SELECT typeof(CAST(NULL AS {name}))").fetchall()
    except DatabaseError:
        return None
    return str(found).upper()


def _exception(entry: Mapping[str, Any], text: str) -> dict[str, Any]:
    return {
        "success": False,
        "expectation_config": {
            "type": entry.get("type"),
            "kwargs": dict(entry.get("kwargs") or {}),
            "meta": dict(entry.get("meta") or {}),
            "severity": entry.get("severity", "critical"),
        },
        "result": {},
        "meta": {},
        "exception_info": {
            "raised_exception": True,
            "exception_traceback": None,
            "exception_message": text,
        },
    }


def _why(gx: Any, entry: Mapping[str, Any], error: Exception) -> str:
    name = str(entry.get("type"))
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    known = list_registered_expectation_implementations()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        return f'Great Expectations has no "{name}"' + (f"; nearest: {near[0]}" if near else "")
    text = " ".join(part.strip() for part in str(error).split("\n")[:3])
    return f'"{name}" is not understood as it is written: {text[:300]}'
