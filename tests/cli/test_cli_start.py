"""Starting is quick because the heavy parts are loaded when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "duckdb",
    "pandas",
    "pyarrow",
    "great_expectations",
    "requests",
    "rich",
    "numpy",
    "keyring",
    "IPython",
)


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import icx", ()),
        ("import icx.cli", ()),
        ("from icx.cli import run; run(['--help'])", ()),
        ("from icx.cli import run; run(['plan', '--help'])", ()),
        ("from icx.cli import run; run(['help', 'list-twice'])", ()),
        ("from icx.functions import email, hash_sip", ()),
    ],
)
def test_nothing_heavy_is_loaded_for_something_light(statement: str, allowed: tuple[str, ...]) -> None:
    script = f"{statement}\nimport sys\nprint('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()[1:]
    assert not set(loaded) - set(allowed)


def test_importing_icx_costs_what_it_imports(capfd: pytest.CaptureFixture[str]) -> None:
    script = "import sys; before = set(sys.modules); import icx; print(len(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 25  # a machine under load is slow, the number of modules is not
