"""The facade: one object whose verbs wire the floors below; it holds no logic of its own."""

from icx.workspace.workspace import Workspace

__all__ = ["Workspace"]
