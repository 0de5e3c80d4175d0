// What an edit does to the view: the document is taken, remembered, drawn and counted; undo and redo; where focus goes then.

/** Give the view its edits; each is one of the pure functions of the tree and `b.act`. */
function editing(b) {
  const state = b.s;

  /** Take a new document: it is drawn, remembered, and counted. */
  b.act = (doc, label, focus) => {
    if (doc === state.doc) return;
    state.past.push({ doc: state.doc, label });
    if (state.past.length > 200) {
      state.past.shift();
      state.baseAt = state.baseAt === null ? null : state.baseAt - 1;
    }
    if (state.baseAt !== null && state.past.length <= state.baseAt) state.baseAt = null;
    state.future = [];
    state.doc = doc;
    if (state.pop?.kind === "menu") state.pop = null;
    settleDocument();
    if (focus) focusKey(b.root, focus);
  };

  b.put = (leaf, patch, label, whole = false, focus = null) => {
    const next = whole ? edit(state.doc, leaf.id, () => patch) : setLeaf(state.doc, leaf.id, patch);
    if (same(next, state.doc)) return;
    b.act(next, label, focus);
  };

  b.remove = (id) => {
    const list = focusStops();
    const at = list.findIndex((each) => each === id);
    b.close();
    b.act(removeNode(state.doc, id), `removed ${b.rowName(find(state.doc, id))}`);
    const next = list.slice(at + 1).find((each) => find(state.doc, each));
    if (!next || !focusKey(b.root, `${next}:menu`)) focusKey(b.root, `${state.doc.id}:add-rule`);
  };

  function focusStops() {
    const found = [];
    const walk = (node) => node.rules.forEach((each) => {
      found.push(each.id);
      if (isGroup(each) && !isNot(each)) walk(each);
    });
    walk(state.doc);
    return found;
  }

  b.addRule = (group) => {
    const leaf = firstLeaf(b.cat, "");
    b.act(addRule(state.doc, group, leaf), "added a rule", `${leaf.id}:field`);
  };

  b.addGroup = (group) => {
    const leaf = firstLeaf(b.cat, "");
    b.act(addGroup(state.doc, group, leaf), "added a group", `${leaf.id}:field`);
  };

  /** "is any of …, or has no value": an any-group of the rule and of its missing value. */
  b.orMissing = (leaf) => {
    const { field, key } = leaf;
    const missing = { id: newId(), field, ...(key === undefined ? {} : { key }), operator: "null", value: null };
    b.close();
    const row = b.rowOf(leaf.id);
    b.act(edit(state.doc, row, (node) => ({ id: newId(), combinator: "or", not: false, rules: [node, missing] })), `also chose no ${b.cat.label(field)}`, `${leaf.id}:add`);
  };

  b.menuKey = (event, id) => {
    const way = event.altKey && { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (way) {
      event.preventDefault();
      b.act(move(state.doc, id, way), `moved a rule ${way}`, `${id}:menu`);
      b.speech.say(`Moved ${way}, now ${b.rowName(find(state.doc, id))}`);
    } else if (event.key === "Delete") {
      event.preventDefault();
      b.remove(id);
    }
  };

  function step(from, to) {
    const last = from.pop();
    if (!last) return;
    to.push({ doc: state.doc, label: last.label });
    state.doc = last.doc;
    state.pop = null;
    settleDocument();
    if (!b.root.contains(document.activeElement)) focusKey(b.root, "undo");
  }

  b.undo = () => {
    b.brushed(); // a handle's draft is the edit that is taken back
    step(state.past, state.future);
  };
  b.redo = () => step(state.future, state.past);

  function settleDocument() {
    const next = b.fin();
    const text = JSON.stringify(plain(next));
    if (text !== state.sent) {
      state.sent = text;
      send(next);
    }
    b.draw();
    b.wants();
  }

  function send(next) {
    state.rev = Math.max(state.rev, b.model.get("rev") ?? 0) + 1;
    state.since = performance.now();
    state.stopped = false;
    b.model.set("tree", next);
    b.model.set("rev", state.rev);
    b.model.save_changes();
    b.heart.ping();
  }

  b.recount = () => {
    send(b.fin());
    b.draw();
  };

  b.stop = () => {
    b.python.ask("stop");
    b.change({ stopped: true, counting: false, since: null });
    focusKey(b.root, "recount");
  };
}
