"""What Great Expectations hardly uses is loaded when it is used, and everybody else gets the module itself."""

import json
import subprocess
import sys
from contextlib import suppress

import pytest

from icx.quality.late import late

AFTER_LOADING = """
import sys
from icx.quality import warm
warm().join()
assert not {"altair", "jsonschema", "scipy.stats"} & set(sys.modules), "loaded with it"
import jsonschema.exceptions, scipy.stats
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as divergence
from great_expectations.expectations.metrics.column_map_metrics import column_values_match_json_schema as matching
assert divergence.stats.entropy is scipy.stats.entropy
assert matching.jsonschema.ValidationError is jsonschema.exceptions.ValidationError
assert divergence.alt is not sys.modules.get("altair")
"""


def test_they_are_loaded_when_used_and_then_are_the_modules_themselves() -> None:
    done = subprocess.run([sys.executable, "-c", AFTER_LOADING], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_stand_in_leaves_when_the_import_is_over_and_when_it_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with suppress(KeyError), late("colorsys", "json"):
        import colorsys

        assert not hasattr(colorsys, "__file__")
        assert sys.modules["json"] is json
        raise KeyError
    assert "colorsys" not in sys.modules
    assert colorsys.ONE_THIRD == 1 / 3
