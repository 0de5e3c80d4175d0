"""Bringing in: pull, attach, build and check, each noted in the journal while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from icx.clock import naive_utc
from icx.workspace import again
from icx.workspace.cell import in_notebook
from icx.workspace.hearing import hear, hearing
from icx.workspace.resting import asked_to_end, stop

if TYPE_CHECKING:
    import pandas as pd

    from icx.profile import Attached, Build
    from icx.pull import PullReport
    from icx.quality import CheckReport
    from icx.scale import Cluster
    from icx.workspace.workspace import Workspace

Say = Callable[[Any], None]


@again.pulls
def pull(
    ws: Workspace,
    name: str | None,
    *,
    contacts_only: bool,
    full: bool,
    unit: tuple[int, str] | None,
    progress: Say | None,
) -> PullReport:
    """Pull one connection; see `Workspace.pull`."""
    from icx.pull import pull, streams

    saved = ws.connection(name)
    ws.accounts.enter(saved)
    if saved.kind == "mailchimp":
        streams(ws.store, saved.name, saved.kind)
    with (
        ws.noted("pull", saved.name) as run,
        ws.accounts.source(saved, run=run) as client,
        hearing(ws, run, progress, f"Pulling {saved.name}", lambda: stop(ws, run), saved.service) as say,
        asked_to_end(
            ws, run, saved.name, clicked=progress is None and in_notebook() and ws.inside is None
        ) as ending,
    ):
        return pull(
            ws.store,
            ws.journal,
            cast(Any, client),  # a client gives more than a pull asks for
            saved.name,
            settings=ws.settings,
            clock=ws.clock,
            contacts_only=contacts_only or saved.contacts_only,
            full=full,
            unit=unit,
            progress=say,
            ending=ending,
            run=run,
            who=ws.who,
        )


def attach(
    ws: Workspace,
    source: str | Path | pd.DataFrame,
    key: str,
    *,
    name: str,
    connection: str | None,
    identity: str | None,
) -> Attached:
    """Attach a table; see `Workspace.attach`."""
    from icx.profile import attach

    saved = ws.connection(connection)
    ws.accounts.enter(saved)
    options = {} if identity is None else {"identity": identity}
    done = attach(ws.store, saved.name, source, key, name, clock=ws.clock, **options)
    note(ws, "attached", f"{name} to {saved.name}")
    return done


@again.builds
def build(
    ws: Workspace,
    name: str | None,
    *,
    as_of: datetime | None,
    full: bool,
    progress: Say | None,
    cluster: Cluster | None = None,
    to: Path | None = None,
) -> Build:
    """Build the profile; see `Workspace.build`."""
    from icx.profile import build
    from icx.pull import refresh_views
    from icx.workspace.scored import score
    from icx.workspace.triggered import looked

    saved = ws.connection(name)
    ws.accounts.enter(saved)
    with ws.noted("build", saved.name) as run:
        done = build(
            ws.store,
            saved.name,
            settings=ws.settings,
            fields_dir=ws.layout.fields,
            clock=ws.clock,
            as_of=as_of,
            full=full,
            published=ws.layout.published,
            totals=score(ws, saved.name),
            progress=hear(ws, run, progress),
            cluster=cluster,
            to=to,
        )
    refresh_views(ws.store)  # main.profile is there once the first build is
    return done if as_of is not None or to is not None else replace(done, triggers=looked(ws, saved.name))


@again.judgements
def checks(ws: Workspace, suites: Sequence[str], name: str | None) -> list[CheckReport]:
    """Judge with suites; see `Workspace.checks`."""
    return judge(ws, suites, name)


def judge(ws: Workspace, suites: Sequence[str], name: str | None) -> list[CheckReport]:
    """Judge with suites, also in a repeated run."""
    from icx.quality import STANDARD, check_all

    saved = ws.connection(name)
    ws.accounts.enter(saved)
    with ws.noted("check", saved.name) as run:
        return check_all(
            ws.store,
            saved.name,
            list(suites) or list(STANDARD),
            suites=[ws.layout.expectations],
            reports=ws.layout.reports,
            clock=ws.clock,
            run=run,
        )


def note(ws: Workspace, verb: str, what: str) -> None:
    """Write one line into the record of who did what."""
    with ws.store.open() as con:
        con.execute(
            "insert into shared.record values (?, ?, ?, ?, ?, null)",
            [naive_utc(ws.clock.now()), ws.who, verb, what, ws.because],
        )
