"""The engines beside which the profile is measured compute the same 34 columns, also of people without any event."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.big_account import XS
from benchmarks.row_peers import ENGINES, checksums, computed, exported


@pytest.mark.spark
def test_all_engines_give_the_same_columns(tmp_path: Path) -> None:
    tables = exported(replace(XS, name="few", contacts=3_000, events=1_500))
    found = {}
    for engine in ENGINES:
        computed(engine, tables, tmp_path / engine)
        found[engine] = checksums(tmp_path / engine)
    assert found == dict.fromkeys(ENGINES, found["icx"])
    assert found["icx"]["rows"] == 3_000
