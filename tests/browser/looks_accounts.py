"""The accounts whose looks are judged: an ordinary one, an empty one, one of names that break layouts, a million people.

Each is a workspace folder that is made once and kept; `shown` opens it and hands out everything it can show.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.made import Size, fill

from icx.clock import ManualClock
from icx.errors import IcxError
from icx.workspace import Workspace

DAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

EVIL = """<b>O'Brien</b> & "Söhne" <img src=x onerror="hit()">"""
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnungsfreundeskreis"
WORDY = (
    "Everybody who came to the autumn members’ evening in Durham and wanted to hear of the next one in spring"
)
RIGHT_TO_LEFT = "قائمة العملاء المخلصين في دورهام"
PICTURED = "🎄 Winter sale – “Boots & Co.” 🥾👨‍👩‍👧‍👦"
NAMES = (EVIL, LONG, WORDY, RIGHT_TO_LEFT, PICTURED)

Act = Callable[[Any], None]


@dataclass(frozen=True)
class Piece:
    """One thing to look at: HTML of an output, a widget with the clicks before its picture, or a page of its own."""

    account: str = ""
    name: str = ""
    html: str = ""
    widget: Any = None
    module: str = ""
    act: Act | None = None
    page: Path | None = None


Named = Iterator[tuple[str, Callable[[], Piece]]]


def opened(folder: Path) -> Workspace:
    """Return a workspace of a fixed day."""
    return Workspace(folder, clock=ManualClock(DAY), who="maya")


def simulated(ws: Workspace, **options: Any) -> None:
    """Start the simulated account of a workspace, as it was left or new."""
    ws.accounts.start_sandbox("acme", ws.layout.data / "sandbox-acme.sqlite", **options)


# --- making ---------------------------------------------------------------------------------------------------------


def ordinary(folder: Path) -> None:
    """Make ten thousand contacts: pulled, checked, pushed once, with jobs and runs of every notebook."""
    with opened(folder) as ws:
        simulated(ws, contacts=10_412, messages=96, seed=1, account=41733, folder=8021, as_of=DAY.isoformat())
        used(ws)
        shutil.copytree(NOTEBOOKS, folder / "notebooks", dirs_exist_ok=True)
        for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
            ws.run(f"notebooks/{notebook.name}")


def used(
    ws: Workspace, names: tuple[str, ...] = ("Loyal in Durham", "Clickers", "Readers in Raleigh")
) -> None:
    """Do in a workspace what a month of work does: pull, build, check, audiences, a push, jobs."""
    ws.pull("acme")
    ws.build("acme")
    ws.checks(name="acme")
    f = ws.fields
    rules = (
        (f.opens_90d >= 3) & f.city.is_in("Durham", "Raleigh", LONG) & ~f.email_last_click_ts.within(days=7),
        f.clicked(2, days=365) | f.on_list("Newsletter"),
        (f.opens_90d >= 1) & (f.city == "Raleigh"),
    )
    loyal, *_ = [
        ws.audience(name, rule, description=f"{name}, by rule")
        for name, rule in zip(names, rules, strict=False)
    ]
    plan = ws.plan(loyal, "acme/lists/Durham regulars")
    plan.apply({stop.key: stop.confirm for stop in plan.stops})
    ws.schedule("acme daily", connection="acme", every="daily 06:00", description="before anybody is in")
    ws.schedule("loyal weekly", audience=names[0], to="acme/lists/Durham regulars", every="Mon 07:00")
    ws.jobs().pause("loyal weekly", "until the spring list is ready")


def empty(folder: Path) -> None:
    """Make an account without a contact: pulled and built all the same."""
    with opened(folder) as ws:
        simulated(ws, contacts=1, messages=0, seed=1, as_of=DAY.isoformat())
        ws.accounts.close()
        with closing(sqlite3.connect(ws.layout.data / "sandbox-acme.sqlite")) as con:
            for table in (
                "contacts",
                "subscriptions",
                "events",
                "messages",
                "sends",
                "lists",
                "custom_fields",
            ):
                con.execute(f"delete from {table}")
            con.commit()
        simulated(ws)
        ws.pull("acme")
        ws.build("acme")


def unpulled(folder: Path) -> None:
    """Make an account that is connected and nothing more."""
    with opened(folder) as ws:
        simulated(ws, contacts=20, messages=2, seed=1, as_of=DAY.isoformat())


