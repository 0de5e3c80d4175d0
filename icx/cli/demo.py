"""The demo: the whole road on a simulated account, every figure read from what really happened."""

from __future__ import annotations

import shlex
import shutil
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icx.cli.act import exit_code
from icx.cli.common import shown
from icx.cli.console import Console
from icx.cli.options import Options
from icx.cli.progress import reporter
from icx.cli.result import Result
from icx.errors import BadInput
from icx.store import literal
from icx.words import counted as number
from icx.words import form

if TYPE_CHECKING:
    from icx.workspace import Workspace

MARK = ".icx-demo"
AUDIENCE = "Loyal in Durham"
TARGET = "acme/lists/Durham regulars"


def show(
    console: Console, options: Options, folder: Path, *, contacts: int, messages: int, seed: int
) -> Result:
    """Walk the road and print a line or two a stop; a second run begins from nothing again."""
    from icx.quality import warm
    from icx.workspace import Workspace

    began = time.monotonic()
    _clear(folder)
    warm()  # what judges the data takes seconds to load; it does so while the account is pulled
    say = _speaker(console, options)
    say(
        f"icx demo: an iContact account that lives on this machine; nothing leaves it      workspace {folder}/"
    )
    ws = Workspace.with_sandbox(folder, contacts=contacts, messages=messages, seed=seed)
    try:
        return _road(ws, console, folder, say, began)
    finally:
        console.clear()
        ws.close()


def _road(ws: Workspace, console: Console, folder: Path, say: Callable[[str], None], began: float) -> Result:
    from icx.plan.words import reason
    from icx.rules import sentence

    zone = ws.settings.tz
    saved = ws.connection("acme")
    address = saved.base_url.split("//", 1)[-1].split("/", 1)[0]
    say(
        f"  account    {saved.company} ({saved.account_id}) › {place(saved.folder_name, saved.client_folder_id)}, "
        f"simulated at {address}; login accepted"
    )

    report = ws.pull("acme", progress=reporter(console, "acme", zone, "unit stored"))
    pulled = report.as_dict()
    stored = {table["name"]: table["stored"] for table in pulled["tables"]}
    say(
        f"  pull       {number(stored['contacts'], 'contact')} · {number(stored['subscriptions'], 'subscription')} · {number(stored['messages'], 'message')} · "
        f"{number(pulled['events']['stored'], 'event')} · {number(pulled['calls']['made'], 'call')}, {report.seconds:.0f} s"
    )
    cells = ws.ledger("acme")
    say(f"  ledger     {cells!r}")

    built = ws.build("acme", progress=reporter(console, "acme", zone))
    say(
        f"  profile    {number(built.people, 'person')} × {number(built.fields, 'field')} as of {shown(built.as_of, zone)}; "
        f"{built.no_address:,} {form(built.no_address, 'has')} no usable address"
    )

    _table_of_our_own(ws, folder)
    reports = ws.checks(name="acme")
    results = [result for one in reports for result in one.results]
    warnings = [result for one in reports for result in one.warnings]
    failed = [result for one in reports for result in one.failed]
    warned = f" ({warnings[0].line})" if warnings else ""
    say(
        f"  checks     {number(len(results), 'expectation')}: {len(results) - len(warnings) - len(failed)} passed, "
        f"{number(len(warnings), 'warning')}{warned}, {len(failed)} failed"
    )

    f = ws.fields
    rule = (f.opens_90d >= 3) & (f.city == "Durham") & ~f.email_last_click_ts.within(days=7)
    loyal = ws.audience(AUDIENCE, rule, description="the demo's audience")
    counted = loyal.count()
    who = sentence(rule, zone).removeprefix("people ")
    say(_wrapped("audience", f"{AUDIENCE}: {number(counted.count, 'person')}, {who}"))
    say(
        _wrapped(
            "", " → ".join([f"{counted.of:,}", *(f"{step.left:,} {step.english}" for step in counted.steps)])
        )
    )

    plan = ws.plan(loyal, TARGET)
    numbers = plan.as_dict()
    counts = numbers["counts"]
    say(
        f'  plan       {plan.plan_id} to the list "{plan.target.list}" ({plan.target.list_id}), now {number(numbers["members"]["now"], "member")}: '
        f"{counts['add']:,} add · {counts['keep']:,} keep"
    )
    say(
        f"             {counts['refused']:,} refused: "
        + (" · ".join(f"{n:,} {reason(code)}" for code, n in plan.refused.items()) or "nobody")
    )
    if plan.stops:
        stops = ", ".join(stop.words for stop in plan.stops)
        say(_wrapped("", f"stops: {stops} (you would be asked; the demo says yes)"))

    done = ws.apply(
        plan,
        answers={stop.key: stop.confirm or "the demo" for stop in plan.stops},
        progress=reporter(console, plan.plan_id, zone),
    )
    calls, _ = ws.journal.calls(ws.journal.runs("apply", plan.plan_id, limit=1)[0].run)
    say(
        f"  apply      {done.added:,} added, {done.refused_by_service:,} refused by the service; "
        f"{number(calls, 'call')}, reading included"
    )
    back = done.read_back
    assert back is not None
    people = (
        "the same people by id"
        if back.equal
        else f"{len(back.missing)} missing, {len(back.extra)} more than planned"
    )
    say(f"  read back  {number(back.expected, 'member')} expected, {back.found:,} found, {people}")

    person = _somebody(loyal)
    seconds = time.monotonic() - began
    page = reports[0].html_path
    say(
        f"Done in {seconds:.0f} s. Data: {folder}/data/icx.duckdb"
        + (f" · what the checks saw: {page}" if page else "")
    )
    say(f"Next, after  source .venv/bin/activate && cd {shlex.quote(str(folder))}")
    steps = {
        f"icx audience why '{AUDIENCE}' {person}": "why one person is in or out",
        f"icx undo {plan.plan_id}": "what taking it back would look like",
        "icx connect": "your own account",
    }
    for step, what in steps.items():
        say(f"  {step:<45} {what}")
    data: dict[str, Any] = {
        "workspace": str(folder),
        "pull": pulled,
        "ledger": cells.as_dict(),
        "profile": {
            "people": built.people,
            "fields": built.fields,
            "as_of": built.as_of,
            "no_address": built.no_address,
        },
        "checks": {
            "ok": not failed,
            "expectations": len(results),
            "warnings": len(warnings),
            "failed": len(failed),
        },
        "audience": counted.as_dict(),
        "plan": numbers,
        "apply": done.as_dict(),
    }
    return Result("demo/1", None, data, exit_code(done, done.problem(ws.settings.refused_share)))


