"""The nearest word there is, for whoever mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a sentence that names the nearest word, or nothing.

    >>> nearest("pul", ["pull", "plan"]), nearest("xyz", ["pull"])
    (' Nearest: `pull`.', '')
    """
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.4)
    return f" Nearest: `{near[0]}`." if near else ""
