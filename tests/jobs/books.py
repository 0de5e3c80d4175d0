"""Small notebooks written by a test: a cell of parameters, then code."""

from __future__ import annotations

from pathlib import Path

from icx.jobs.books import nbformat


def book(path: Path, *cells: str, parameters: str = "", kernel: str = "python3") -> Path:
    """Write a notebook; the first cell declares its parameters when there are any."""
    v4 = nbformat.v4
    made = [v4.new_markdown_cell("# A notebook")]
    if parameters:
        made.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    made += [v4.new_code_cell(cell) for cell in cells]
    spec = {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(v4.new_notebook(cells=made, metadata=spec)), encoding="utf-8")
    return path
