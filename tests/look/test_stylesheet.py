"""The stylesheet has no rule for what no page and no widget makes."""

from __future__ import annotations

import re
from pathlib import Path

import icx
from icx.look.page import style

PACKAGE = Path(icx.__file__).parent
HTML_HOLE = re.compile(r"<[^>]*class=\"([^\"]*)\"")


def styled(css: str) -> set[str]:
    """Return the classes that selectors of a stylesheet name."""
    selectors = re.findall(r"([^{}]+)\{", css)
    return {name for each in selectors if "@" not in each for name in re.findall(r"\.([a-z][\w-]*)", each)}


def made() -> set[str]:
    """Return the words of every short literal that could be a class: in pages, widgets and charts."""
    found: set[str] = set()
    for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")]:
        source = path.read_text(encoding="utf-8")
        for inner in re.findall(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n]*)`", source):
            text = re.sub(r"\$?\{[^{}]*\}", " ", "".join(inner))
            if re.fullmatch(r"[a-z0-9 -]*", text):
                found.update(text.split())
        for classes in HTML_HOLE.findall(source):
            found.update(re.findall(r"[\w-]+", classes))
    return found


def test_no_rule_is_for_a_class_that_nothing_makes() -> None:
    unused = styled(style()) - made()
    assert not unused, f"rules of icx/look for classes that nothing has: {sorted(unused)}"


def test_a_dead_rule_would_be_found() -> None:
    assert styled(".icx .zigzag, .icx td.num { color: red }") - made() == {"zigzag"}


def test_every_token_is_used() -> None:
    sources = [
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.*") if path.suffix in {".py", ".js"}
    ]
    taken = {name for text in (style(), *sources) for name in re.findall(r"var\((--icx-[\w-]+)", text)}
    unused = set(re.findall(r"(--icx-[\w-]+):", style())) - taken
    assert not unused, f"tokens that no rule takes: {sorted(unused)}"
