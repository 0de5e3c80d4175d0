"""A run in words and as a small view: what it came to, and where its page lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from icx import mask
from icx.look import page

if TYPE_CHECKING:
    from icx.jobs.run import Run

SAID = {"done": "done", "failed": "failed", "stopped": "stopped", "needs-you": "needs you"}
_KINDS: dict[str, page.Kind] = {"done": "ok", "failed": "bad", "stopped": "warn", "needs-you": "warn"}


def transcript(run: Run) -> str:
    """Return the run for a terminal: the state first, the next step last."""
    lines = [f"{run.notebook.name}: {SAID[run.state]} in {run.seconds:.0f} s ({run.id})"]
    lines += [f"  {name}  {shown(value)}" for name, value in run.results.items()]
    if run.answered:
        lines.append(f"  answered from the record of {run.again}: {', '.join(run.answered)}")
    if not run.apply and run.ok:
        lines.append(
            "  dry: nothing was sent; with -p apply=true it is" if sends(run) else "  nothing was sent"
        )
    lines.append(f"  notebook  {run.executed}")
    lines.append(f"  page      {run.report}")
    return "\n".join(lines)


def sends(run: Run) -> bool:
    """Tell whether the notebook can be told to send."""
    from icx.errors import IcxError
    from icx.jobs.parameters import of_notebook

    try:
        return "apply" in of_notebook(run.notebook)
    except (IcxError, OSError):
        return False


def shown(value: Any) -> str:
    """Return a result as people read it, on one line."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "nothing"}[value]
    if isinstance(value, int | float):
        return page.number(value, 0 if isinstance(value, int) else 2)
    if isinstance(value, dict):
        # An object of icx: its plain facts, without those that are nothing.
        facts = {name: one for name, one in value.items() if one and not isinstance(one, dict | list)}
        return " · ".join(f"{name} {shown(one)}" for name, one in facts.items())[:200]
    return mask.plain(mask.addresses_in(str(value)))[:200]


def pill(run: Run) -> page.Html:
    kind = _KINDS[run.state]
    return page.pill(kind, SAID[run.state], {"stopped": "stop", "needs-you": "warn"}.get(run.state, ""))


def crumbs(run: Run) -> list[str]:
    """Return the line below the title: which run, when it began, how long it took, dry or not."""
    return [
        run.id,
        f"began {run.started.day} {run.started:%b %Y, %H:%M} UTC",
        f"{run.seconds:.0f} s",
        "allowed to send" if run.apply else "dry: nothing was sent",
    ]


def why(run: Run) -> page.Html:
    """Return the note that says why a run is not done; empty when it is."""
    problem = run.problem()
    if problem is None:
        return page.Html("")
    rows = [("where", problem.where_text()), ("kept", problem.kept), ("next", problem.next_text())]
    steps = page.table(["", ""], [(name, mask.addresses_in(said)) for name, said in rows if said])
    kind: page.Kind = "bad" if run.state == "failed" else "warn"
    return page.join(
        page.note(kind, mask.addresses_in(problem.message), page.tag("code", problem.code)), steps
    )


def facts(run: Run) -> page.Html:
    """Return the parameters and the results of a run as two small tables."""
    parts = []
    for title, values in (("Parameters", run.parameters), ("Results", run.results)):
        if values:
            rows = [(page.tag("code", name), shown(value)) for name, value in values.items()]
            parts.append(page.panel(title, page.table(["name", "value"], rows)))
    return page.tag("div", *parts, cls="stack") if parts else page.Html("")


def run_html(run: Run) -> str:
    """Return the run as a notebook shows it."""
    head = page.head(run.notebook.name, pill(run), *crumbs(run))
    foot = page.tag("div", page.tag("span", str(run.report), cls="mono"), cls="foot")
    return page.root(head, why(run), facts(run), foot, name=f"Run {run.id}")
