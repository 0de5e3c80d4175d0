"""Mutants of Python: each comparison turned, each condition decided, each statement left out, each constant another."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}  # fmt: skip
Change = Callable[[Any], object]
#: Calls whose words a person reads: what is said there is tried by snapshots, and changes nothing that is done.
SAYS = {
    "BadInput",
    "NeedsYou",
    "Refused",
    "TryLater",
    "Damaged",
    "IcxError",
    "Progress",
    "counted",
    "form",
    "note",
    "tell",
}


def mutants(text: str) -> list[tuple[int, str, str]]:
    """Return the line, what is changed in it, and the whole module's text with it."""
    tree = ast.parse(text)
    found: dict[str, tuple[int, str]] = {}
    for node, change in _changes(tree):
        changed = copy.deepcopy(tree)
        twin = _twin(tree, changed, node)
        before = ast.unparse(node).splitlines()[0]
        change(twin)
        made = ast.unparse(ast.fix_missing_locations(changed))
        after = ast.unparse(twin).splitlines()[0] if not isinstance(twin, ast.Pass) else "pass"
        line = node.target.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)
        found.setdefault(made, (line, f"{before[:70]} -> {after[:70]}"))
    same = ast.unparse(tree)
    return [(line, what, made) for made, (line, what) in found.items() if made != same]


def _twin(tree: ast.AST, other: ast.AST, node: ast.AST) -> ast.AST:
    """Return the node of a copy that stands where `node` stands."""
    return next(b for a, b in zip(ast.walk(tree), ast.walk(other), strict=True) if a is node)


def _changes(tree: ast.AST) -> Iterator[tuple[ast.AST, Change]]:
    silent = {id(inner) for node in ast.walk(tree) for part in _says(node) for inner in ast.walk(part)}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name != "__repr__":
            for node in ast.walk(function):
                if id(node) not in silent and node is not function:
                    yield from _of(node)


def _says(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is for a reader alone: words of errors, docstrings, types."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SAYS:
            yield node
    elif isinstance(node, ast.FunctionDef):
        yield node.args
        yield from [node.returns] if node.returns else []
    elif isinstance(node, ast.AnnAssign):
        yield node.annotation
    elif isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        yield node


def _of(node: ast.AST) -> Iterator[tuple[ast.AST, Change]]:
    if isinstance(node, ast.Compare):
        for at, sign in enumerate(node.ops):
            if to := TURNED.get(type(sign)):
                yield node, lambda twin, at=at, to=to: twin.ops.__setitem__(at, to())
    elif isinstance(node, ast.BoolOp):
        turned = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield node, lambda twin, to=turned: setattr(twin, "op", to())
        for at in range(len(node.values)):
            yield node, lambda twin, at=at: twin.values.pop(at)
    elif isinstance(node, ast.BinOp) and (other := OTHER.get(type(node.op))):
        yield node, lambda twin, to=other: setattr(twin, "op", to())
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        for value in (True, False):
            if not (isinstance(node, ast.While) and value):
                yield node, lambda twin, value=value: setattr(twin, "test", ast.Constant(value))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, lambda twin: setattr(twin, "value", not twin.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield node, lambda twin: setattr(twin, "value", twin.value + 1)
    elif (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.replace("_", "a").isalnum()
    ):
        yield (
            node,
            lambda twin: setattr(twin, "value", f"{twin.value}x"),
        )  # a name: a status, a verb, a column
    elif isinstance(node, ast.comprehension):
        for at in range(len(node.ifs)):
            yield node, lambda twin, at=at: twin.ifs.pop(at)
    body = [part for part in ("body", "orelse", "finalbody") if isinstance(getattr(node, part, None), list)]
    for part in body:
        for statement in getattr(node, part):
            if isinstance(statement, ast.Expr | ast.AugAssign | ast.Raise | ast.Break | ast.Continue):
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant | ast.Yield):
                    continue
                yield statement, _leave_out


def _leave_out(twin: ast.AST) -> None:
    twin.__class__ = ast.Pass  # the statement itself is held by whoever has it, in a list or alone
    twin._fields = ()
