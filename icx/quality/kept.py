"""An expectation's configuration made once a judgement: Great Expectations makes it anew at each of some 70 looks.

It copies and validates all of the expectation each time, which was half of the time of a whole check.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# The expectations of the judgement under way by identity, each beside its configuration: kept alive, so that no
# other object can have the same identity meanwhile.
_KEPT: ContextVar[dict[int, tuple[Any, Any]] | None] = ContextVar("icx_kept_configurations", default=None)


@contextmanager
def configurations_kept() -> Iterator[None]:
    """Inside, an expectation's configuration is made when it is first looked at. An expectation must not change."""
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def keep(expectation: type[Any]) -> None:
    """Let Great Expectations' base class of expectations look here first; elsewhere it does what it did."""
    made = expectation.configuration
    if not isinstance(made, property) or made.fget is None or getattr(made.fget, "icx_keeps", False):
        return
    make = made.fget

    def configuration(self: Any) -> Any:
        kept = _KEPT.get()
        if kept is None:
            return make(self)
        if id(self) not in kept:
            kept[id(self)] = (self, make(self))
        return kept[id(self)][1]

    configuration.icx_keeps = True  # type: ignore[attr-defined]
    expectation.configuration = property(configuration, doc=made.__doc__)  # type: ignore[misc]
