"""A plan's rows by the page: what is read in parts is what the whole file has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icx.clock import ManualClock
from icx.errors import BadInput
from icx.store import plans as store_plans
from icx.store.journal import Journal
from icx.store.plans import Intent, Place, Plans

ROWS = pa.table(
    {
        "contact_id": list(range(100)),
        "email": [f"person{n}@example.com" for n in range(100)],
        "action": ["refuse" if n % 3 else "add" for n in range(100)],
        "reason": [None if n % 3 == 0 else "bounced" if n % 2 else "left_this_list" for n in range(100)],
    }
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plans, str]:
    plans = Plans(
        Journal(
            tmp_path_factory.mktemp("data") / "journal.sqlite",
            ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC)),
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_plans, "PART", 7)
        place = Place(41733, 8021, 3001)
        names = {"list_name": "L", "connection": "acme", "audience": "A", "who": "w"}
        return plans, plans.add({}, ROWS, place=place, **names)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.integers(0, 99), max_size=9), columns=st.sampled_from([None, ["email"]]))
def test_some_rows_are_those_of_the_whole_in_the_order_asked_for(
    kept: tuple[Plans, str], rows: list[int], columns: list[str] | None
) -> None:
    plans, plan = kept
    assert pq.ParquetFile(plans.path(plan)).num_row_groups == 15
    whole = ROWS if columns is None else ROWS.select(columns)
    assert plans.some(plan, rows, columns).to_pylist() == whole.take(pa.array(rows, pa.int64())).to_pylist()


def test_the_refused_are_found_by_reason(kept: tuple[Plans, str]) -> None:
    plans, plan = kept
    found = {code: rows.to_pylist() for code, rows in plans.refused(plan).items()}
    assert found == {
        "bounced": [n for n in range(100) if n % 3 and n % 2],
        "left_this_list": [n for n in range(100) if n % 3 and not n % 2],
    }


def test_a_plan_that_is_not_there_is_told_with_those_that_are(
    kept: tuple[Plans, str], tmp_path: Path
) -> None:
    plans, plan = kept
    assert plans.path(plan.lower()) == plans.journal.path.parent / "plans" / f"{plan}.parquet"
    for wrong in ("P-99", "P-x", "P-²", "", "../P-1"):
        with pytest.raises(BadInput) as told:
            plans.get(wrong)
        assert (told.value.code, told.value.where) == ("plan-unknown", "the latest are: P-1")
    with Journal(tmp_path / "journal.sqlite") as journal, pytest.raises(BadInput) as told:
        Plans(journal).get("P-1")
    assert told.value.where == "the latest are: none yet"


def test_outcomes_come_by_the_page(kept: tuple[Plans, str]) -> None:
    plans, plan = kept
    plans.intend(plan, 1, [Intent(n, n, "add", None, 3001) for n in range(0, 99, 3)])
    pages = [plans.outcomes(plan, offset=begin, limit=10) for begin in range(0, 40, 10)]
    assert [one for page in pages for one in page] == plans.outcomes(plan)
    assert plans.touched(plan) == len(plans.outcomes(plan)) == 33
