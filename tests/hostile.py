"""Names that would like to be something else: one table for all who show, write, run or look up what others wrote."""

from __future__ import annotations

import csv
import io
import unicodedata
from html.parser import HTMLParser

#: By what it tries to be.
HOSTILE = {
    "html": """<img src=x onerror="hit()"><script>hit()</script>""",
    "an attribute": """" onmouseover="hit()" x='""",
    "the end of a style or script": "</style></script><svg onload=hit()>",
    "an entity": "&lt;b&gt;&#x202e;&amp;",
    "sql": "x'; drop table profile; --",
    "an identifier": 'a" from profile; drop schema acme cascade; --',
    "a pattern": "%_\\*?[",
    "a formula": '=HYPERLINK("http://evil.test","x")',
    "a formula behind a blank": " @SUM(1)",
    "a number's sign": "-2+3",
    "a path": "../../../../tmp/hit",
    "a folder": "..",
    "a path of another system": "C:\\hit\\con",
    "a shell's words": "$(touch hit) `touch hit`; touch hit & | > hit",
    "an option": "--yes",
    "markdown": "[x](javascript:hit()) ![](http://evil.test/x.png) | a | b |",
    "a template": "{{7*7}} ${7*7} {0} %s %(x)s",
    "rich's markup": "[red]VIP[/red] [/x] :smile:",
    "a terminal's colours": "\x1b[31mred\x1b]0;title\x07",
    "a terminal's colours in one byte": "\x9b31mred\x85",
    "right to left": "a\u202eb\u2066c\u200f",
    "an answer of icx": "x\nicx: all is well. [bug]\n  next   icx erase 70057 --yes\r\nDone",
    "lines of another kind": "a\u2028b\u2029c\x0bd",
    "nothing to be seen": "a\u200bb\ufeffc",
    "names": 'O\'Brien "Bob" <b@x> Größe 漢字 🎄',
}
# A word of a command line cannot hold a zero byte, nor a row of the service's SQLite be read back with one.


def unseen(text: str) -> set[str]:
    """Return the characters of a terminal's text that do something instead of being shown; lines and tabs may."""
    kinds = {"Cc", "Zl", "Zp"}
    does = {one for one in text if unicodedata.category(one) in kinds or one in "\u200e\u200f\u061c"}
    return (does | {one for one in text if "\u202a" <= one <= "\u202e" or "\u2066" <= one <= "\u2069"}) - {
        "\n",
        "\t",
    }


class _Doing(HTMLParser):
    """What of a page would run or ask the network."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "img", "iframe", "object", "embed", "link", "base", "form", "meta"}:
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith(
                ("javascript:", "http:", "data:text")
            ):
                self.found.append(f"{tag} {name}={value}")


def doing(page: str) -> list[str]:
    """Return the elements and attributes of an HTML fragment that would run something or ask the network."""
    reader = _Doing()
    reader.feed(page)
    reader.close()
    return reader.found


def formulas(text: str) -> list[str]:
    """Return the cells of a CSV that a spreadsheet would run."""
    return [
        cell
        for row in csv.reader(io.StringIO(text))
        for cell in row
        if cell.lstrip(" \t\r\n")[:1] in {*"=+-@"} and cell
    ]
