// The audience builder: holds the document while it is edited, asks Python for numbers, and draws.

const SHOWN_MEMBERS = 5;

function render({ model, el }) {
  const python = questions(model);
  const speech = speaker();
  const root = h("div", { class: "icx icx-builder", role: "region", "aria-label": "Audience builder" });
  const body = h("div", { class: "body" });
  root.append(body, speech.element);
  el.append(root);
  keepKeys(root);

  const first = withIds(model.get("tree"));
  const state = {
    doc: first, rev: model.get("rev") ?? 0, past: [], future: [], base: null, baseAt: 0, name: model.get("name") ?? "", saved: model.get("saved") ?? { name: null, same: false },
    sent: "", alive: "live", newest: null, good: null, counting: false, since: null, stopped: false, pop: null, failed: null, open: {}, show: false, seed: 0,
    histograms: new Map(), chips: new Map(), suggested: new Map(), messages: new Map(), asked: new Map(),
    by: "", parts: null, sample: null, answer: null, who: "", drawn: false,
  };
  const b = { model, python, root, s: state, cat: catalogueOf(model), place: model.get("place") ?? {}, problems: new Map() };
  const uid = newId();
  const fin = () => finished(state.doc, (leaf) => isFinished(b.cat, leaf));
  const jsonOf = () => JSON.stringify(plain(fin()));
  state.sent = jsonOf();
  if (state.saved.same) state.base = state.sent;

  // --- what the parts ask of the view -----------------------------------------------------------------------------
  b.live = () => state.alive !== "gone";
  b.pending = () => state.since !== null;
  b.counted = () => (state.newest?.rev === state.rev ? state.newest : null);
  b.figures = () => state.good;
  b.dimmed = () => state.counting || state.stopped || state.alive === "gone" || (state.alive === "busy" && b.pending()) || b.problems.size > 0;
  b.node = (id) => (b.afterProblem.has(id) ? null : (state.good?.nodes?.[id] ?? null));
  b.wrong = (leaf) => b.problems.has(leaf.id);
  b.wrongCount = () => b.problems.size;
  b.draftCount = () => rows(state.doc).filter(({ leaf }) => !isFinished(b.cat, leaf)).length;
  b.domId = (leaf, what) => `icx-${uid}-${leaf.id}-${what}`;
  b.messageId = (leaf) => b.domId(leaf, "m");
  b.rowOf = (leafId) => rows(state.doc).find(({ leaf }) => leaf.id === leafId)?.row ?? leafId;
  b.named = (leaf, what) => `${what}, rule ${b.order.get(leaf.id) ?? ""}: ${b.cat.label(leaf.field) || "new"}`;
  b.rowName = (node) => (isGroup(leafOf(node)) ? `group ${b.groupOrder.get(node.id) ?? ""}: ${COMBINED[combinedAs(node)]}` : `rule ${b.order.get(leafOf(node).id) ?? ""}: ${b.cat.label(leafOf(node).field) || "new"}`);
  b.isOpen = (kind, id) => state.pop?.kind === kind && state.pop.id === id;
  b.splits = (entry) => !entry.pii && (entry.breakdown ?? ["text", "boolean", "set"].includes(entry.type));
  b.isSaved = () => state.base !== null && state.base === state.sent && !b.draftCount();
  b.unsaved = () => (state.base === null || state.baseAt === null ? 0 : Math.abs(state.past.length - state.baseAt));
  b.waited = () => ((performance.now() - (state.since ?? performance.now())) / 1000).toFixed(1);

  // What leaves a field by pressing a button commits between press and release: nothing may move under the pointer then.
  let pressed = false;
  let late = false;
  const press = (event) => {
    if (event.target.closest?.("select, input, textarea")) return;
    pressed = true;
    setTimeout(release, 1000);
  };
  function release() {
    pressed = false;
    if (late) setTimeout(draw);
    late = false;
  }

  // --- drawing ----------------------------------------------------------------------------------------------------
  function order() {
    b.order = new Map(rows(state.doc).map(({ leaf }, at) => [leaf.id, at + 1]));
    b.groupOrder = new Map();
    const walk = (node) => node.rules.forEach((each) => {
      if (!isGroup(each) || isNot(each)) return;
      b.groupOrder.set(each.id, b.groupOrder.size + 1);
      walk(each);
    });
    walk(state.doc);
  }

  /** What is wrong, by rule: Python's word when it has read this document, else what can be seen here. */
  function judge() {
    const told = b.counted()?.errors ?? {};
    b.problems = new Map();
    b.afterProblem = new Set();
    const walk = (node) => {
      if (!isGroup(node)) {
        const seen = isFinished(b.cat, node) ? problem(b.cat, node) : null;
        if (told[node.id]) b.problems.set(node.id, told[node.id]);
        else if (seen) b.problems.set(node.id, { message: seen });
      } else if (told[node.id] && !isNot(node)) b.problems.set(node.id, told[node.id]);
      (node.rules ?? []).forEach(walk);
      // Later rows wait for the first one that is wrong: their numbers were counted behind another rule.
      if (b.problems.size && node.id !== state.doc.id) b.afterProblem.add(node.id);
    };
    walk(state.doc);
  }

  function draw() {
    if (pressed) {
      late = true;
      return;
    }
    order();
    judge();
    const view = h("div", { class: "body" }, headView(b), noteView(b), heroView(b), treeView(b), h("div", { class: "g13 below", key: "below" }, breakdownView(b), sampleView(b)), foldsView(b));
    renew(body, view);
    state.drawn = true;
  }

  b.change = (changes) => {
    Object.assign(state, changes);
    draw();
  };

  // --- editing ----------------------------------------------------------------------------------------------------
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
    if (focus) focusKey(root, focus);
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
    if (!next || !focusKey(root, `${next}:menu`)) focusKey(root, `${state.doc.id}:add-rule`);
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
      speech.say(`Moved ${way}, now ${b.rowName(find(state.doc, id))}`);
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
    if (!root.contains(document.activeElement)) focusKey(root, "undo");
  }

  b.undo = () => step(state.past, state.future);
  b.redo = () => step(state.future, state.past);

  function settleDocument() {
    const next = fin();
    const text = JSON.stringify(plain(next));
    if (text !== state.sent) {
      state.sent = text;
      send(next);
    }
    draw();
    wants();
  }

  function send(next) {
    state.rev = Math.max(state.rev, model.get("rev") ?? 0) + 1;
    state.since = performance.now();
    state.stopped = false;
    model.set("tree", next);
    model.set("rev", state.rev);
    model.save_changes();
    heart.ping();
  }

  b.recount = () => {
    send(fin());
    draw();
  };

  b.stop = () => {
    python.ask("stop");
    b.change({ stopped: true, counting: false, since: null });
    focusKey(root, "recount");
  };

  // --- what opens -------------------------------------------------------------------------------------------------
  b.toggle = (kind, id) => {
    if (b.isOpen(kind, id)) b.close();
    else {
      state.pop = { kind, id, search: "", answer: null };
      draw();
      if (kind === "values" || kind.endsWith("message")) lookUp();
    }
  };

  b.close = (focus) => {
    if (!state.pop) return;
    state.pop = null;
    draw();
    if (focus) focusKey(root, focus);
  };

  async function lookUp() {
    const { pop: open } = state;
    const leaf = find(state.doc, open.id);
    if (!leaf) return;
    const key = open.kind.endsWith("message") ? "message" : (leaf.key ?? null);
    const told = await python.latest("values", { node: leaf.id, rule: fin(), field: leaf.field, key, search: open.search, limit: 50 });
    if (told === null || state.pop !== open) return;
    open.answer = told.ok ? told : { error: told.error, values: [] };
    if (key === "message") for (const each of told.values ?? []) state.messages.set(each.value, each.label ?? String(each.value));
    draw();
  }

  const searchSoon = settled(150, () => state.pop && lookUp());
  b.search = (text) => {
    state.pop.search = text;
    draw();
    searchSoon();
  };

  b.suggest = async (leaf) => {
    if (state.suggested.has(leaf.id)) return;
    const told = await python.ask("values", { node: leaf.id, rule: fin(), field: leaf.field, key: leaf.key ?? null, search: "", limit: 50 });
    state.suggested.set(leaf.id, told.ok ? told.values : []);
    draw();
  };

  b.openSaveAs = () => b.change({ pop: { kind: "save-as", id: "", name: state.name, description: "" } });

  b.save = async (name, description) => {
    if (!name) return;
    const text = state.sent;
    const at = state.past.length;
    b.close("save-as");
    const told = await python.ask("save", { rule: fin(), name, description });
    if (!told.ok) {
      b.change({ failed: told.error });
      return;
    }
    Object.assign(state, { failed: null, base: text, baseAt: at, name: told.name ?? name, saved: { name: told.name ?? name, same: text === state.sent } });
    speech.say(`Saved as ${state.name}`);
    draw();
  };

  // --- answers ----------------------------------------------------------------------------------------------------
  function heard(answers) {
    if (!answers || answers.rev === undefined || answers.rev !== state.rev) return;
    if (state.newest && answers.rev < state.newest.rev) return;
    const more = state.newest?.rev === answers.rev && state.newest.total === answers.total; // the size without machines comes when the total has been told
    state.newest = answers;
    Object.assign(state, { since: null, counting: false, stopped: false });
    if (answers.total !== null && answers.total !== undefined) {
      state.good = answers;
      if (more) {
        draw();
        return;
      }
      const was = answers.before === null || answers.before === undefined ? "" : `, ${number(answers.total - answers.before)} by the last edit`;
      if (state.drawn) speech.say(`${number(answers.total)} contacts in the audience${was}`);
    }
    if (!state.drawn) return;
    draw();
    const wrong = b.wrongCount();
    if (wrong) speech.say(`${wrong} ${wrong === 1 ? "rule" : "rules"} to fix`);
    wants();
    below();
  }

  /** Ask for what rows show beside their controls, once for each field and number of people who reach them. */
  function wants() {
    for (const { row, leaf } of rows(state.doc)) {
      if (!leaf.field || b.problems.has(leaf.id)) continue;
      const type = b.cat.type(leaf);
      const { input } = b.cat.operator(leaf);
      const reach = state.good?.nodes?.[row]?.before ?? "new";
      const drawn = type === "integer" || type === "number";
      if (drawn && (input === "one" || input === "pair")) once(leaf, "histogram", `${leaf.field}|${leaf.key}|${reach}`, { key: leaf.key ?? null }, (told) => state.histograms.set(leaf.id, told));
      if (input === "many" && leaf.value?.length) once(leaf, "values", `${leaf.field}|${leaf.key}|${reach}|${JSON.stringify(leaf.value)}`, { key: leaf.key ?? null, search: "", limit: leaf.value.length, only: leaf.value }, (told) => state.chips.set(leaf.id, told.values));
      if (type === "event" && leaf.message && !state.messages.has(leaf.message)) once(leaf, "values", `message|${leaf.message}`, { key: "message", search: "", limit: 1, only: [leaf.message] }, (told) => told.values.forEach((each) => state.messages.set(each.value, each.label ?? String(each.value))));
    }
  }

  async function once(leaf, verb, sig, given, keep) {
    const key = `${verb}:${leaf.id}`;
    if (state.asked.get(key) === sig || !b.live()) return;
    state.asked.set(key, sig);
    const told = await python.ask(verb, { node: leaf.id, rule: fin(), field: leaf.field, ...given });
    if (state.asked.get(key) !== sig || !told.ok) return;
    keep(told);
    draw();
  }

  /** The parts below the tree: of the newest count, or left as they are. */
  async function below() {
    const { rev } = state;
    if (!b.counted() || b.counted().total === null || b.counted().total === undefined) return;
    if (!state.by) state.by = (b.cat.all.find((each) => b.splits(each) && /tier|engage/.test(each.name)) ?? b.cat.all.find((each) => b.splits(each)))?.name ?? "";
    const rule = fin();
    if (state.by) python.latest("breakdown", { rule, by: state.by }).then((told) => told && rev === state.rev && b.change({ parts: told.ok ? told : { error: told.error } }));
    sampleOf(rule, rev);
  }

  async function sampleOf(rule, rev) {
    const told = await python.latest("sample", { rule, rev, n: SHOWN_MEMBERS, show: state.show, seed: state.seed });
    if (told && rev === state.rev) b.change({ sample: told.ok ? told : { error: told.error } });
  }

  b.changeBy = (by) => {
    b.change({ by });
    below();
  };
  b.draw = () => {
    state.seed += 1;
    sampleOf(fin(), state.rev);
  };
  b.show = (show) => {
    // Unmasked rows leave the view at once when they are masked again.
    b.change(show ? { show } : { show, sample: state.sample && { ...state.sample, rows: [] } });
    sampleOf(fin(), state.rev);
  };

  b.why = async (who) => {
    if (!who) return;
    Object.assign(state, { who, answer: null, open: { ...state.open, why: true } });
    draw();
    focusKey(root, "who");
    root.querySelector("[data-key='who']")?.scrollIntoView({ block: "nearest" });
    const told = await python.latest("why", { rule: fin(), who });
    if (told) b.change({ answer: told.ok ? told : { error: told.error } });
  };

  b.goTo = (id) => {
    const row = root.querySelector(`[data-key="${CSS.escape(`row:${b.rowOf(id)}`)}"]`);
    const control = row?.querySelector("[aria-invalid=true]") ?? row?.querySelector("select, input, button");
    control?.focus();
    row?.scrollIntoView({ block: "nearest" });
  };

  /** The rule as typed: Python's own words while they fit the document, else its JSON. */
  b.pythonText = () => {
    const told = b.counted();
    if (told?.python) return told.python;
    const name = JSON.stringify(state.name || "a name");
    return `from icx.rules import from_json\n\nrule = from_json(${pythonLiteral(plain(fin()))})\nws.audience(${name}, rule)`;
  };

  b.copyButton = (label, text, key) =>
    h("span", { class: "copy" }, button(b.s.copied === key ? "Copied" : label, async () => {
      try {
        await navigator.clipboard.writeText(text());
        state.copied = key;
      } catch {
        state.open.python = true;
      }
      draw();
      speech.say(state.copied === key ? "Copied" : "It could not be copied; it stands under Python");
    }, { shape: b.s.copied === key ? "check" : "copy", key }));

  // --- the other side ---------------------------------------------------------------------------------------------
  const on = {
    "change:answers": () => heard(model.get("answers")),
    "change:rev": () => {
      const rev = model.get("rev");
      if (rev === state.rev) return;
      const doc = withIds(model.get("tree"));
      state.past.push({ doc: state.doc, label: "took what code set" });
      Object.assign(state, { future: [], doc, rev, since: performance.now(), stopped: false });
      state.sent = jsonOf();
      draw();
      heard(model.get("answers"));
    },
    "change:catalogue": () => {
      b.cat = catalogueOf(model);
      draw();
    },
    "change:operators": () => {
      b.cat = catalogueOf(model);
      draw();
    },
    "change:place": () => {
      b.place = model.get("place") ?? {};
      draw();
    },
    "change:name": () => b.change({ name: model.get("name") ?? "" }),
    "change:saved": () => {
      state.saved = model.get("saved") ?? { name: null, same: false };
      if (state.saved.same && !b.draftCount()) Object.assign(state, { base: state.sent, baseAt: state.past.length });
      draw();
    },
  };
  for (const [event, listener] of Object.entries(on)) model.on(event, listener);

  const heart = pulse(model, (alive) => {
    Object.assign(state, { alive });
    if (alive === "live") state.asked.clear();
    draw();
    if (alive === "gone") speech.say("The kernel does not answer. Your rule is kept here.");
    if (alive === "live") {
      wants();
      below();
    }
  });

  // A count that is quick changes nothing but the numbers; a slow one says so after 150 ms and goes on saying how long.
  const clock = setInterval(() => {
    if (state.since === null || state.stopped) return;
    const slow = performance.now() - state.since > 150 && state.alive === "live" && !b.problems.size;
    if (slow !== state.counting) {
      state.counting = slow;
      draw();
    } else if (slow) {
      const line = root.querySelector(".since");
      if (line) line.textContent = `counting… ${b.waited()} s`;
    }
  }, 100);

  const inText = (target) => target.matches("input:not([type=checkbox], [type=radio]), textarea");
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.pop) {
      const { kind, id } = state.pop;
      event.stopPropagation();
      b.close({ menu: `${id}:menu`, values: `${id}:add`, message: `${id}:message`, "first message": `${b.rowOf(id)}:menu`, "save-as": "save-as" }[kind]);
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.stopPropagation();
      if (inText(event.target)) return;
      event.preventDefault();
      if (event.shiftKey) b.redo();
      else b.undo();
    }
  }, true);

  const outside = (event) => {
    if (state.pop && !event.composedPath().some((each) => each.classList?.contains("pop") || each.getAttribute?.("aria-expanded") === "true")) b.close();
  };
  const follow = () => {
    for (const each of root.querySelectorAll(".pop")) each.icxAfter?.(each);
  };
  root.addEventListener("pointerdown", press, true);
  root.addEventListener("click", () => (pressed = false), true);
  document.addEventListener("pointerup", release);
  document.addEventListener("pointercancel", release);
  document.addEventListener("pointerdown", outside);
  window.addEventListener("scroll", follow, true);
  window.addEventListener("resize", follow);

  draw();
  heard(model.get("answers"));
  if (state.good === null && state.newest === null) state.since = performance.now();
  draw();
  wants();

  return () => {
    clearInterval(clock);
    heart.close();
    python.close();
    for (const [event, listener] of Object.entries(on)) model.off(event, listener);
    document.removeEventListener("pointerup", release);
    document.removeEventListener("pointercancel", release);
    document.removeEventListener("pointerdown", outside);
    window.removeEventListener("scroll", follow, true);
    window.removeEventListener("resize", follow);
  };
}

export default { render };
