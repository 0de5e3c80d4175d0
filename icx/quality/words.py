"""How an expectation and what became of it are said: one sentence each, for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from icx import mask

Kwargs = Mapping[str, Any]


def percent(part: float, beside: float | None = None) -> str:
    """Return a percentage (given as 0–100) with as many decimals as it needs, never hiding a difference.

    >>> percent(39.4), percent(0.2237), percent(0.1), percent(100)
    ('39 %', '0.22 %', '0.1 %', '100 %')
    >>> percent(49.7, beside=50), percent(99.75)
    ('49.7 %', '99.8 %')
    """
    for decimals in range(0 if part >= 10 or part == 0 else 2, 6):
        text = f"{part:.{decimals}f}"
        hides = beside is not None and float(text) == float(f"{beside:.{decimals}f}") and part != beside
        if not hides and (part == 0 or float(text) > 0) and (part == 100 or float(text) < 100):
            break
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def count(number: float) -> str:
    return f"{number:,}"


def value(given: Any) -> str:
    """Return a value as people read it.

    >>> value(None), value(1204), value("normal"), value(["a", "b"])
    ('no value', '1,204', 'normal', 'a, b')
    """
    match given:
        case None:
            return "no value"
        case bool():
            return "yes" if given else "no"
        case float() if given.is_integer() and abs(given) < 1e15:
            return f"{int(given):,}"
        case int():
            return f"{given:,}"
        case float():
            return f"{given:,.4g}"
        case list() | tuple() | set():
            listed = [value(one) for one in list(given)[:8]]
            return ", ".join(listed) + (", …" if len(given) > 8 else "")
        case dict():
            return ", ".join(f"{key} {value(one)}" for key, one in list(given.items())[:8])
    return mask.plain(given)


def sentence(entry: Mapping[str, Any]) -> str:
    """Return what an expectation expects: its own description, or one made of its type.

    >>> sentence({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "phone"}})
    'phone is filled'
    >>> sentence({"type": "expect_column_max_to_be_between", "kwargs": {"column": "opens", "max_value": 500}})
    'the largest opens is at most 500'
    """
    if entry.get("description"):
        return str(entry["description"])
    kwargs = entry.get("kwargs") or {}
    made = _SENTENCES.get(str(entry.get("type")))
    try:
        if made:
            return made(kwargs)
    except (KeyError, TypeError, ValueError):
        pass
    words = str(entry.get("type")).removeprefix("expect_").replace("_", " ")
    column = kwargs.get("column")
    return f"{column}: {words.removeprefix('column ')}" if column else words


def _range(kwargs: Kwargs) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is not None and high is not None:
        return f"{value(low)}" if low == high else f"between {value(low)} and {value(high)}"
    if low is not None:
        return f"{'above' if kwargs.get('strict_min') else 'at least'} {value(low)}"
    return f"{'below' if kwargs.get('strict_max') else 'at most'} {value(high)}"


def _of(text: str, key: str = "column") -> Callable[[Kwargs], str]:
    return lambda kwargs: text.format(kwargs[key], _range(kwargs))


def _set(text: str, key: str = "value_set") -> Callable[[Kwargs], str]:
    return lambda kwargs: text.format(kwargs.get("column"), value(kwargs[key]))


_SENTENCES: dict[str, Callable[[Kwargs], str]] = {
    "expect_column_values_to_not_be_null": _of("{0} is filled"),
    "expect_column_values_to_be_null": _of("{0} is empty"),
    "expect_column_values_to_be_unique": _of("{0} is unique"),
    "expect_column_values_to_be_between": _of("{0} is {1}"),
    "expect_column_value_lengths_to_be_between": _of("the length of {0} is {1}"),
    "expect_column_values_to_be_in_set": _set("{0} is one of {1}"),
    "expect_column_values_to_not_be_in_set": _set("{0} is none of {1}"),
    "expect_column_values_to_match_regex": _set("{0} matches {1}", "regex"),
    "expect_column_values_to_not_match_regex": _set("{0} does not match {1}", "regex"),
    "expect_column_values_to_be_of_type": _set("{0} is {1}", "type_"),
    "expect_column_distinct_values_to_be_in_set": _set("the values of {0} are among {1}"),
    "expect_column_distinct_values_to_equal_set": _set("the values of {0} are {1}"),
    "expect_column_distinct_values_to_contain_set": _set("the values of {0} include {1}"),
    "expect_column_most_common_value_to_be_in_set": _set("the commonest {0} is one of {1}"),
    "expect_column_to_exist": _of("there is a column {0}"),
    "expect_column_min_to_be_between": _of("the smallest {0} is {1}"),
    "expect_column_max_to_be_between": _of("the largest {0} is {1}"),
    "expect_column_mean_to_be_between": _of("the mean of {0} is {1}"),
    "expect_column_median_to_be_between": _of("the median of {0} is {1}"),
    "expect_column_sum_to_be_between": _of("the sum of {0} is {1}"),
    "expect_column_stdev_to_be_between": _of("the spread of {0} is {1}"),
    "expect_column_unique_value_count_to_be_between": _of("the number of different {0} is {1}"),
    "expect_column_proportion_of_unique_values_to_be_between": _of("the share of different {0} is {1}"),
    "expect_column_proportion_of_non_null_values_to_be_between": _of("the filled share of {0} is {1}"),
    "expect_table_row_count_to_be_between": lambda kwargs: f"the number of rows is {_range(kwargs)}",
    "expect_table_row_count_to_equal": lambda kwargs: f"there are {value(kwargs['value'])} rows",
    "expect_table_column_count_to_be_between": lambda kwargs: f"the number of columns is {_range(kwargs)}",
    "expect_column_pair_values_a_to_be_greater_than_b": lambda kwargs: (
        f"{kwargs['column_A']} is {'at least' if kwargs.get('or_equal') else 'above'} {kwargs['column_B']}"
    ),
    "expect_column_pair_values_to_be_equal": lambda kwargs: (
        f"{kwargs['column_A']} equals {kwargs['column_B']}"
    ),
    "expect_compound_columns_to_be_unique": lambda kwargs: (
        f"{value(kwargs['column_list'])} together are unique"
    ),
}


def finding(entry: Mapping[str, Any], result: Mapping[str, Any], refused: str | None, passed: bool) -> str:
    """Return what was found, to stand after the sentence; empty when there is nothing to add.

    >>> entry = {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "email", "mostly": 0.999}}
    >>> finding(entry, {"unexpected_count": 412, "unexpected_percent": 0.2235}, None, False)
    '412 do not, 0.22 %, allowed 0.1 %'
    """
    if refused is not None:
        return f"could not be judged: {refused}"
    mostly = mostly_of(entry)
    broken = result.get("unexpected_count")
    if entry.get("type") == "unexpected_rows_expectation":
        found = result.get("observed_value")
        return f"{count(found)} {'row does' if found == 1 else 'rows do'} not" if found else ""
    if broken is not None and result.get("unexpected_percent") is not None:
        share = float(result["unexpected_percent"])
        if entry.get("type") == "expect_column_values_to_not_be_null" and mostly < 1:
            return f"filled for {percent(100 - share, 100 * mostly)}, wanted {percent(100 * mostly)}"
        if not broken:
            return ""
        allowed = 100 * (1 - mostly)
        text = f"{count(broken)} {'does' if broken == 1 else 'do'} not, {percent(share, allowed)}"
        return text + (f", allowed {percent(allowed)}" if mostly < 1 else "")
    if "observed_value" in result and result["observed_value"] is not None:
        return f"found {value(result['observed_value'])}"
    if broken:
        return f"{count(broken)} values are not"
    if result.get("missing_count"):
        return f"{count(result['missing_count'])} values are missing"
    return "" if passed else "not so"


def mostly_of(entry: Mapping[str, Any]) -> float:
    """Return the share of values that have to be as expected, 0–1; all of them when nothing readable is said."""
    given = (entry.get("kwargs") or {}).get("mostly")
    return float(given) if isinstance(given, (int, float)) else 1.0


def allowance(mostly: float) -> str:
    """Return how many of the values have to be so, when not all: `, for at least 99.5 %`."""
    return f", for at least {percent(100 * mostly)}" if mostly < 1 else ""


def whole(entry: Mapping[str, Any], found: str) -> str:
    """Return sentence and finding as one line, as the terminal shows it.

    >>> whole({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "phone"}},
    ...     "filled for 39 %, wanted 50 %")
    'phone is filled for 39 %, wanted 50 %'
    """
    said = sentence(entry)
    if found.startswith("filled for "):
        return f"{(entry.get('kwargs') or {}).get('column')} is {found}"
    return f"{said}: {found}" if found else said


def ids(given: Sequence[Any], shown: int = 2) -> str:
    """Return people as ids: `(#70918, #71002, …)`."""
    if not given:
        return ""
    listed = ", ".join(f"#{one}" for one in given[:shown])
    return f"({listed}{', …' if len(given) > shown else ''})"
