"""Everything icx shows, in a real browser: light and dark, wide and narrow, with names that would like to be code."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import chromium
import pytest
import small
from chromium import Seen
from road.conftest import no_keyring

from icx.jobs.report import STYLE
from icx.workspace import Workspace

pytestmark = pytest.mark.browser
__all__ = ["no_keyring"]

EVIL = """<img src=x onerror="hit()">&amp;'"<b>bold</b>"""
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnungsfreundeskreis"


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a notebook shows of an account whose every name is markup, by what it is."""
    folder = tmp_path_factory.mktemp("shown") / "acme"
    with Workspace(folder) as ws:
        options = {"contacts": small.CONTACTS, "messages": small.MESSAGES, "seed": 17}
        ws.accounts.start_sandbox("acme", folder / "data" / "sandbox-acme.sqlite", **options)
        with closing(sqlite3.connect(folder / "data" / "sandbox-acme.sqlite")) as con:
            con.execute("update accounts set company_name = ?", [EVIL])
            con.execute("update folders set name = ?", [EVIL])
            con.execute("update lists set name = ?, description = ? where list_id = 3004", [EVIL, EVIL])
            con.execute("update messages set message_name = iif(message_id % 2, ?, ?)", [EVIL, LONG])
            con.execute("update contacts set city = ?, first_name = ? where city = 'Durham'", [EVIL, LONG])
            con.commit()
        ws.accounts.start_sandbox("acme", folder / "data" / "sandbox-acme.sqlite")
        pulled = ws.pull("acme")
        ws.build("acme")
        reports = ws.checks(name="acme")
        f = ws.fields
        loyal = ws.audience(EVIL, (f.opens_90d >= 3) & (f.city == EVIL), description=EVIL)
        wide = ws.audience(LONG, f.opened(1, days=365) | f.on_list(EVIL))
        ws.schedule("weekly", audience=LONG, to=f"acme/lists/{EVIL}", every="Mon 07:00")
        often = ws.trigger("Often", f.opens_90d >= 3, command=["true", EVIL], description=EVIL)
        some = str(often.test().already)
        often.run(existing=True, confirm={"existing": some, "firings": some})
        ws.trigger("Loyal", f.in_audience(EVIL), push=f"acme/lists/{EVIL}")
        plan = ws.plan(loyal, f"acme/lists/{EVIL}")
        assert plan.counts.add > 0
        shown = {
            "pull": pulled,
            "ledger": ws.ledger("acme"),
            "workspace": ws,
            "status": ws.status(),
            "connection": ws.connection("acme"),
            "jobs": ws.jobs(),
            "audience": loyal,
            "wide audience": wide,
            "why": loyal.why(70233),
            "breakdown": loyal.breakdown("city"),
            "overlap": loyal.overlap(wide),
            "trigger": often,
            "triggers": ws.triggers(),
            "plan": plan,
            **{f"check of {each.suite}": each for each in reports},
        }
        found = {name: each._repr_html_() for name, each in shown.items()}
        found["monitor"] = ws.monitor().static_html()
        assert reports[0].html_path is not None
        found["page of checks"] = Path(reports[0].html_path).read_text(encoding="utf-8")
        yield found


@pytest.fixture(
    scope="module", params=[(1080, "light"), (480, "dark")], ids=["wide and light", "narrow and dark"]
)
def seen(request: pytest.FixtureRequest, pieces: dict[str, str]) -> dict[str, Seen]:
    """Each piece as a notebook shows it."""
    width, lab_theme = request.param
    cells = {name: piece for name, piece in pieces.items() if name != "page of checks"}
    return chromium.measured(chromium.notebook(cells, lab_theme, width))


def test_nothing_names_an_address_of_the_network(pieces: dict[str, str]) -> None:
    for name, piece in pieces.items():
        tags = re.findall(r"<(?!/)[a-z][^>]*>", re.sub(r"<style>.*?</style>", "", piece, flags=re.DOTALL))
        names = re.sub(r'"[^"]*"', '""', " ".join(tags))  # what stands in a title is words
        assert not re.search(r"(?:src|href|action|srcset)\s*=", names), name
        assert "<script" not in piece, name
        assert not re.search(r"@import|url\(", piece), name


def test_names_that_look_like_code_stay_words(seen: dict[str, Seen]) -> None:
    assert {name: each.hits for name, each in seen.items() if each.hits} == {}
    for name in ("audience", "plan", "breakdown", "ledger", "workspace"):
        assert """onerror="hit()">&amp;'"<b>bold</b>""" in seen[name].text, name


def test_nothing_is_asked_of_the_network(seen: dict[str, Seen]) -> None:
    assert {name: each.asked for name, each in seen.items() if each.asked} == {}


def test_nothing_sticks_out_of_its_cell(seen: dict[str, Seen]) -> None:
    assert {name: each.sticks_out for name, each in seen.items() if each.sticks_out > 0} == {}


def test_every_icon_has_its_size_and_no_more(seen: dict[str, Seen]) -> None:
    """One view's stylesheet reaches the next view of a page; names of its own keep them apart."""
    assert {name: each.broken[:3] for name, each in seen.items() if each.broken} == {}


def test_every_text_can_be_read_on_its_ground(seen: dict[str, Seen]) -> None:
    """4.5 to 1 is what WCAG asks of small text."""
    faint = {name: (each.faintest, each.faintest_text) for name, each in seen.items() if each.faintest < 4.5}
    assert faint == {}


def test_no_address_is_shown_in_full(seen: dict[str, Seen]) -> None:
    for name, each in seen.items():
        assert not re.search(r"[\w.+-]{2,}@(?:[\w-]+\.)*example\.\w+", each.text), name


def test_a_check_in_the_page_of_a_run_has_its_icons(pieces: dict[str, str]) -> None:
    told = pieces["check of profile"]
    run = f"<style>{STYLE}</style>{pieces['workspace']}<div class='icx'><div class='run-cells'>{told}</div></div>"
    found = chromium.measured(chromium.page(f"<section data-name='run' style='width:700px'>{run}</section>"))
    assert found["run"].broken == []


@pytest.mark.parametrize("width", [1080, 500])
def test_the_page_of_a_check_stands_alone(pieces: dict[str, str], width: int) -> None:
    whole = pieces["page of checks"]
    head, body = whole.split("<body", 1)
    inner = body.split(">", 1)[1].removesuffix("</body></html>")
    style = re.findall(r"<style>.*?</style>", head, re.DOTALL)
    section = f'<section data-name="page" style="width:{width}px" class="icx-page">{inner}</section>'
    found = chromium.measured(chromium.page("".join(style) + section))["page"]
    assert found.sticks_out <= 0
    assert found.hits == 0
    assert found.asked == []
    assert found.faintest >= 4.5, found.faintest_text
