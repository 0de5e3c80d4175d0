// A sync by clicking. JS owns the draft while it is edited, Python judges each state of it; a stale verdict is dropped.
// People are only ever in counts here: the preview says how many, never who.

const WAY = [["both", "both ways"], ["a>b", "to the right"], ["b>a", "to the left"]];

function render({ model, el }) {
  const uid = ownId("sync");
  const speech = speaker();
  const python = questions(model);
  const view = { kernel: "live", looking: {}, faults: {}, asking: "", fault: null, preview: null, saved: "", copied: false };
  const body = h("div");
  const root = h("div", { class: "icx icx-mapping icx-sync", role: "region", "aria-label": "Sync" }, body, speech.element);
  keepKeys(root);
  el.append(root);
  const heart = pulse(model, (state) => { view.kernel = state; draw(); });
  const gone = () => view.kernel === "gone";
  let count = 0;
  const fresh = () => `n${++count}-${Date.now().toString(36)}`;
  const judged = () => model.get("answers").rev === model.get("rev");

  function put(part, focus = null) {
    model.set("draft", { ...model.get("draft"), ...part });
    model.set("rev", model.get("rev") + 1);
    model.save_changes();
    view.preview = null;
    view.saved = "";
    draw();
    if (focus) focusKey(root, focus);
  }

  async function look(name) {
    if (!name || view.looking[name] || model.get("ends")[name]) return;
    view.looking[name] = true;
    view.faults[name] = null;
    draw();
    const told = await python.latest("look", { name }, `look-${name}`);
    view.looking[name] = false;
    if (told && !told.ok) view.faults[name] = told.error;
    speech.say(told?.ok ? `${name} answers` : `${name} does not let us in`);
    draw();
  }

  async function act(verb, given, then) {
    if (view.asking || gone()) return;
    Object.assign(view, { asking: verb, fault: null });
    draw();
    const told = await python.ask(verb, given);
    view.asking = "";
    if (!told.ok) view.fault = told.error;
    else then(told);
    draw();
  }

  const save = (change = false) => act("save", { change }, (told) => { view.saved = told.name; speech.say(`Saved ${told.name}`); });
  const preview = () => act("preview", {}, (told) => { view.preview = told; speech.say("The preview is there"); });

  function choose(side, name) {
    put({ [side]: name });
    look(name);
  }

  function system(side) {
    const draft = model.get("draft");
    const name = draft[side];
    const other = side === "a" ? draft.b : draft.a;
    const end = model.get("ends")[name];
    const pairs = model.get("facts").systems.filter((one) => one.name !== other).map((one) => [one.name, `${one.name} · ${one.words}`]);
    const fault = view.faults[name];
    const state = !name ? null : fault ? pill("bad", "no way in") : end ? pill("ok", "authorised") : view.looking[name] ? pill("", "trying the login…", "clock") : pill("", "not tried", "clock");
    const again = name && !view.looking[name] && !end ? button("Try", () => look(name), { key: `look-${side}` }) : null;
    return h("section", { class: "panel", key: `end-${side}`, "aria-label": side === "a" ? "First system" : "Second system" },
      h("div", { class: "ph" }, h("h3", {}, side === "a" ? "First system" : "Second system"), state),
      h("div", { class: "row wrap" }, picker(`system-${side}`, side === "a" ? "First system" : "Second system", name, pairs, (value) => choose(side, value), "choose a system"), again),
      end ? h("p", { class: "small muted" }, end.words) : null, fault ? failure(fault) : null);
  }

  function fieldRow(row, at) {
    const draft = model.get("draft");
    const ends = model.get("ends");
    const set = (part) => put({ lines: draft.lines.map((one) => (one.id === row.id ? { ...one, ...part } : one)) });
    const wrong = model.get("answers").rows?.[row.id];
    const remove = () => put({ lines: draft.lines.filter((one) => one.id !== row.id) }, "add-line");
    return h("div", { class: `map${wrong ? " err" : ""}`, key: `line-${row.id}`, role: "group", "aria-label": `Field ${at + 1}` },
      picker(`line-${row.id}-a`, `Field of ${draft.a}`, row.a, columnsOf(ends[draft.a]), (a) => set({ a }), "choose a field"),
      icon("arrow"),
      picker(`line-${row.id}-b`, `Field of ${draft.b}`, row.b, columnsOf(ends[draft.b]), (b) => set({ b }), "choose a field"),
      h("span", { class: "blank" }, picker(`line-${row.id}-way`, "Which way", row.way, WAY, (way) => set({ way }))),
      button("", remove, { shape: "x", label: `Remove field ${at + 1}`, kind: "more", key: `line-${row.id}-remove` }),
      h("div", { class: "msg" },
        h("label", { class: "row" }, h("input", { type: "checkbox", key: `line-${row.id}-blank`, checked: row.blank, on: { change: (event) => set({ blank: event.target.checked }) } }), "an emptied value empties the other"),
        wrong ? h("span", { class: "t-bad", role: "alert" }, wrong) : null));
  }

  function fields() {
    const draft = model.get("draft");
    const answers = model.get("answers");
    const own = new Set(draft.lines.map((one) => `${one.a}=${one.b}`));
    const alike = draft.alike ? (answers.mapped ?? []).filter((one) => !own.has(`${one.a}=${one.b}`)) : [];
    const words = (one) => `${one.a} ${{ both: "=", "a>b": "→", "b>a": "←" }[one.way]} ${one.b}`;
    const add = () => { const id = fresh(); put({ lines: [...draft.lines, { id, a: "", b: "", way: "both", blank: false, winner: "" }] }, `line-${id}-a`); };
    const toggle = (event) => put({ alike: event.target.checked });
    const winners = [["a", draft.a || "the first"], ["b", draft.b || "the second"]];
    return h("section", { class: "panel", "aria-label": "Fields", key: "fields" }, h("div", { class: "ph" }, h("h3", {}, "Fields"), h("span", { class: "label" }, "the address and the status never travel")),
      h("label", { class: "row" }, h("input", { type: "checkbox", key: "alike", checked: draft.alike, on: { change: toggle } }), "Fields both have by the same name travel by themselves"),
      alike.length ? h("p", { class: "small muted" }, `These do: ${alike.map(words).join(" · ")}`) : null,
      draft.lines.map(fieldRow), h("div", { class: "row", style: { "padding-top": "8px" } }, button("Field", add, { shape: "plus", kind: "add", key: "add-line" })),
      h("div", { class: "row wrap", style: { "padding-top": "8px" } }, h("span", {}, "Where both differ at the first meeting, or changed on both sides, the value of"), picker("winner", "Winner", draft.winner, winners, (winner) => put({ winner })), h("span", {}, "counts. An empty value never wins.")));
  }

  function rules() {
    const draft = model.get("draft");
    const put_rule = (id) => (rule, focus) => put({ rules: draft.rules.map((one) => (one.id === id ? rule : one)) }, focus ? `${focus}-${rule[focus].at(-1).id}-${focus === "when" ? "about" : "kind"}` : null);
    const each = draft.rules.map((rule, at) => rulePanel({
      facts: model.get("facts"), draft, ends: model.get("ends"), rule, at, wrong: model.get("answers").rows?.[rule.id], fresh,
      put: put_rule(rule.id), drop: () => put({ rules: draft.rules.filter((one) => one.id !== rule.id) }, "add-rule"),
    }));
    const add = () => { const id = fresh(); put({ rules: [...draft.rules, { id, side: "a", does: "create", when: [], then: [] }] }, `rule-${id}-side`); };
    return [h("div", { class: "row wrap", key: "rules-head" }, h("h3", {}, "Rules"), h("span", { class: "small muted" }, "conditions of one rule hold together; several rules of a side are alternatives. Who matches none is updated no more; nobody is ever deleted.")),
      each, h("div", { class: "row", key: "rules-add" }, button("Rule", add, { shape: "plus", kind: "add", key: "add-rule" }))];
  }

  /** How a no of one side shows on the other: never more than a mark there; an unsubscribe is a rule's own action. */
  function mirrors() {
    const draft = model.get("draft");
    if (!draft.a || !draft.b) return null;
    const row = (side) => {
      const here = draft[side];
      const there = draft[side === "a" ? "b" : "a"];
      const end = model.get("ends")[here];
      const pairs = [["none", "not at all"], ...columnsOf(end, true).map(([name, words]) => [`field ${name}`, `yes in the field ${words}`]), ...(end?.can?.includes("tags") ? [[`tag unsubscribed in ${there}`, `as the tag “unsubscribed in ${there}”`]] : [])];
      const set = (how) => { const { [side]: _, ...rest } = draft.unsubscribes; put({ unsubscribes: how ? { ...rest, [side]: how } : rest }); };
      return h("div", { class: "row wrap", key: `mirror-${side}` }, h("span", {}, `Who says no in ${there} shows in ${here}`), picker(`mirror-${side}-how`, `How a no shows in ${here}`, draft.unsubscribes[side] ?? "", pairs, set, "by itself: a field or tag made for it"));
    };
    return h("section", { class: "panel", key: "mirrors", "aria-label": "Unsubscribes" }, h("div", { class: "ph" }, h("h3", {}, "Unsubscribes"), h("span", { class: "label" }, "nobody is unsubscribed by this, nobody subscribed again")), row("a"), row("b"));
  }

  function basis() {
    const draft = model.get("draft");
    const mails = [draft.a, draft.b].some((name) => model.get("ends")[name] && model.get("ends")[name].kind !== "table");
    if (!mails) return null;
    const id = `${uid}-basis`;
    const later = settled(300, (value) => put({ basis: value }));
    return h("section", { class: "panel", key: "basis" }, h("div", { class: "ph" }, h("h3", {}, "People who are made where they can be mailed")),
      h("div", { class: "typed row wrap" }, h("label", { for: id }, "On what basis"), h("input", { id, key: "basis", value: draft.basis, placeholder: "they signed up in the shop", style: { width: "min(100%, 360px)" }, on: { input: (event) => later(event.target.value) } })));
  }

  function seen() {
    const told = view.preview;
    if (!told) return null;
    const tile = ([words, value]) => h("div", { class: "tile" }, h("span", { class: "label" }, words), h("b", {}, number(value)));
    const counts = (one) => Object.entries(one.counts).map(([verb, each]) => `${number(each)} ${verb}`).join(" · ") || "nothing";
    const write = (one) => h("li", {}, h("b", {}, one.system), `: ${counts(one)}; ${number(one.people)} ${one.people === 1 ? "person" : "people"} there, ${number(one.calls)} ${one.calls === 1 ? "call" : "calls"}`);
    return h("section", { class: "panel", "aria-label": "Preview", key: "preview" },
      h("div", { class: "ph" }, h("h3", {}, told.first ? "First run: everybody of both was read, nothing was sent" : "Preview: nothing was sent"), h("span", { class: "label" }, told.plan)),
      h("div", { class: "tiles fold" }, told.states.map(tile)), h("ul", {}, told.writes.map(write)),
      told.reasons.length ? h("ul", { class: "small" }, told.reasons.map(([why, each]) => h("li", {}, `${number(each)}: ${why}`))) : null,
      told.told.map((words) => note("warn", words)), told.stops.map((one) => note("warn", one.words, one.question)),
      h("pre", { class: "sql" }, told.python));
  }

  function foot() {
    const answers = model.get("answers");
    const ready = answers.ok && judged();
    const why = gone() ? "no kernel answers" : "it is not complete yet";
    const differs = view.fault?.code === "sync-change";
    return h("div", { class: "applybar row wrap", key: "foot" },
      button(view.asking === "save" ? "Saving…" : "Save", () => save(), { key: "save", kind: "primary", disabled: !ready || gone() || Boolean(view.asking), why }),
      differs ? button("Replace the saved one", () => save(true), { key: "replace" }) : null,
      button(view.asking === "preview" ? "Reading both…" : "Preview", preview, { key: "preview-go", disabled: !ready || gone() || Boolean(view.asking), why }),
      view.saved ? pill("ok", `Saved ${view.saved}`) : null);
  }

  function draw() {
    const facts = model.get("facts");
    const draft = model.get("draft");
    if (!facts.systems || !draft.rules) return;
    const answers = model.get("answers");
    const state = !judged() ? pill("", gone() ? "no kernel answers; run the cell again" : "checking…", "clock") : answers.ok ? pill("ok", "Can be saved") : pill("warn", "Not complete");
    const later = settled(300, (value) => put({ name: value }));
    renew(body, h("div", { class: "stack" },
      h("div", { class: "head" }, h("div", {}, h("div", { class: "row wrap" }, h("h2", {}, "Sync"), state),
        h("div", { class: "typed row wrap" }, h("label", { for: `${uid}-name` }, "Called"), h("input", { id: `${uid}-name`, key: "name", value: draft.name, placeholder: "crm and acme", on: { input: (event) => later(event.target.value) } })))),
      h("div", { class: "g31", style: { "grid-template-columns": "minmax(0,1fr) minmax(0,1fr)" } }, system("a"), system("b")),
      fields(), rules(), mirrors(), basis(),
      (answers.told ?? []).map((words) => note("info", words)),
      answers.problem?.message && draft.a && draft.b && draft.name ? failure(answers.problem) : null, view.fault ? failure(view.fault) : null, foot(), seen(),
      h("details", { key: "code" }, h("summary", { key: "code-open" }, "As Python, and in words"), h("pre", { class: "sql" }, answers.python ?? ""), h("ul", { class: "small" }, (answers.words ?? []).map((line) => h("li", {}, line))))));
  }

  const deaf = following(model, { answers: draw, draft: draw, facts: draw, ends: draw });
  draw();
  for (const side of ["a", "b"]) look(model.get("draft")[side]);
  return () => {
    deaf();
    heart.close();
    python.close();
  };
}

export default { render };
