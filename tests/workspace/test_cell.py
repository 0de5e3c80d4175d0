"""Progress in a notebook's cell: what it shows of each moment, and what stays when the work is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from icx.clock import ManualClock
from icx.pull.progress import Progress
from icx.workspace.cell import Cell

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
EVIL = """<img src=x onerror="hit()">"""


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a cell drew, one after the other."""
    shown: list[str] = []

    class Handle:
        def display(self, data: dict[str, str], raw: bool) -> None:
            shown.append(data["text/html"])

        update = display

    monkeypatch.setattr("IPython.core.display_functions.DisplayHandle", Handle)
    return shown


def test_a_moment_shows_rate_rest_and_calls(drawn: list[str]) -> None:
    cell = Cell("Pulling acme", ManualClock(NOW), "Europe/Berlin")
    cell(Progress(f'"{EVIL}" opens', 248, 417, 5870.0, "", None, 7412, 300))
    (html,) = drawn
    for words in ("248 of 417", "5,870", "4–7 min", "7,412", "Safe to interrupt"):
        assert words in html
    assert "<img" not in html
    assert EVIL.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;") in html


def test_a_wait_says_until_when_and_why_at_once(drawn: list[str]) -> None:
    clock = ManualClock(NOW)
    cell = Cell("Pulling acme", clock, "Europe/Berlin", service="Mailchimp")
    cell(Progress("contacts", 3, 7))
    cell(Progress("contacts", 3, 7))
    assert len(drawn) == 1  # a moment later nothing new is drawn
    cell(Progress("contacts", 3, 7, None, "503, try 3", NOW + timedelta(seconds=22)))
    assert len(drawn) == 2
    assert "Waiting for Mailchimp (503, try 3)." in drawn[-1]
    assert "Goes on 09:30:22, 22 s from now" in drawn[-1]
    clock.sleep(30)
    cell(Progress("subscriptions", 4, 7))
    assert "Waiting" not in drawn[-1]
    assert "waited once" in drawn[-1]


@pytest.mark.parametrize(
    ("how", "words"), [("done", "Pulling acme: done in 1 min 0 s"), ("stopped", "What landed is kept")]
)
def test_one_line_stays_when_it_is_over(drawn: list[str], how: str, words: str) -> None:
    clock = ManualClock(NOW)
    cell = Cell("Pulling acme", clock, "UTC")
    cell(Progress("contacts", 3, 7))
    clock.sleep(60)
    cell.end(how)
    assert words in drawn[-1]
    assert "Rate" not in drawn[-1]


def test_work_that_showed_nothing_leaves_nothing(drawn: list[str]) -> None:
    Cell("Pulling acme", ManualClock(NOW), "UTC").end("done")
    assert drawn == []
