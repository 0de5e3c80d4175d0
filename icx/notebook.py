"""What a notebook says to icx: how it wants to look, and what it hands to whoever ran it.

import icx.notebook
icx.notebook.setup()                  # first cell: charts offline, tables that fit
icx.notebook.result(added=done.added) # into the JSON of `icx run`
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any


def setup() -> None:
    """Set a notebook up: charts that ask no network, pandas tables that fit; prints nothing, safe to repeat.

    Altair draws with JupyterLab's own renderer; where vl-convert is installed a picture goes with each chart, so
    that a saved notebook shows it too.
    """
    import pandas as pd

    pd.set_option("display.max_columns", 30)
    pd.set_option("display.max_rows", 30)
    pd.set_option("display.max_colwidth", 60)
    if importlib.util.find_spec("altair") is not None:
        import altair

        altair.renderers.register("icx", _offline)
        altair.renderers.enable("icx")
    _on_errors()


def result(**values: Any) -> None:
    """Hand values to the JSON of the run that this notebook is part of; does nothing outside of a run.

    Numbers, texts, lists and mappings travel as they are, objects of icx as their own JSON, tables as rows.
    """
    from icx.jobs import inside

    run = inside.current()
    if run is not None:
        run.result(values)


def _offline(chart: dict[str, Any], **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a chart as JupyterLab draws it by itself, with a picture when one can be made here."""
    import altair

    kind = f"application/vnd.vegalite.v{altair.SCHEMA_VERSION.lstrip('v').split('.')[0]}+json"
    bundle: dict[str, Any] = {kind: chart, "text/plain": "a chart"}
    if importlib.util.find_spec("vl_convert") is not None:
        bundle["image/svg+xml"] = importlib.import_module("vl_convert").vegalite_to_svg(chart)
    return bundle, {}


def _on_errors() -> None:
    """Let a run keep the four parts of an icx error that ends it; the notebook shows it as ever."""
    from icx.errors import IcxError
    from icx.jobs import inside

    run = inside.current()
    if run is None or "IPython" not in sys.modules:
        return
    from IPython import get_ipython  # type: ignore[attr-defined]

    shell = get_ipython()  # type: ignore[no-untyped-call]
    if shell is None:
        return

    def keep(shell: Any, kind: type, error: IcxError, trace: Any, tb_offset: int | None = None) -> Any:
        run.failed(error)
        return shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((IcxError,), keep)