def new(folder: Path) -> None:
    """Make a folder in which nothing has happened."""
    folder.mkdir(parents=True, exist_ok=True)


def names(folder: Path) -> None:
    """Make an account whose every name is long, from right to left, pictures, or would like to be code."""
    with opened(folder) as ws:
        simulated(ws, contacts=600, messages=24, seed=17, as_of=DAY.isoformat())
        ws.accounts.close()
        with closing(sqlite3.connect(ws.layout.data / "sandbox-acme.sqlite")) as con:
            con.execute("update accounts set company_name = ?", [WORDY])
            con.execute("update folders set name = ?", [EVIL])
            for table, key, column in (
                ("lists", "list_id", "name"),
                ("messages", "message_id", "message_name"),
                ("messages", "message_id", "subject"),
                ("contacts", "contact_id", "first_name"),
            ):
                for at, name in enumerate(NAMES):
                    keep = " and name not in ('Durham regulars', 'Newsletter')" if table == "lists" else ""
                    con.execute(
                        f"update {table} set {column} = ? where {key} % {len(NAMES)} = ?{keep}",
                        [name if table != "lists" else f"{name} {at}", at],
                    )
            con.execute("update contacts set city = ? where city = 'Raleigh'", [LONG])
            con.execute("update contacts set city = ? where city = 'Chapel Hill'", [RIGHT_TO_LEFT])
            con.commit()
        simulated(ws)
        used(ws, (WORDY, EVIL, LONG))
        ws.audience(RIGHT_TO_LEFT, ws.fields.opens_90d >= 1)
        ws.audience(PICTURED, ws.fields.city == LONG)


def million(folder: Path) -> None:
    """Make a million contacts by SQL, built and checked; the service they would be pushed to knows twenty."""
    with opened(folder) as ws:
        simulated(ws, contacts=20, messages=2, seed=1, account=41733, folder=8021, as_of=DAY.isoformat())
        ws.accounts.enter(ws.connection("acme"))
        fill(ws.store, Size(contacts=1_000_000, events=4_000_000))
        with ws.store.open("acme") as con:
            for rows in ("'contacts', null, count(*) from icontact_users", "'subscriptions', null, count(*) from subscriptions",
                         "'lists', null, count(*) from lists", "'messages', null, count(*) from messages", "'sends', null, count(*) from sends",
                         "event_type || 's', message_id, count(*) from icontact_activity group by all"):  # fmt: skip
                collection, _, source = rows.partition(" from ")
                con.execute(
                    "insert into units by name select c as collection, m as message_id, n as stored, n as service,"
                    f" 'equal' as state, $now as verified_at, 'r-1' as pull_id from (select {collection} from {source}) t(c, m, n)",
                    {"now": DAY.replace(tzinfo=None)},
                )
        ws.build("acme")
        ws.checks(name="acme")
        f = ws.fields
        ws.audience("Loyal in Durham", (f.opens_90d >= 1) & f.city.is_in("Durham", "Cary"))
        ws.audience("Everybody", ws.fields.everybody())


MAKERS: dict[str, Callable[[Path], None]] = {
    "ordinary": ordinary,
    "names": names,
    "empty": empty,
    "unpulled": unpulled,
    "new": new,
    "million": million,
}


# --- showing --------------------------------------------------------------------------------------------------------


