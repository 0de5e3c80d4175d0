"""icx: an iContact account in one DuckDB file, one row per person, audiences, plans, and pushes.

    import icx
    ws = icx.open()               # this folder; icx.open(sandbox=True) starts a simulated account
    ws.pull("acme")

`icx.icontact.Client` alone is a Python client for iContact's API.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icx.workspace import Workspace

__version__ = "0.1.0"
__all__ = ["__version__", "icontact", "open"]


def open(path: str = ".", *, sandbox: bool = False, **options: Any) -> Workspace:
    """Return the workspace in a folder; an empty folder is one too.

    With `sandbox=True` a simulated iContact account runs on this machine (its state is kept under the
    folder, by default `demo`) and is saved as the connection `acme`. In a notebook that `icx run` executes
    the folder is the run's workspace with the connections it has, unless a parameter of the run says otherwise.
    """
    from icx.workspace import Workspace

    if os.environ.get("ICX_RUN"):
        from icx.notebook import of_the_run

        path, sandbox = of_the_run(path, sandbox)
    if sandbox:
        return Workspace.with_sandbox("demo" if path == "." else path, **options)
    return Workspace(path, **options)


def __getattr__(name: str) -> Any:
    # Importing icx costs nothing; its parts are imported when they are named.
    if name in {"icontact", "functions", "rules", "sandbox", "workspace"}:
        return importlib.import_module(f"icx.{name}")
    raise AttributeError(f"icx has no {name!r}")
