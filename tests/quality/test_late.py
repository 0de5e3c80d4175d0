"""What Great Expectations hardly uses is loaded when it is used, and everybody else gets the module itself."""

import importlib
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from icx.quality.late import late

AFTER_LOADING = """
import sys
from icx.quality import warm
warm().join()
assert not {"altair", "jsonschema", "scipy.stats", "pyspark"} & set(sys.modules), "loaded with it"
import pyspark  # which the tests have installed
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


def test_only_the_package_gets_a_stand_in_whoever_else_imports_meanwhile_gets_the_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "latecomer").mkdir()
    (tmp_path / "latecomer" / "__init__.py").write_text(
        "import colorsys\nimport json\nfrom latecomer import more\n"
    )
    (tmp_path / "latecomer" / "more.py").write_text("from os import path\n")
    with suppress(KeyError), late("latecomer", "colorsys", "json"):
        latecomer = importlib.import_module("latecomer")
        assert latecomer.json is json
        assert "colorsys" not in sys.modules
        import colorsys

        assert colorsys.__file__
        assert latecomer.colorsys is not colorsys
        assert latecomer.colorsys.rgb_to_hls is colorsys.rgb_to_hls
        raise KeyError
    assert not [one for one in sys.meta_path if type(one).__module__ == late.__module__]
    for name in ("latecomer", "latecomer.more"):
        monkeypatch.delitem(sys.modules, name)
