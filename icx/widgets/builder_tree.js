// The audience's document: pure functions on a tree of nodes. A node is the rule's JSON with an `id`; nothing is changed in place.

const isGroup = (node) => Array.isArray(node.rules);

/** A single rule turned round: it is shown as one row with "Not" before it. */
const isNot = (node) => isGroup(node) && node.not && node.combinator === "and" && node.rules.length === 1 && !isGroup(node.rules[0]);

/** What one row is about: the rule itself, also when it is turned round. */
const leafOf = (node) => (isNot(node) ? node.rules[0] : node);

function newId() {
  return Math.random().toString(36).slice(2, 10).padEnd(8, "0");
}

/** The document with an id on every node; a single rule becomes a group of one. */
function withIds(json, fresh = false) {
  const walk = (node) => {
    const id = !fresh && node.id ? node.id : newId();
    return isGroup(node) ? { ...node, id, not: Boolean(node.not), rules: node.rules.map(walk) } : { ...node, id };
  };
  const tree = walk(json && Object.keys(json).length ? json : { combinator: "and", not: false, rules: [] });
  return isGroup(tree) ? tree : { id: newId(), combinator: "and", not: false, rules: [tree] };
}

/** The document without ids, to compare. */
function plain(node) {
  const { id, ...rest } = node;
  return isGroup(rest) ? { ...rest, rules: rest.rules.map(plain) } : rest;
}

/** The document without the rules that are not finished, and without groups that held nothing else. */
function finished(tree, isFinished) {
  const walk = (node) => {
    if (!isGroup(node)) return isFinished(node) ? node : null;
    const rules = node.rules.map(walk).filter(Boolean);
    return rules.length || !node.rules.length ? { ...node, rules } : null;
  };
  return walk(tree) ?? { ...tree, rules: [] };
}

/** Put what `change` makes of a node (one, several, null for none) in its place; a group that loses its last rule goes too. */
function edit(tree, id, change) {
  const walk = (node) => {
    if (node.id === id) return change(node);
    if (!isGroup(node)) return node;
    let touched = false;
    const rules = node.rules.flatMap((each) => {
      const made = walk(each);
      touched ||= made !== each;
      return made === null ? [] : made;
    });
    if (!touched) return node;
    return rules.length || node.id === tree.id ? { ...node, rules } : null;
  };
  return walk(tree) ?? { ...tree, rules: [] };
}

/** From the root to the node. */
function trail(tree, id) {
  if (tree.id === id) return [tree];
  for (const each of tree.rules ?? []) {
    const rest = trail(each, id);
    if (rest) return [tree, ...rest];
  }
  return null;
}

const find = (tree, id) => trail(tree, id)?.at(-1) ?? null;

/** Every rule with its row's id, in reading order. */
function rows(tree) {
  const found = [];
  const walk = (node) => {
    if (!isGroup(node) || isNot(node)) found.push({ row: node.id, leaf: leafOf(node) });
    else node.rules.forEach(walk);
  };
  tree.rules.forEach(walk);
  return found;
}

const insert = (tree, group, at, ...nodes) =>
  edit(tree, group, (node) => ({ ...node, rules: [...node.rules.slice(0, at), ...nodes, ...node.rules.slice(at)] }));

function setLeaf(tree, id, patch) {
  return edit(tree, id, (node) => {
    const next = { ...node, ...patch };
    for (const key of Object.keys(patch)) if (patch[key] === undefined) delete next[key];
    return next;
  });
}

function addRule(tree, group, leaf) {
  return insert(tree, group, find(tree, group).rules.length, leaf);
}

function addGroup(tree, group, leaf) {
  const parent = find(tree, group);
  return insert(tree, group, parent.rules.length, { id: newId(), combinator: other(parent), not: false, rules: [leaf] });
}

const other = (group) => (group.combinator === "and" ? "or" : "and");

function removeNode(tree, id) {
  return edit(tree, id, () => null);
}

function duplicate(tree, id) {
  return edit(tree, id, (node) => [node, withNewIds(node)]);
}

function withNewIds(node) {
  return isGroup(node) ? { ...node, id: newId(), rules: node.rules.map(withNewIds) } : { ...node, id: newId() };
}

function wrap(tree, id) {
  const parent = trail(tree, id).at(-2);
  return edit(tree, id, (node) => ({ id: newId(), combinator: other(parent), not: false, rules: [node] }));
}

function toggleNot(tree, id) {
  return edit(tree, id, (node) => {
    if (isNot(node)) return node.rules[0];
    return isGroup(node) ? { ...node, not: !node.not } : { id: newId(), combinator: "and", not: true, rules: [node] };
  });
}

const COMBINATORS = { all: ["and", false], any: ["or", false], none: ["or", true], "not all": ["and", true] };
const COMBINED = { all: "All of", any: "Any of", none: "None of", "not all": "Not all of" };

function combinedAs(group) {
  return Object.keys(COMBINATORS).find((each) => COMBINATORS[each][0] === group.combinator && COMBINATORS[each][1] === group.not);
}

function setCombined(tree, id, how) {
  const [combinator, not] = COMBINATORS[how];
  return edit(tree, id, (node) => ({ ...node, combinator, not }));
}

const enterable = (node) => node && isGroup(node) && !isNot(node);

/**
 * Put a node into a group before the rule that stands `at` there now. The same tree comes back when it would stand where
 * it does, or inside itself.
 */
function place(tree, id, group, at) {
  const node = find(tree, id);
  const into = find(tree, group);
  if (!node || !enterable(into) || find(node, group)) return tree;
  const now = into.rules.findIndex((each) => each.id === id);
  if (now >= 0 && (at === now || at === now + 1)) return tree;
  const marked = insert(tree, group, at, { ...node, id: "moving" });
  return edit(edit(marked, id, () => null), "moving", (each) => ({ ...each, id }));
}

/**
 * Move a node up or down, out of its group, or into the group beside it. Up and down enter a group they meet and leave
 * their own past its edge. The same tree comes back when there is nowhere to go.
 */
function move(tree, id, way) {
  const way_ = trail(tree, id);
  if (!way_ || way_.length < 2) return tree;
  const [grand, parent] = [way_.at(-3), way_.at(-2)];
  const at = parent.rules.findIndex((each) => each.id === id);
  const [above, below] = [parent.rules[at - 1], parent.rules[at + 1]];
  const to = (group, position) => place(tree, id, group.id, position);
  const leave = (after) => (grand ? to(grand, grand.rules.findIndex((each) => each.id === parent.id) + after) : tree);
  if (way === "out") return leave(1);
  if (way === "into") {
    if (enterable(above)) return to(above, above.rules.length);
    return enterable(below) ? to(below, 0) : tree;
  }
  if (way === "up") {
    if (!above) return leave(0);
    return enterable(above) ? to(above, above.rules.length) : to(parent, at - 1);
  }
  if (!below) return leave(1);
  return enterable(below) ? to(below, 0) : to(parent, at + 2);
}

/** JSON as a Python literal, for when Python itself cannot be asked. */
function pythonLiteral(value, indent = "") {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number" || typeof value === "string") return JSON.stringify(value);
  const inner = `${indent}    `;
  const flat = JSON.stringify(value).length < 70 && !JSON.stringify(value).includes('"rules"');
  const parts = Array.isArray(value)
    ? value.map((each) => pythonLiteral(each, inner))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${pythonLiteral(each, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (flat || !parts.length) return `${open}${parts.join(", ")}${close}`;
  return `${open}\n${parts.map((part) => `${inner}${part},`).join("\n")}\n${indent}${close}`;
}
