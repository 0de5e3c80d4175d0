"""The command that removes runs, pages and calls that were kept long enough."""

from __future__ import annotations

from icx.cli.common import Obj, command, workspace
from icx.cli.result import Result


@command(
    "tidy",
    "Show which old runs, pages and calls would go; --yes removes them, as run-due does once a day.",
    "icx tidy",
    "icx tidy --yes",
)
def tidy(obj: Obj) -> Result:
    options, _ = obj
    found = workspace(obj).tidy(remove=options.yes)
    return Result("tidy/1", str(found), found.as_dict())
