"""Real Chromium, asked without a window: what a page measures, and what it looks like."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Nothing may be fetched; what was tried is counted by the page itself.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; font-src data:"
)
THEMES = Path(sys.prefix) / "share/jupyter/lab/themes/@jupyterlab"

# What JupyterLab itself does to HTML in an output cell, for it meets our styles there.
LAB = """
body { margin: 0; background: var(--jp-layout-color0); color: var(--jp-content-font-color1);
  font-family: var(--jp-content-font-family); font-size: var(--jp-content-font-size1); line-height: 1.6; }
.jp-RenderedHTMLCommon pre { color: var(--jp-content-font-color1); font-size: var(--jp-code-font-size); margin: 0; }
.jp-RenderedHTMLCommon table { border-collapse: collapse; border-spacing: 0; border: none;
  color: var(--jp-ui-font-color1); font-size: var(--jp-ui-font-size1); table-layout: fixed; margin: 0 auto 1em; }
.jp-RenderedHTMLCommon td, .jp-RenderedHTMLCommon th, .jp-RenderedHTMLCommon tr { vertical-align: middle;
  padding: 0.5em; line-height: normal; white-space: normal; max-width: none; text-align: right; border: none; }
.jp-RenderedHTMLCommon tbody tr:nth-child(odd) { background: var(--jp-layout-color0); }
.jp-RenderedHTMLCommon tbody tr:nth-child(even) { background: var(--jp-rendermime-table-row-background); }
"""

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Seen:
    """What the browser saw of one piece: its words, how far it sticks out, its faintest text, what of it is broken, what ran or was asked for."""

    text: str
    sticks_out: int
    faintest: float
    faintest_text: str
    broken: list[str]
    hits: int
    asked: list[str]


def theme(name: str) -> str:
    """JupyterLab's own variables of its light or dark theme, as installed here."""
    return (THEMES / f"theme-{name}-extension" / "index.css").read_text(encoding="utf-8")


def notebook(pieces: dict[str, str], lab_theme: str, width: int, script: str = MEASURE) -> str:
    """A page that shows pieces of HTML as a notebook of that theme and width would; it measures itself."""
    sections = "".join(
        f'<section data-name="{html.escape(name)}" style="width:{width}px">'
        f'<div class="jp-RenderedHTMLCommon jp-RenderedHTML">{piece}</div></section>'
        for name, piece in pieces.items()
    )
    return page(f"<style>{theme(lab_theme)}{LAB}</style>{sections}", script)


def page(body: str, script: str = MEASURE) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<script>{script}</script></head><body>{body}</body></html>"
    )


def measured(text: str) -> dict[str, Seen]:
    """Open a page and return what it measured of each of its sections."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(text, encoding="utf-8")
        dom = _run(["--window-size=1200,900", "--dump-dom", file.as_uri()], folder)
    found = re.search(r'<script type="application/json" id="measured">(.*?)</script>', dom, re.DOTALL)
    assert found, "the page did not come to its end"
    told: dict[str, dict[str, Any]] = json.loads(found[1].replace("\\u003c", "<"))
    return {name: Seen(**seen) for name, seen in told.items()}


def picture(text: str, file: Path, *, width: int, height: int, scale: float = 2) -> None:
    """Open a page and keep what it looks like as a PNG of `width` × `height` CSS pixels."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(text, encoding="utf-8")
        look = [
            f"--window-size={width},{height}",
            f"--force-device-scale-factor={scale}",
            "--hide-scrollbars",
        ]
        _run([*look, f"--screenshot={file}", source.as_uri()], folder)


def _run(words: list[str], folder: str) -> str:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    quiet = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder}/profile",
    ]  # fmt: skip
    done = subprocess.run(
        [chromium, *quiet, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