def _table_of_our_own(ws: Workspace, folder: Path) -> None:
    """Write a table such as a shop would have, for whoever wants to try `icx attach crm.csv --key email`."""
    with ws.store.open("acme") as con:
        con.execute(
            f"""copy (select email, create_date::date as customer_since, id * 7919 % 900 + 10 as spent
                        from icontact_users where email_key is not null and gone_at is null and id % 3 = 0 order by id)
                to {literal(str(folder / "crm.csv"))} (header)"""
        )


def place(folder: str, folder_id: int) -> str:
    """Return a folder as people read it: ordinary accounts give theirs no name.

    >>> place("Main", 8021), place("folder 8021", 8021)
    ('Main (8021)', 'folder 8021')
    """
    return folder if str(folder_id) in folder else f"{folder} ({folder_id})"


def _wrapped(label: str, text: str) -> str:
    lead = f"  {label:<11}"
    return textwrap.fill(
        text, 98, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
    )


def _somebody(loyal: Any) -> int:
    members = loyal.members()
    return int(members[len(members) // 2]) if members else 0


def _speaker(console: Console, options: Options) -> Callable[[str], None]:
    def say(text: str) -> None:
        if not options.json:
            console.result(text)

    return say


def _clear(folder: Path) -> None:
    """Begin from nothing, but only in a folder the demo made itself."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise BadInput(
                "demo-folder",
                "That folder holds something else; the demo begins from nothing and leaves it alone.",
                where=str(folder),
                kept="everything in it",
                next=[["icx", "demo", "another-folder"]],
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("icx demo made this folder; running it again empties it.\n", encoding="utf-8")
