"""The options that say which engine computes: DuckDB on this machine, or a Spark cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from icx.errors import BadInput

F = TypeVar("F", bound=Callable[..., Any])


def on_an_engine(function: F) -> F:
    """Give a command --engine, --master and --folder."""
    for option in (
        click.option(
            "--folder",
            type=click.Path(path_type=Path),
            help="Spark: a folder that this machine and every worker write under the same path; else data/scale.",
        ),
        click.option(
            "--master", help="Spark: the master's address, such as spark://host:7077 or 'local[2]'."
        ),
        click.option(
            "--engine",
            type=click.Choice(["duckdb", "spark"]),
            default="duckdb",
            help="What computes; else duckdb, here.",
        ),
    ):
        function = option(function)
    return function


def chosen(engine: str, master: str | None, folder: Path | None, to: Path | None = None) -> dict[str, Any]:
    """Return what a verb is told of the engine, or say which of the options do not go together."""
    if engine == "spark":
        return {"master": master or "", "folder": folder, **({"to": to} if to else {})}
    if master is None and folder is None and to is None:
        return {}
    raise BadInput(
        "usage",
        "A master, a folder and --to are for Spark.",
        where=f"--engine {engine}",
        kept="nothing was started",
        next=["--engine spark beside them, or without them"],
    )
