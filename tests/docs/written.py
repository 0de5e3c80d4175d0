"""What the papers say: their code spans, their blocks, the commands in them."""

from __future__ import annotations

import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]


def text(name: str) -> str:
    return (HOUSE / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.DOTALL | re.MULTILINE)


def spans(name: str) -> list[str]:
    """The inline code, in order, without the fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text(name), flags=re.DOTALL | re.MULTILINE))


def commands(name: str) -> list[str]:
    """What is meant to be typed: spans and lines of shell blocks that begin with `icx`."""
    lines = [line for block in blocks(name, "(?:sh|bash|console)") for line in block.splitlines()]
    return [each for each in [*spans(name), *lines] if re.match(r"icx(\s|$)", each)]


def stands_for_something(command: str) -> bool:
    """Whether a word of the command is a place for the reader's own, such as NAME."""
    return any(re.fullmatch(r"[A-Z]{3,}(=[A-Z]+)?|…", word) for word in command.split())


def tables(name: str) -> list[list[list[str]]]:
    """The tables, as lists of rows of cells, heads and rules left out."""
    found: list[list[list[str]]] = []
    inside = False
    for line in text(name).splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not inside:
                found.append([])
            elif not re.fullmatch(r"[|\-: ]+", line):
                found[-1].append(cells)
            inside = True
        else:
            inside = False
    return found
