"""The builder's document: a rule's JSON with an id at each node, read back with what is wrong at which node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from icx.errors import IcxError
from icx.rules import EVERYBODY, Group, Reading, Rule, condition, from_json, to_json
from icx.rules.nodes import child

Tree = dict[str, Any]


def tree_of(rule: Rule) -> Tree:
    """Return a rule as a document; its outermost node is always a group, so that there is room for a second rule.

    >>> from icx.rules import Compare
    >>> tree_of(Compare("city", "=", "Durham"))["rules"]
    [{'field': 'city', 'operator': '=', 'value': 'Durham', 'id': 'p2'}]
    """
    numbers = count(1)

    def named(node: Tree) -> Tree:
        own = {**node, "id": f"p{next(numbers)}"}
        if "rules" in node:
            own["rules"] = [named(inner) for inner in node["rules"]]
        return own

    return named(to_json(rule if isinstance(rule, Group) else Group("and", (rule,))))


def same_rule(rule: Rule) -> Rule:
    """Return a rule without a group around it that says nothing: one rule, not turned round.

    The document's root is a group even for one rule; the rule that code would make is that one.
    """
    while isinstance(rule, Group) and len(rule.rules) == 1 and not rule.negated:
        rule = rule.rules[0]
    return rule


@dataclass
class Document:
    """A document as read: `rule` is None while a node cannot be read; `ids` gives the node's id at a path.

    `partial` is the rule with everybody in the place of what cannot be read.
    """

    rule: Rule | None = None
    partial: Rule = EVERYBODY
    ids: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    leaves: dict[str, Rule] = field(default_factory=dict)
    errors: dict[str, IcxError] = field(default_factory=dict)

    def check(self, reading: Reading) -> None:
        """Note at each node what its rule says that cannot be: an unknown field, a value that does not fit, …"""
        for path, leaf in self.leaves.items():
            try:
                condition(leaf, reading, path)
            except IcxError as error:
                self.errors[self.ids[path]] = error
        self.partial = self._sound(self.partial, "")

    def _sound(self, rule: Rule, path: str) -> Rule:
        if isinstance(rule, Group):
            inner = tuple(self._sound(one, child(path, n)) for n, one in enumerate(rule.rules))
            return replace(rule, rules=inner)
        return EVERYBODY if self.ids[path] in self.errors else rule

    def path(self, node: str) -> str | None:
        """Return where a node stands."""
        return next((path for path, own in self.ids.items() if own == node), None)


def read(tree: Mapping[str, Any]) -> Document:
    """Read a document node by node, so that one that cannot be read does not hide the others."""
    document = Document()
    document.partial = _read(document, tree, "")
    document.rule = None if document.errors else document.partial
    return document


def _read(document: Document, node: Any, path: str) -> Rule:
    given: Mapping[str, Any] = node if isinstance(node, Mapping) else {}
    document.ids[path] = own = str(given.get("id") or path)
    document.nodes[own] = given
    try:
        inner = given.get("rules")
        if isinstance(inner, list) and not any(isinstance(one, str) for one in inner):
            head = from_json({**_bare(given), "rules": []}, "")
            assert isinstance(head, Group)
            found = [_read(document, one, child(path, n)) for n, one in enumerate(inner)]
            return Group(head.combinator, tuple(found), head.negated)
        leaf = from_json(_bare(given), "")
    except IcxError as error:
        document.errors[own] = error
        return EVERYBODY
    document.leaves[path] = leaf
    return leaf


def _bare(node: Mapping[str, Any]) -> Tree:
    return {key: value for key, value in node.items() if key != "id"}
