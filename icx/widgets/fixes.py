"""What a wrong rule could be instead, as buttons beside it: each sets something of the node, or takes it out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from icx.errors import IcxError
from icx.rules import Reading
from icx.widgets.inputs import title

GONE = {"field-gone", "audience-cycle"}


def fixes(error: IcxError, node: Mapping[str, Any], reading: Reading) -> list[dict[str, Any]]:
    """Return up to three fixes of a node's error, the likeliest first."""
    if error.code == "field-unknown":
        near = _near(str(node.get("field")), reading.catalogue)
        return [{"label": title(name), "set": {"field": name}} for name in near]
    if error.code == "list-twice":
        sizes = reading.lookup.list_sizes
        return [
            {
                "label": f"#{one} with {sizes[one]:,} members" if one in sizes else f"#{one}",
                "set": {"value": f"#{one}"},
            }
            for one in error.data.get("lists", [])[:3]
        ]
    if error.code == "list-unknown":
        near = _near(str(node.get("value")), [name for name in reading.lookup.lists.values() if name])
        return [{"label": name, "set": {"value": name}} for name in near]
    if error.code == "audience-unknown":
        near = _near(str(node.get("value")), reading.lookup.audiences)
        return [{"label": name, "set": {"value": name}} for name in near]
    return [{"label": "leave this rule out", "remove": True}] if error.code in GONE else []


def _near(name: str, known: Iterable[str]) -> list[str]:
    folded = {own.casefold(): own for own in known}
    return [folded[one] for one in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
