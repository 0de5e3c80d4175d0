"""The page of a run: one HTML file that asks nothing of any network, the cell that failed shown first.

nbconvert renders the cells; the page around them is ours, for its own loads requirejs, MathJax and jQuery from
elsewhere. A content policy in the page's head forbids scripts and every load, whatever an output holds.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from icx.jobs import words
from icx.jobs.books import nbformat
from icx.jobs.execution import masked
from icx.jobs.run import Run
from icx.look import page
from icx.store import shared

# Outputs that need no kernel and no network; of several the first that is there is shown.
_STATIC = (
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/html",
    "text/markdown",
    "text/latex",
    "text/plain",
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
_ACTIVE = re.compile(
    r"<script\b.*?</script\s*>|<link\b[^>]*>|<base\b[^>]*>|<meta\b[^>]*>", re.IGNORECASE | re.DOTALL
)
_CODE = re.compile(r'<div class="highlight[^>]*><pre>.*?</pre>', re.DOTALL)
_REMOTE = re.compile(r"""\b(src|srcset|poster|data)\s*=\s*(["'])\s*(?:https?:)?//.*?\2""", re.IGNORECASE)

STYLE = """
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --jp-layout-color0:#111; --jp-layout-color1:#111; --jp-ui-font-color0:#fff; --jp-ui-font-color1:rgba(255,255,255,.87); --jp-brand-color1:#64b5f6; --jp-success-color1:#66bb6a; --jp-warn-color1:#ffa726; --jp-error-color1:#ef5350; } }
body { margin:0; background:var(--jp-layout-color0,#fff); }
main { max-width:1040px; margin:0 auto; padding:28px 24px 64px; }
.icx .run-cells { display:grid; grid-template-columns:minmax(0,1fr); gap:14px; margin-top:22px; font-size:13px; }
.icx .run-cells .prompt, .icx .run-cells .anchor-link { display:none; }
.icx .run-cells .text_cell_render { max-width:76ch; line-height:1.55; }
.icx .run-cells .text_cell_render :is(h1,h2,h3) { margin:18px 0 6px; line-height:1.3; }
.icx .run-cells .text_cell_render h1 { font-size:20px; }
.icx .run-cells .text_cell_render h2 { font-size:15px; }
.icx .run-cells .text_cell_render p { margin:0 0 8px; }
.icx .run-cells pre { margin:0; font:12px/1.55 var(--icx-mono); white-space:pre-wrap; overflow-wrap:anywhere; }
.icx .run-cells .input_area { background:var(--icx-sunk); border-radius:6px; padding:10px 12px; }
.icx .run-cells .output { margin:12px 0 6px; overflow-x:auto; }
.icx .run-cells .output_error pre, .icx .run-cells .output_stderr pre { background:var(--icx-bad-soft); border-radius:6px; padding:10px 12px; }
.icx .run-cells table.dataframe { border:0; width:auto; border-collapse:collapse; font-size:12px; }
.icx .run-cells table.dataframe :is(th,td) { padding:4px 10px; border-bottom:1px solid var(--icx-line); text-align:right; }
.icx .run-cells hr { border:0; border-top:1px solid var(--icx-line); margin:14px 0; }
.icx .run-cells img, .icx .run-cells svg:not(.i) { max-width:100%; }
.icx .run-failing { border:1px solid color-mix(in srgb,var(--icx-bad) 40%,var(--icx-bg)); border-radius:6px; padding:4px 16px 16px; margin:18px 0 16px; }
.icx .run-failing h3 { margin-top:12px; }
.icx .run-failing .run-cells { margin-top:8px; }
.ansi-bold { font-weight:600; }
.ansi-red-fg, .ansi-red-intense-fg { color:var(--icx-bad-text); }
.ansi-green-fg, .ansi-green-intense-fg { color:var(--icx-ok-text); }
.ansi-yellow-fg, .ansi-yellow-intense-fg { color:var(--icx-warn-text); }
.ansi-blue-fg, .ansi-cyan-fg, .ansi-blue-intense-fg, .ansi-cyan-intense-fg { color:var(--icx-link); }
.highlight :is(.hl-k,.hl-kn,.hl-kc,.hl-ow) { color:var(--icx-link); font-weight:500; }
.highlight :is(.hl-s1,.hl-s2,.hl-sd,.hl-sa,.hl-si) { color:var(--icx-ok-text); }
.highlight :is(.hl-c1,.hl-ch) { color:var(--icx-muted); }
"""


def write_report(run: Run) -> None:
    """Write the page of a run beside its notebook; without a notebook yet, the page says what is known."""
    book = nbformat.read(run.executed, as_version=4) if run.executed.exists() else None  # type: ignore[no-untyped-call]
    shared.write(run.report, page_of(run, book))


def page_of(run: Run, book: Any) -> str:
    """Return the whole page of a run as HTML."""
    cells = [] if book is None else [shown(cell) for cell in book.cells]
    ran = page.tag("div", _rendered(cells), cls="run-cells")
    body = page.join(
        page.head(run.notebook.name, words.pill(run), *words.crumbs(run)),
        words.why(run),
        _failing(cells),
        words.facts(run),
        ran,
    )
    title = page.text(f"{run.notebook.name}: {words.SAID[run.state]} ({run.id})")
    return (
        "<!doctype html>\n"
        f'<html lang="en" data-state="{run.state}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f"<body><main>{page.root(body, name=f'Run {run.id}')}</main></body></html>\n"
    )


def shown(cell: Any) -> Any:
    """Return a cell with only what can be read without a kernel, and addresses masked."""
    made = masked(copy.deepcopy(cell))
    for output in made.get("outputs", []):
        data = output.get("data")
        if data is not None:
            kept = next((name for name in _STATIC if name in data), None)
            output["data"] = {} if kept is None else type(data)({kept: data[kept]})
            if kept in {"text/html", "image/svg+xml", "text/markdown"}:
                output["data"][kept] = still(data[kept])
    return made


def still(markup: str | list[str]) -> str:
    """Return markup without scripts and without anything fetched from elsewhere.

    >>> still('<script src="https://cdn.example.com/x.js"></script><img src="https://example.com/p.png"><b>1</b>')
    '<img ><b>1</b>'
    """
    text = markup if isinstance(markup, str) else "".join(markup)
    return _REMOTE.sub("", _ACTIVE.sub("", text))


def _failing(cells: list[Any]) -> page.Html:
    """Return the cell that ended the run, to be read before all others."""
    for number, cell in enumerate(cells, 1):
        if any(output.get("output_type") == "error" for output in cell.get("outputs", [])):
            title = page.tag("h3", f"Cell {number} of {len(cells)} ended the run")
            return page.tag(
                "section", title, page.tag("div", _rendered([cell]), cls="run-cells"), cls="run-failing"
            )
    return page.Html("")


def _rendered(cells: list[Any]) -> page.Html:
    from nbconvert import HTMLExporter

    if not cells:
        return page.Html("")
    exporter = HTMLExporter(template_name="basic", embed_images=False)  # type: ignore[no-untyped-call]
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    exporter.jupyter_widgets_base_url = exporter.widget_renderer_url = exporter.mermaid_js_url = ""
    book = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    book.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    # Pygments' classes are one letter or two, and so are some of ours: its own get a name of their own.
    text = _CODE.sub(
        lambda code: code[0].replace('<span class="', '<span class="hl-'),
        exporter.from_notebook_node(book)[0],
    )
    return page.Html(still(text))
