"""What a notebook says to icx: how it wants to look, and what it hands to whoever ran it.

import icx.notebook
icx.notebook.setup()                  # first cell: charts offline, tables that fit
icx.notebook.result(added=done.added) # into the JSON of `icx run`
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from pathlib import Path
from typing import Any


def setup() -> None:
    """Set a notebook up: charts that ask no network, pandas tables that fit; prints nothing, safe to repeat.

    Altair's charts are drawn by JupyterLab itself; where vl-convert is installed a picture goes with each chart, so
    that a saved notebook shows it too.
    """
    import pandas as pd

    pd.set_option("display.max_columns", 30)
    pd.set_option("display.max_rows", 30)
    pd.set_option("display.max_colwidth", 60)
    shell = _shell()
    if shell is not None and importlib.util.find_spec("altair") is not None:
        # By name, so that nothing is imported until a chart is shown; Altair's own way asks a CDN.
        major = importlib.metadata.version("altair").partition(".")[0]
        formatter = shell.display_formatter.mimebundle_formatter
        formatter.for_type_by_name(f"altair.vegalite.v{major}.api", "TopLevelMixin", _offline)
    keep_errors()


def result(**values: Any) -> None:
    """Hand values to the JSON of the run that this notebook is part of; does nothing outside of a run.

    Numbers, texts, lists and mappings travel as they are, objects of icx as their own JSON, tables as rows.
    """
    from icx.jobs import inside

    run = inside.current()
    if run is not None:
        run.result(values)


def of_the_run(path: str, sandbox: bool) -> tuple[str, bool]:
    """Return the folder that a notebook means which `icx run` executes, and whether it simulates its account.

    By hand `workspace = "../demo"` is seen from the notebook; a run belongs to a workspace already, so that only
    a folder given to the run as a parameter counts. A workspace that has connections needs no simulated one, unless
    the run was given `sandbox`. An error that ends the run is kept for it from here on.
    """
    from icx.jobs import inside

    run = inside.current()
    if run is None:
        return path, sandbox
    keep_errors()
    if path in run.parameters.values():
        return path, sandbox
    connected = any((Path(run.workspace) / "data" / "connections").glob("*.json"))
    return str(run.workspace), sandbox and ("sandbox" in run.parameters or not connected)


def keep_errors() -> None:
    """Let a run keep the four parts of an icx error that ends it; the notebook shows it as ever."""
    from icx.errors import IcxError
    from icx.jobs import inside

    run, shell = inside.current(), _shell()
    if run is None or shell is None:
        return

    def keep(shell: Any, kind: type, error: IcxError, trace: Any, tb_offset: int | None = None) -> None:
        run.failed(error)
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((IcxError,), keep)


def _shell() -> Any:
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _offline(chart: Any, **options: Any) -> dict[str, Any]:
    """Return a chart as JupyterLab draws it by itself, with a picture when one can be made here."""
    display = importlib.import_module(type(chart).__module__.rpartition(".")[0] + ".display")
    spec = chart.to_dict()
    bundle: dict[str, Any] = {display.VEGALITE_MIME_TYPE: spec, "text/plain": "a chart"}
    if importlib.util.find_spec("vl_convert") is not None:
        bundle["image/svg+xml"] = importlib.import_module("vl_convert").vegalite_to_svg(spec)
    return bundle
