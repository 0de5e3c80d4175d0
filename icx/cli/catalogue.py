"""Every message icx can end with, explained: what `icx help CODE` prints."""

from __future__ import annotations

import difflib
import importlib.resources
import json
from dataclasses import dataclass

from icx.errors import BadInput


@dataclass(frozen=True)
class Entry:
    """One message: what it means, what was kept, what to do."""

    code: str
    exit_code: int
    meaning: str
    kept: str
    todo: str


def _read() -> dict[str, Entry]:
    text = (importlib.resources.files("icx.cli") / "catalogue.json").read_text(encoding="utf-8")
    rows = [
        Entry(row["code"], row["exit"], row["meaning"], row["kept"], row["todo"]) for row in json.loads(text)
    ]
    return {entry.code: entry for entry in rows}


ENTRIES = _read()


def explain(code: str) -> Entry:
    """Return the entry, or name the nearest.

    >>> explain("list-twice").meaning
    'Two lists have that name.'
    """
    if code in ENTRIES:
        return ENTRIES[code]
    near = difflib.get_close_matches(code, ENTRIES, n=2, cutoff=0.4)
    hint = f" Nearest: {', '.join(f'`{n}`' for n in near)}." if near else ""
    raise BadInput(
        "code-unknown",
        f"There is no message with the code `{code}`.{hint}",
        where="icx help",
        kept="nothing was changed",
        next=[["icx", "help", near[0]] if near else ["icx", "help"]],
    )
