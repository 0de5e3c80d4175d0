"""Modules that Great Expectations imports with itself and hardly uses, loaded when something of them is used.

Altair draws one of its pages, jsonschema judges one of its expectations (and builds the grammar of international
addresses when it is imported), scipy.stats two: together two thirds of the time that its import takes.

It also looks for Spark, which is nothing to it here: importing Spark takes seconds, and one part of Spark ends a process
that has no main file. So it does not find Spark.

Only modules of the package that is loaded late are told so, by an `__import__` of their own. `sys.modules` is not
touched: whoever else imports one of these meanwhile, in a notebook's other thread say, gets the module.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType, SimpleNamespace
from typing import Any

RARELY_USED = ("altair", "jsonschema", "scipy.stats")
NEVER_USED = ("pyspark",)


class _Late(ModuleType):
    """Stands for a module until an attribute of it is read."""

    def __getattr__(self, name: str) -> Any:
        # Whoever looks through all modules (inspect, warnings) asks for these; that is no use of the module.
        if name.startswith("__") and name not in {"__path__", "__version__", "__all__"}:
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


class _Loader(SourceFileLoader):
    """Loads a module whose import statements are answered by `known`."""

    known: Mapping[str, Any]

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self.known
        super().exec_module(module)


class _Finder:
    """Finds the modules of one package, to be loaded with stand-ins for `names`, and as if `absent` were not there."""

    def __init__(self, package: str, names: Sequence[str], absent: Sequence[str]) -> None:
        self.package = package
        self.names = names
        self.absent = absent
        self.known = vars(builtins) | {"__import__": self._import}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.split(".", maxsplit=1)[0] != self.package:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
            spec.loader.known = self.known
        return spec

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if not level and name.split(".", maxsplit=1)[0] in self.absent:
            raise ModuleNotFoundError(f"{name} is not for {self.package} here", name=name)
        for one in () if level else self.names:
            parent, _, leaf = one.rpartition(".")
            if one not in sys.modules:
                if name == one and not parent:  # import altair as alt
                    return _Late(one)
                if parent and name == parent and tuple(fromlist or ()) == (leaf,):  # from scipy import stats
                    return SimpleNamespace(**{leaf: _Late(one)})
        return builtins.__import__(name, globals, locals, fromlist or (), level)


@contextmanager
def late(package: str, *names: str, absent: Sequence[str] = ()) -> Iterator[None]:
    """Inside, a module of `package` that is loaded gets stand-ins for modules of these names, and keeps them.

    Packages of the names `absent` it does not find.
    """
    finder = _Finder(package, names, absent)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
