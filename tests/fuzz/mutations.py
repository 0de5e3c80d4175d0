"""Things from outside, gone wrong: any JSON, any bytes, and good documents with pieces cut out, doubled and replaced."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

# What breaks readers more often than chance would find it.
NASTY = [
    None, True, 0, -1, 2**63, 10**400, 1e308, float("inf"), float("nan"), "", " ", "0", "-0", "1e5", "٣", "null",
    "0000-00-00", "2026-02-30T25:61:00", "9999-12-31T23:59:59+14:00", "9999-12-31T23:59:59-05:00", "\ud800", "\x00", "\u202e", "a" * 5_000,
    "O'Brien \"Bob\" <b@x>", "'; drop table profile; --", "../../etc/passwd", "{{7*7}}", "=1+1", "[red]x[/red]",
    [], [[]], {}, {"": {}}, [None], {"a": [{"b": []}]},
]  # fmt: skip
texts = st.text(max_size=20) | st.sampled_from([one for one in NASTY if isinstance(one, str)])
values = st.recursive(
    st.sampled_from(NASTY) | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn, good: Any) -> Any:
    """A good document (of dicts and lists) with one to three places changed."""
    value = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(value))
        if not places:
            return copy.deepcopy(draw(values))
        inside, key = draw(st.sampled_from(places))
        deed = draw(st.sampled_from(["replace", "replace", "remove", "rename", "double"]))
        if deed == "remove":
            del inside[key]
        elif deed == "rename" and isinstance(inside, dict):
            inside[draw(texts)] = inside.pop(key)
        elif deed == "double" and isinstance(inside, list):
            inside.insert(key, copy.deepcopy(inside[key]))
        else:
            inside[key] = copy.deepcopy(draw(values))  # what is drawn may be a constant; it is changed next
    return value


def _places(value: Any) -> Any:
    """Every place in a document: (what it is in, its key)."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


@st.composite
def written(draw: st.DrawFn, good: Any) -> bytes:
    """A file: a mutated document as JSON, that cut off or with bytes changed, or any bytes at all."""
    kind = draw(st.sampled_from(["whole", "whole", "cut", "spoiled", "any"]))
    if kind == "any":
        return draw(st.binary(max_size=200))
    text = json.dumps(draw(mutated(good))).encode("utf-8", "surrogatepass")
    if kind == "cut":
        return text[: draw(st.integers(0, len(text)))]
    if kind == "spoiled" and text:
        at = draw(st.integers(0, len(text) - 1))
        return text[:at] + draw(st.binary(min_size=1, max_size=3)) + text[at + 1 :]
    return text
