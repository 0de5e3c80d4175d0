"""The example of docs/connections.md is a connection: it passes the suite that it shows."""

import re
from pathlib import Path

import conformance
import pytest

PAPER = Path(__file__).parents[2] / "docs" / "connections.md"
_here: dict[str, object] = {}
for code in re.findall(r"```python\n(.*?)```", PAPER.read_text(encoding="utf-8"), re.DOTALL):
    exec(code, _here)  # noqa: S102 - our own paper

TestNotebook = _here["TestNotebook"]


def test_the_suite_is_not_passed_by_one_who_loses_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    there = _here["Notebook"]()  # type: ignore[operator]
    monkeypatch.setattr(type(there), "_one", lambda self, change: conformance.Change(change.row, None))
    rig = conformance.Rig(lambda: there, "name", "city")
    with pytest.raises((AssertionError, AttributeError)):
        conformance.Conformance().test_somebody_made_is_there_as_they_were_given(rig)