def shown(account: str, folder: Path, words: list[str]) -> Iterator[Piece]:
    """Hand out what an account shows and whose name holds all the words; what it cannot show yet is named."""
    if not (folder / ".made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        MAKERS[account](folder)
        (folder / ".made").touch()
    with opened(folder) as ws:
        if account != "new":
            simulated(ws)
        makers = [*outputs(ws, account), *widgets(ws, account), *pages(folder)]
        for name, make in makers:
            if all(word in name for word in words):
                try:
                    piece = make()
                except IcxError as error:  # what an account cannot show yet
                    print(f"{account}-{name}: {error.message}")
                    continue
                yield replace(piece, account=account, name=name)


def outputs(ws: Workspace, account: str) -> Named:
    """Return what a cell shows without a widget, by name."""
    first, second = (WORDY, EVIL) if account == "names" else ("Loyal in Durham", "Clickers")
    second = "Everybody" if account == "million" else second

    def output(make: Callable[[], Any]) -> Callable[[], Piece]:
        return lambda: Piece(html=make()._repr_html_())

    found: dict[str, Callable[[], Any]] = {"overview": lambda: ws}
    if account != "new":
        found |= {
            "ledger": lambda: ws.ledger("acme"),
            "check": lambda: ws.check("profile"),
            "jobs": ws.jobs,
        }
    if account in {"ordinary", "names"}:
        found |= {"pull": lambda: ws.pull("acme")}
    if account in {"ordinary", "names", "million"}:
        found |= {
            "audience": lambda: ws.audience(first),
            "why": lambda: ws.audience(first).why(70233),
            "breakdown": lambda: ws.audience(first).breakdown("city"),
            "overlap": lambda: ws.audience(first).overlap(ws.audience(second)),
            "compare": lambda: ws.compare(*[one.name for one in ws.audiences()][:5]),
            "plan output": lambda: ws.plan(ws.audience(first), "acme/lists/#3002"),
        }
    yield from ((name, output(make)) for name, make in found.items())


def widgets(ws: Workspace, account: str) -> Named:
    """Return the live widgets, each with its states worth a look."""
    first = WORDY if account == "names" else "Loyal in Durham"

    def live(module: str, make: Callable[[], Any], act: Act | None = None) -> Callable[[], Piece]:
        return lambda: Piece(widget=make(), module=module, act=act)

    if account in {"ordinary", "new"}:
        yield "connect", live("connect", ws.connect)
    if account == "ordinary":
        yield "connect application", live("connect", ws.connect, _application)
        yield "connect refused", live("connect", ws.connect, _refused)
        yield "connect update", live("connect", lambda: ws.connect("acme", update=True))
    if account == "new":
        return
    yield "monitor", live("monitor", ws.monitor)
    yield "fields", live("fields", lambda: ws.browse_fields("acme"))
    yield "builder everybody", live("builder", lambda: ws.builder().wait(60))
    if account in {"empty", "unpulled"}:
        return
    yield "builder", live("builder", lambda: ws.builder(first).wait(60))
    yield "builder values", live("builder", lambda: ws.builder(first).wait(60), _values)
    yield "fields detail", live("fields", lambda: ws.browse_fields("acme"), _one_field)
    yield "mapping", live("mapping", lambda: ws.mapping(first, "acme/lists/#3002"))
    yield "plan", live("plan", lambda: _plan_view(ws, first))
    if account != "million":  # its people were never asked anything
        yield "plan opened", live("plan", lambda: _plan_view(ws, first), _reasons)


def pages(folder: Path) -> Named:
    """Return the pages of runs and of checks, which open without a kernel."""

    def page(path: Path) -> Callable[[], Piece]:
        return lambda: Piece(page=path)

    for run in sorted((folder / "data" / "runs").rglob("*.html")):
        yield f"page of {run.parent.name}", page(run)
    for checks in sorted((folder / "data" / "reports").rglob("*.html"))[:1]:
        yield "page of checks", page(checks)


def _plan_view(ws: Workspace, audience: str) -> Any:
    from icx.widgets.plan import PlanView

    return PlanView(ws.plan(ws.audience(audience), "acme/lists/#3002"))


def _application(view: Any) -> None:
    view.page.get_by_role("button", name="iContact e-mail marketing service").click()


def _refused(view: Any) -> None:
    _application(view)
    view.page.get_by_role("button", name="I have the three values").click()
    view.page.get_by_text("Another address").click()
    for label, value in (
        ("Label", "retail"),
        ("Application id", "a" * 32),
        ("User name", "maya@example.com"),
        ("API password", "not this one"),
        ("Service address", view.widget._logins._ws.connection("acme").base_url),
    ):
        view.page.get_by_label(label, exact=label != "Service address").fill(value)
    view.page.get_by_role("button", name="Check these values").click()


def _values(view: Any) -> None:
    view.page.get_by_role("button", name="Add a value").first.click()


def _one_field(view: Any) -> None:
    view.page.get_by_label("Search fields").fill("engagement_tier")
    view.page.get_by_role("button", name="engagement_tier").first.click()


def _reasons(view: Any) -> None:
    view.page.locator(".reasons .open").first.click()
