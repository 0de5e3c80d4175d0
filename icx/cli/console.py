"""The two streams: stdout holds the result and nothing else, stderr everything said on the way."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from icx.cli.options import Options
from icx.cli.table import Rows, lay_out
from icx.errors import IcxError
from icx.mask import WRITTEN, escaped, plain, written_in, written_in_json

# What stands in for a symbol where the stream cannot carry it; the word beside it stays.
_PLAIN = str.maketrans(
    {"·": "-", "→": "->", "−": "-", "–": "-", "…": "...", "›": ">", "●": "", "▲": "", "■": "", "≥": ">=", "≤": "<=",
     "“": '"', "”": '"', "‘": "'", "’": "'", "×": "x", "\u00a0": " ", "\u202f": " "}
)  # fmt: skip
EXAMPLE = "you@example.com"  # nobody's: stands in what to type next
EVERY = 30.0  # seconds between two lines of progress in a log


class Console:
    """Where a command speaks. Made once, in `main`; nothing else prints.

    No address goes out in full, wherever it stands, unless it stands in what was `typed` or --show-people asks for all.
    """

    def __init__(
        self,
        options: Options,
        out: TextIO | None = None,
        err: TextIO | None = None,
        stdin: TextIO | None = None,
        typed: Sequence[str] = (),
    ) -> None:
        self.options = options
        self._typed = {EXAMPLE} | {found.lower() for word in typed for found in WRITTEN.findall(word)}
        self.standing = ""  # how far the work under way is, for whoever stops it
        self.run: str | None = None  # the run the command's work was noted as
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._in = stdin or sys.stdin
        self._redrawn = False
        self._said_at = float("-inf")

    @property
    def width(self) -> int | None:
        """The columns of the terminal that gets the result; None when it is piped, and then nothing is cut."""
        import shutil

        return shutil.get_terminal_size((100, 24)).columns if self._out.isatty() else None

    @property
    def interactive(self) -> bool:
        """Whether there is somebody to ask."""
        return self._in.isatty()

    @property
    def redraws(self) -> bool:
        """Whether stderr is a terminal that takes a line back."""
        return self._err.isatty() and self.options.color

    def result(self, text: str) -> None:
        """Print text for people on stdout."""
        self.clear()
        _write(self._out, visible(self._masked(text)).rstrip("\n") + "\n")

    def json(self, value: Mapping[str, Any]) -> None:
        """Print one JSON object on stdout, on one line."""
        self.clear()
        self._out.write(self._masked(escaped(_json(value)), written_in_json) + "\n")
        self._out.flush()

    def event(self, name: str, facts: Mapping[str, Any]) -> None:
        """Print one event as a line of JSON, when events were asked for."""
        if self.options.json == "lines":
            self.json({"event": name, "at": datetime.now(UTC), **facts})

    def note(self, text: str) -> None:
        """Say something on stderr, unless quiet."""
        self.event("note", {"text": text.strip()})
        if not self.options.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Say something on stderr, also when quiet."""
        self.clear()
        _write(self._err, visible(self._masked(text)).rstrip("\n") + "\n")

    def progress(self, text: str, *, changed: bool = False) -> None:
        """Show where work stands: one line redrawn on a terminal, else a stamped line each 30 s and at a change."""
        if self.options.quiet or not self.options.progress:
            return
        text = plain(self._masked(text)).replace("\n", " ")
        if self.redraws:
            import shutil

            _write(self._err, "\r\x1b[K" + cut(text, shutil.get_terminal_size((100, 24)).columns - 1))
            self._redrawn = True
            return
        now = time.monotonic()
        if changed or now - self._said_at >= EVERY:
            self._said_at = now
            _write(self._err, f"{datetime.now().astimezone():%H:%M:%S} {text}\n")

    def clear(self) -> None:
        """Take the redrawn line away before anything else is printed."""
        if self._redrawn:
            self._redrawn = False
            _write(self._err, "\r\x1b[K")

    def ask(self, question: str, *, missing: Callable[[], IcxError], hidden: bool = False) -> str:
        """Return what a person types; without a terminal nothing is asked and `missing()` is raised."""
        if not self._in.isatty():
            raise missing()
        self.clear()
        if hidden:
            import getpass

            return getpass.getpass(question, stream=self._err)
        _write(self._err, visible(self._masked(question)))
        answer = self._in.readline()
        if not answer:
            raise missing()
        self._typed |= {found.lower() for found in WRITTEN.findall(answer)}
        return answer.rstrip("\n")

    def _masked(self, text: str, hiding: Callable[[str, set[str]], str] = written_in) -> str:
        return text if self.options.show_people or "@" not in text else hiding(text, self._typed)

    def table(self, heads: Sequence[str], rows: Rows, *, right: tuple[int, ...] = ()) -> str:
        """Return rows as text, as wide as this terminal is."""
        return lay_out(heads, rows, right=right, width=self.width)


def visible(text: str) -> str:
    """Return text whose every control and direction character can be seen; lines and tabs stay."""
    return plain(text).replace("\r", "\\x0d")


def cut(text: str, width: int) -> str:
    """Return text cut to a width in columns.

    >>> cut("acme › opens", 6)
    'acme …'
    """
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else set_cell_size(text, max(1, width - 1)) + "…"


def _json(value: Mapping[str, Any]) -> str:
    import orjson

    times = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_OMIT_MICROSECONDS
    options = times | orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(value, default=_plainly, option=options).decode()
    except TypeError:
        # A word typed in another encoding reaches Python as halves of surrogate pairs, which no JSON holds.
        return orjson.dumps(_readable(value), default=_plainly, option=options).decode()


def _readable(value: Any) -> Any:
    """Return the same value with bytes that were no text made visible.

    >>> _readable({"where": ["icx", "\\ud83d"]})
    {'where': ['icx', '\\\\ud83d']}
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_readable(key): _readable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(inner) for inner in value]
    return value


def _plainly(value: Any) -> Any:
    """Return what JSON can hold of a value of pandas or numpy, or its text."""
    if hasattr(value, "to_pydatetime"):
        return None if str(value) == "NaT" else value.to_pydatetime()
    return value.item() if hasattr(value, "item") else str(value)


def _write(stream: TextIO, text: str) -> None:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for symbol in "●▲■":
            text = text.replace(f"{symbol} ", "")
        text = text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()
