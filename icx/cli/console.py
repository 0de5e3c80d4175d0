"""The two streams: stdout holds the result and nothing else, stderr everything said on the way."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TextIO

import orjson

from icx.cli.options import Options
from icx.errors import IcxError
from icx.mask import plain

# What stands in for a symbol where the stream cannot carry it; the word beside it stays.
_PLAIN = str.maketrans(
    {"·": "-", "→": "->", "−": "-", "–": "-", "…": "...", "›": ">", "●": "", "▲": "", "■": "", "≥": ">=", "≤": "<=",
     "“": '"', "”": '"', "‘": "'", "’": "'", "×": "x", "\u00a0": " ", "\u202f": " "}
)  # fmt: skip


class Console:
    """Where a command speaks. Made once, in `main`; nothing else prints."""

    def __init__(
        self,
        options: Options,
        out: TextIO | None = None,
        err: TextIO | None = None,
        stdin: TextIO | None = None,
    ) -> None:
        self.options = options
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._in = stdin or sys.stdin
        self._redrawn = ""
        self._said_at = 0.0
        self._last_note = ""

    @property
    def width(self) -> int:
        import shutil

        return shutil.get_terminal_size((100, 24)).columns if self._out.isatty() else 10_000

    @property
    def on_terminal(self) -> bool:
        return self._err.isatty() and self.options.progress and not self.options.quiet

    def result(self, text: str) -> None:
        """Print text for people on stdout."""
        self.clear()
        _write(self._out, text.rstrip("\n") + "\n")

    def json(self, value: dict[str, Any]) -> None:
        """Print one JSON object on stdout, on one line."""
        self.clear()
        self._out.write(orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z).decode() + "\n")
        self._out.flush()

    def note(self, text: str) -> None:
        """Say something on stderr, unless quiet."""
        if not self.options.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Say something on stderr, also when quiet."""
        self.clear()
        _write(self._err, text.rstrip("\n") + "\n")

    def progress(self, text: str, *, changed: bool = False) -> None:
        """Show where long work stands: one line redrawn on a terminal, else a stamped line each 30 s and at each change."""
        if self.options.quiet or not self.options.progress:
            return
        text = plain(text)
        if self.on_terminal and self.options.color:
            shown = text[: max(20, self.width - 1)]
            _write(self._err, "\r\x1b[K" + shown)
            self._redrawn = shown
            return
        now = time.monotonic()
        if changed or now - self._said_at >= 30:
            self._said_at = now
            stamp = datetime.now().astimezone().strftime("%H:%M:%S")
            _write(self._err, f"{stamp} {text}\n")

    def clear(self) -> None:
        """Take the redrawn line away before anything else is printed."""
        if self._redrawn:
            self._redrawn = ""
            _write(self._err, "\r\x1b[K")

    def ask(self, question: str, *, missing: Callable[[], IcxError], hidden: bool = False) -> str:
        """Return what a person types; without a terminal nothing is asked and `missing()` is raised."""
        if not self._in.isatty():
            raise missing()
        self.clear()
        if hidden:
            import getpass

            return getpass.getpass(question, stream=self._err)
        _write(self._err, question)
        answer = self._in.readline()
        if not answer:
            raise missing()
        return answer.rstrip("\n")

    def table(
        self, heads: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[int] = ()
    ) -> str:
        """Return rows as text: columns on a terminal, a block a record when narrow, tabs in a pipe."""
        cells = [[plain("" if cell is None else cell) for cell in row] for row in rows]
        if not self._out.isatty():
            return "\n".join("\t".join(row) for row in [list(heads), *cells])
        from rich.cells import cell_len

        widths = [max([cell_len(head), *(cell_len(row[i]) for row in cells)]) for i, head in enumerate(heads)]
        if sum(widths) + 2 * len(widths) > self.width:
            label = max(len(head) for head in heads)
            return "\n\n".join(
                "\n".join(f"{h:<{label}}  {c}" for h, c in zip(heads, row, strict=True)) for row in cells
            )

        def line(row: Sequence[str]) -> str:
            parts = []
            for i, cell in enumerate(row):
                gap = " " * (widths[i] - cell_len(cell))
                parts.append(gap + cell if i in right else cell + gap)
            return "  ".join(parts).rstrip()

        return "\n".join(line(row) for row in [list(heads), *cells])


def _write(stream: TextIO, text: str) -> None:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()
