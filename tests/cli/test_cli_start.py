"""Starting is quick because the heavy parts are loaded when they are used."""

from __future__ import annotations

import resource
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
        ("import icx; icx.open('.')", ("duckdb",)),
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


def cpu_seconds(script: str) -> float:
    """The least of three interpreters that ran this; not the clock's, which a busy machine stretches."""

    def one() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(one() for _ in range(3))


def test_a_start_costs_few_times_what_pythons_own_costs() -> None:
    python = cpu_seconds("pass")
    assert cpu_seconds("import icx") < 3 * python
    assert cpu_seconds("from icx.cli import run; run(['--help'])") < 8 * python
