// The audience builder: holds the document while it is edited, asks Python for numbers, and draws.

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
    by: "", parts: null, sample: null, answer: null, miss: null, slow: new Set(), draft: null, held: null, drag: null, who: "", drawn: false,
  };
  const b = { model, python, speech, root, s: state, cat: catalogueOf(model), place: model.get("place") ?? {}, problems: new Map() };
  const uid = newId();
  b.fin = () => finished(state.doc, (leaf) => isFinished(b.cat, leaf));
  const jsonOf = () => JSON.stringify(plain(b.fin()));
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
    if (event.target.closest?.("select, input, textarea, .plot, .grip")) return; // what is dragged is drawn as it goes
    pressed = true;
    setTimeout(release, 1000);
  };
  function release() {
    pressed = false;
    if (late) setTimeout(b.draw);
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

  b.draw = () => {
    if (pressed) {
      late = true;
      return;
    }
    order();
    judge();
    const view = h("div", { class: "body" }, headView(b), noteView(b), heroView(b), treeView(b), h("div", { class: "g13 below", key: "below" }, breakdownView(b), sampleView(b)), foldsView(b));
    renew(body, view);
    state.drawn = true;
  };

  b.change = (changes) => {
    Object.assign(state, changes);
    b.draw();
  };

  editing(b);
  answering(b);
  brushing(b);
  dragging(b);

  // --- what opens -------------------------------------------------------------------------------------------------
  b.toggle = (kind, id) => {
    if (b.isOpen(kind, id)) b.close();
    else {
      state.pop = { kind, id, search: "", answer: null };
      b.draw();
      if (kind === "values" || kind.endsWith("message")) b.lookUp();
    }
  };

  b.close = (focus) => {
    if (!state.pop) return;
    state.pop = null;
    b.brushed();
    b.draw();
    if (focus) focusKey(root, focus);
  };

  b.openSaveAs = () => b.change({ pop: { kind: "save-as", id: "", name: state.name, description: "" } });

  b.save = async (name, description) => {
    if (!name) return;
    const text = state.sent;
    const at = state.past.length;
    b.close("save-as");
    const told = await python.ask("save", { rule: b.fin(), name, description });
    if (!told.ok) {
      b.change({ failed: told.error });
      return;
    }
    Object.assign(state, { failed: null, base: text, baseAt: at, name: told.name ?? name, saved: { name: told.name ?? name, same: text === state.sent } });
    speech.say(`Saved as ${state.name}`);
    b.draw();
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
    return `from icx.rules import from_json\n\nrule = from_json(${pythonLiteral(plain(b.fin()))})\nws.audience(${name}, rule)`;
  };

  b.copyButton = (label, text, key) =>
    h("span", { class: "copy" }, button(b.s.copied === key ? "Copied" : label, async () => {
      try {
        await navigator.clipboard.writeText(text());
        state.copied = key;
      } catch {
        state.open.python = true;
      }
      b.draw();
      speech.say(state.copied === key ? "Copied" : "It could not be copied; it stands under Python");
    }, { shape: b.s.copied === key ? "check" : "copy", key }));

  // --- the other side ---------------------------------------------------------------------------------------------
  const on = {
    "change:answers": () => b.heard(model.get("answers")),
    "change:rev": () => {
      const rev = model.get("rev");
      if (rev === state.rev) return;
      const doc = withIds(model.get("tree"));
      state.past.push({ doc: state.doc, label: "took what code set" });
      Object.assign(state, { future: [], doc, rev, since: performance.now(), stopped: false });
      state.sent = jsonOf();
      b.draw();
      b.heard(model.get("answers"));
    },
    "change:catalogue": () => {
      b.cat = catalogueOf(model);
      b.draw();
    },
    "change:operators": () => {
      b.cat = catalogueOf(model);
      b.draw();
    },
    "change:place": () => {
      b.place = model.get("place") ?? {};
      b.draw();
    },
    "change:name": () => b.change({ name: model.get("name") ?? "" }),
    "change:saved": () => {
      state.saved = model.get("saved") ?? { name: null, same: false };
      if (state.saved.same && !b.draftCount()) Object.assign(state, { base: state.sent, baseAt: state.past.length });
      b.draw();
    },
  };
  for (const [event, listener] of Object.entries(on)) model.on(event, listener);

  b.heart = pulse(model, (alive) => {
    Object.assign(state, { alive });
    if (alive === "live") state.asked.clear();
    b.draw();
    if (alive === "gone") speech.say("The kernel does not answer. Your rule is kept here.");
    if (alive === "live") {
      b.wants();
      b.below();
    }
  });

  // A count that is quick changes nothing but the numbers; a slow one says so after 150 ms and goes on saying how long.
  const clock = setInterval(() => {
    b.tick();
    if (state.since === null || state.stopped) return;
    const slow = performance.now() - state.since > 150 && state.alive === "live" && !b.problems.size;
    if (slow !== state.counting) {
      state.counting = slow;
      b.draw();
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
      b.close({ menu: `${id}:menu`, values: `${id}:add`, brush: `${id}:brush`, message: `${id}:message`, "first message": `${b.rowOf(id)}:menu`, "save-as": "save-as" }[kind]);
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

  b.draw();
  b.heard(model.get("answers"));
  if (state.good === null && state.newest === null) state.since = performance.now();
  b.draw();
  b.wants();

  return () => {
    clearInterval(clock);
    b.letGo();
    b.heart.close();
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
