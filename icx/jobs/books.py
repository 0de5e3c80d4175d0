"""nbformat, imported without the grammar of international web addresses that jsonschema builds on its way.

That grammar takes two seconds of every start and checks a format which notebooks do not have. Whoever wants it
imports jsonschema first, and keeps it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without(*names: str) -> Iterator[None]:
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an import of it is refused
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


with _without("rfc3987", "rfc3987_syntax"):
    import nbformat

__all__ = ["nbformat"]
