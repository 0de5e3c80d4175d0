"""The command that runs a notebook: parameters in, the executed notebook, its page and its results out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from icx.cli.common import Obj, command, workspace
from icx.cli.console import Console
from icx.cli.failure import Stopped
from icx.cli.result import Result
from icx.errors import BadInput

if TYPE_CHECKING:
    from icx.jobs.parameters import Parameter


@command(
    "run",
    "Run a notebook with parameters, and keep what it showed.",
    "icx run notebooks/05-push.ipynb --parameters",
    "icx run notebooks/05-push.ipynb -p city=Durham -p apply=true",
)
@click.argument("notebook", required=False)
@click.option(
    "-p", "words", multiple=True, metavar="NAME=VALUE", help="A parameter; a list takes one -p each item."
)
@click.option("--parameters", "only_list", is_flag=True, help="List what the notebook takes; runs nothing.")
@click.option(
    "--again",
    metavar="RUN",
    help="Repeat a run with its parameters; verbs that finished in it are not repeated.",
)
def run(obj: Obj, notebook: str | None, words: tuple[str, ...], only_list: bool, again: str | None) -> Result:
    from icx.jobs.parameters import of_notebook, typed
    from icx.workspace.running import runner

    _, console = obj
    if (notebook is None) == (again is None):
        raise BadInput(
            "usage",
            "A notebook is needed, or a run to repeat." if notebook is None else "One of the two is meant.",
            where="icx run NOTEBOOK, or icx run --again RUN",
            kept="nothing was started",
            next=[["icx", "run", "--help"]],
        )
    ws = workspace(obj)
    values: dict[str, Any] = {}
    if notebook is not None:
        path = runner(ws).find(notebook)
        known = of_notebook(path)
        if only_list:
            listed = list(known.values())
            return Result(
                "parameters/1",
                _listed(console, notebook, listed),
                {"notebook": str(path), "parameters": [one.as_dict() for one in listed]},
            )
        values = typed(path, known, words, called=notebook)
    elif words:
        values = dict(word.partition("=")[::2] for word in words)
    under_way: dict[str, str] = {}

    def show(report: Any) -> None:
        under_way["run"] = report.run
        console.standing = f"{report.run}, {report.what}"
        console.event(
            "progress", {"of_what": report.run, "done": report.done, "of": report.of, "cell": report.note}
        )
        console.progress(f"{report.run} › {report.what} · {report.note}", changed=True)

    try:
        done = ws.run(notebook, values, again=again, progress=show)
    except KeyboardInterrupt as stop:
        if "run" not in under_way:
            raise
        code = 143 if type(stop).__name__ == "Ended" else 130
        raise Stopped(console.standing, ["run", "--again", under_way["run"]], code) from stop
    return Result("run/1", str(done), done.as_dict(), done.exit_code, run=done.id, problem=done.problem())


def _listed(console: Console, notebook: str, parameters: list[Parameter]) -> str:
    if not parameters:
        return f"{notebook} takes no parameters."
    rows = [
        (one.name, one.kind.words, "has to be given" if one.default is None else one.default, one.description)
        for one in parameters
    ]
    return console.table(["parameter", "takes", "default", "what it is"], rows)
