"""A notebook by the clock, in a real kernel: failed is failed, and the retry repeats its run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from icx.clock import SystemClock
from icx.errors import BadInput
from icx.workspace import Workspace


class Later(SystemClock):
    ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def notebook(path: Path) -> None:
    """A notebook that goes wrong until there is a file `mended`."""
    cells = [
        ("parameters", 'city: str = "Durham"  # whose city\ndays: int = 90  # how far back'),
        (
            "",
            "from pathlib import Path\nassert Path('mended').exists(), 'ada@example.com is not mended'\ncity, days",
        ),
    ]
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "cell_type": "code", "id": f"c{n}", "metadata": {"tags": [tag] if tag else []},
                "execution_count": None, "outputs": [], "source": source,
            }
            for n, (tag, source) in enumerate(cells)
        ],
    }  # fmt: skip
    path.write_text(json.dumps(book), encoding="utf-8")


def test_a_notebook_that_fails_is_a_failed_job_and_its_retry_is_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Later, "ahead", timedelta())
    notebook(tmp_path / "weekly.ipynb")
    with Workspace(tmp_path, clock=Later(), who="maya") as ws:
        for wrong, told in (
            ({"cty": "Cary"}, "cty"),
            ({"days": "many"}, "days"),
            ({"password": "x"}, "password"),
        ):
            with pytest.raises(BadInput, match=told):
                ws.schedule("weekly", "weekly.ipynb", every="Mon 07:00", params=wrong)
        job = ws.schedule("weekly", "weekly.ipynb", every="hourly", params={"days": 30}, backoff=0)
        assert job.params == {"days": 30}
        soonest = ws.jobs()["weekly"].next_at
        assert soonest is not None
        Later.ahead = soonest - datetime.now(UTC) + timedelta(seconds=1)
        (failed,) = ws.run_due().ran
        assert (failed.state, failed.code) == ("failed", "notebook-failed")
        assert "ada@" not in str(failed.as_dict())
        assert failed.child
        (tmp_path / "mended").touch()
        (mended,) = ws.run_due().ran
        assert (mended.state, mended.why, mended.first, mended.attempt) == ("done", "retry", failed.run, 2)
        kept = json.loads((tmp_path / "data/runs" / mended.child / "run.json").read_text(encoding="utf-8"))
        assert (kept["again"], kept["parameters"]["days"]) == (failed.child, 30)
        assert ws.jobs()["weekly"].state == "active"
        shown = ws.jobs()._repr_html_()
        assert "weekly.ipynb" in shown
        assert "<script" not in shown
