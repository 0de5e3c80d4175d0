"""Modules that Great Expectations imports with itself and hardly uses, loaded when something of them is used.

Altair draws one of its pages, jsonschema judges one of its expectations (and builds the grammar of international
addresses when it is imported), scipy.stats two: together two thirds of the time that its import takes.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

RARELY_USED = ("altair", "jsonschema", "scipy.stats")


class _Late(ModuleType):
    """Stands for a module until an attribute of it is read."""

    def __getattr__(self, name: str) -> Any:
        # Whoever looks through all modules (inspect, warnings) asks for these; that is no use of the module.
        if name.startswith("__") and name not in {"__path__", "__version__", "__all__"}:
            raise AttributeError(name)
        _leave(self)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def late(*names: str) -> Iterator[None]:
    """Inside, importing one of these modules gives a stand-in, which its importer keeps; afterwards, the module."""
    standing = [_Late(name) for name in names if name not in sys.modules]
    sys.modules.update({one.__name__: one for one in standing})
    try:
        yield
    finally:
        for one in standing:
            _leave(one)


def _leave(one: ModuleType) -> None:
    if sys.modules.get(one.__name__) is one:
        sys.modules.pop(one.__name__, None)
