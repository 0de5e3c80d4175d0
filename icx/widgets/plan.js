// The plan: what Python says in `said` (the plan) and `at` (where it stands), in the words and order of the saved page.
// Answers to its questions and people's addresses live in this view only, never in state.

const STEP = { done: ["ok", "done"], now: ["running", "under way"], next: ["clock", "to come"], stopped: ["pause", "stopped"] };
const ROWS = 20;

function crumbs(said, busy) {
  const parts = said.crumbs.map(([before, name, after]) => h("span", {}, before, name ? h("b", {}, name) : null, after));
  if (busy) parts.push(h("span", {}, "waiting for the running cell"));
  return h("div", { class: "crumbs" }, parts.flatMap((part, n) => (n ? [h("span", {}, "·"), part] : [part])));
}

function tiles(each) {
  const tile = (one) =>
    h("div", { class: `tile${one.big ? " big" : ""}` },
      h("span", { class: "label" }, one.swatch ? h("span", { class: `sw ${one.swatch}` }) : null, one.label),
      h("b", {}, number(one.value)), h("span", { class: "sub" }, one.sub));
  return h("div", { class: `tiles fold${each.length === 5 ? " five" : ""}` }, each.map(tile));
}

function shift(said) {
  const rows = said.rows.flatMap((row) => {
    const rest = said.scale - row.parts.reduce((sum, [, count]) => sum + count, 0);
    const parts = row.parts.filter(([, count]) => count).map(([name, count]) => h("i", { class: name, style: { flex: String(count) } }));
    if (rest) parts.push(h("i", { class: "gap", style: { flex: String(rest) } }));
    return [h("span", { class: "small" }, h("b", {}, row.name), ` ${number(row.total)}`), h("div", { class: "splitbar" }, parts), h("span", { class: "small muted" }, row.side)];
  });
  return h("div", { class: "shift", role: "img", "aria-label": said.label }, rows);
}

function rowsTable(heads, rows, numbers = []) {
  const cell = (name) => (value, at) => h(name, { class: numbers.includes(at) ? "num" : "", scope: name === "th" ? "col" : null }, value);
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map(cell("th")))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td"))))));
}

function checksPanel(said) {
  const line = (one) => h("div", { class: "row small" }, icon(one.kind), h("span", {}, h("b", {}, one.name), ` ${one.text}`));
  return panel("Checks of what this plan uses", pill(said.kind, said.words), said.lines.map(line), h("p", { class: "small muted" }, said.fields));
}

function costPanel(said) {
  const lines = said.cost.lines.flatMap(([what, count]) => [h("dt", {}, what), h("dd", { class: "num" }, count)]);
  const sum = [h("dt", { class: "sum" }, said.cost.calls), h("dd", { class: "num sum" }, said.cost.time)];
  return panel("Cost", "", h("dl", { class: "small costs" }, lines, sum),
    said.cost.left ? h("p", { class: "small muted" }, said.cost.left) : null, h("p", { class: "small muted" }, said.mail));
}

function stepsList(at) {
  const item = (step) =>
    h("li", { class: step.state }, icon(STEP[step.state][0], STEP[step.state][1]),
      h("span", {}, h("b", {}, step.headline), h("br"), h("span", { class: "small muted" }, step.sub)),
      h("span", { class: "num small muted" }, step.side));
  return h("ul", { class: "steps", "aria-label": "Steps" }, at.steps.map(item));
}

function batchesPart(at) {
  const top = h("div", { class: "ph" }, h("h3", {}, "Batches"), h("span", { class: "label" }, "newest first"));
  if (!at.batches.length) return [top, h("p", { class: "small muted" }, "Nothing has been sent yet.")];
  const row = (one) => [number(one.batch), h("span", { class: `row ${one.kind}` }, icon(one.kind), one.words), number(one.rows), one.at];
  return [top, rowsTable(["Batch", "Outcome", "People", "At"], at.batches.map(row), [2, 3])];
}

function sums(said) {
  const terms = said.numbers.flatMap(([sign, label, value]) => [
    sign ? h("span", { class: "sign muted" }, sign) : null,
    h("div", {}, h("div", { class: "label" }, label), h("b", {}, number(value))),
  ]);
  const kind = said.ok ? "ok" : "bad";
  return h("div", { class: `note sums ${kind}`, role: said.ok ? null : "alert" }, icon(kind),
    h("div", {}, h("b", {}, said.headline), said.differ ? h("p", { class: "small" }, said.differ) : null), h("div", { class: "terms" }, terms));
}

/** Whether an answer is the one asked for; Python looks again before anything is sent. */
function answers(stop, given) {
  if (given === undefined || given === null) return false;
  if (stop.kind === "box") return given === "y";
  if (stop.kind === "text") return given.trim() !== "";
  return given === stop.confirm || given.trim().replaceAll(",", "") === stop.confirm;
}

function render({ model, el }) {
  const uid = ownId("plan");
  const python = questions(model);
  const speech = speaker();
  const view = { given: {}, times: {}, open: {}, lists: {}, show: false, asking: "", kernel: "live", fault: null, outcomes: null, testing: false, contact: "" };
  const body = h("div");
  const root = h("div", { class: "icx icx-plan", role: "region" }, body, speech.element);
  keepKeys(root);
  el.append(root);
  const heart = pulse(model, (state) => { view.kernel = state; draw(); });
  const gone = () => view.kernel === "gone";

  const stops = () => [...model.get("said").stops, ...model.get("asks")];
  const held = (stop) => model.get("at").answers.includes(stop.key) && model.get("at").state === "stopped";
  const waits = () => stops().filter((stop) => !held(stop) && !answers(stop, view.given[stop.key]));

  /** What was answered, opened and typed belongs to one plan; another one, whoever asked for it, begins without. */
  let shown = model.get("said").id;
  function said() {
    if (model.get("said").id !== shown) {
      shown = model.get("said").id;
      Object.assign(view, { given: {}, times: {}, open: {}, lists: {}, outcomes: null, testing: false, contact: "" });
    }
    draw();
  }

  async function act(verb, given = {}, focus = null) {
    if (view.asking || gone()) return null;
    view.asking = verb;
    view.fault = null;
    draw();
    const told = await python.ask(verb, given);
    view.asking = "";
    if (!told.ok) view.fault = told.error;
    draw();
    if (focus) focusKey(root, focus);
    return told.ok ? told : null;
  }

  // -- people: only ever in answers

  async function people(code, offset = 0) {
    const told = await python.latest("people", { code, offset, limit: ROWS, show: view.show });
    if (!told) return;
    if (told.ok) view.lists[code] = { ...told, offset };
    else view.fault = told.error;
    draw();
  }

  async function outcomes(offset = 0) {
    const told = await python.latest("outcomes", { offset, limit: ROWS, show: view.show });
    if (!told) return;
    if (told.ok) view.outcomes = { ...told, offset };
    else view.fault = told.error;
    draw();
  }

  /** The refusals as a file, in parts: a message of a million rows would be too long. */
  async function exported() {
    const parts = [];
    for (let offset = 0, told = null; offset !== null; offset = told.next) {
      told = await act("export", { offset, show: view.show }, "export");
      if (!told) return;
      parts.push(told.csv);
      if (told.next === null) handed(told.name, new Blob(["\ufeff", ...parts], { type: "text/csv;charset=utf-8" }));
    }
    speech.say("The refusals are in your downloads");
  }

  function reveal() {
    view.show = !view.show;
    for (const code of Object.keys(view.open)) if (view.open[code]) people(code, view.lists[code]?.offset ?? 0);
    if (view.outcomes) outcomes(view.outcomes.offset);
    draw();
  }

  function foot(list, again, key) {
    const last = Math.min(list.offset + list.rows.length, list.of);
    const range = list.of > list.rows.length ? `${number(list.offset + 1)}–${number(last)} of ${number(list.of)}` : `${number(list.of)} of ${number(list.of)}`;
    return h("div", { class: "foot" },
      h("span", { class: "row" }, icon(list.masked ? "mask" : "eye"), `${range} shown, addresses ${list.masked ? "masked" : "in full"}`),
      button(view.show ? "Mask people" : "Show people", reveal, { key: `${key}-show`, kind: "link", disabled: gone(), why: "no kernel answers" }),
      list.offset > 0 ? button("Previous", () => again(Math.max(0, list.offset - ROWS)), { key: `${key}-back`, kind: "link" }) : null,
      last < list.of ? button(`Next ${number(Math.min(ROWS, list.of - last))}`, () => again(list.offset + ROWS), { key: `${key}-next`, kind: "link" }) : null);
  }

  function reasonRows(one) {
    const list = view.lists[one.code] ?? { rows: one.people, of: one.count, masked: true, offset: 0 };
    const rows = list.rows.map((who) => [h("code", {}, who.who), h("span", { class: "mono" }, who.address), who.told, who.when]);
    return h("div", { class: "opened", id: `${uid}-${one.code}` }, rowsTable(["Contact", "Address", "What is known", "Since"], rows, [3]), foot(list, (at) => people(one.code, at), `p-${one.code}`));
  }

  function refusedPanel(said) {
    if (!said.total) return panel("Nobody is refused", "", h("p", { class: "small muted" }, said.side));
    const group = (one) => {
      const open = Boolean(view.open[one.code]);
      const toggle = () => {
        view.open[one.code] = !open;
        if (!open && !gone()) people(one.code);
        draw();
      };
      return h("div", { class: "group", key: `group-${one.code}` },
        h("button", { type: "button", class: "open", key: `open-${one.code}`, "aria-expanded": String(open), "aria-label": `${one.title}, ${number(one.count)} ${one.count === 1 ? "person" : "people"}`, on: { click: toggle } },
          h("span", { class: "reason" }, icon("stop"), h("span", { class: "clip" }, h("b", {}, one.title), " ", h("span", { class: "muted small" }, one.sub)),
            bar(one.count, said.total, `${number(one.count)} of ${number(said.total)} refused`, "ref"), h("span", { class: "num" }, number(one.count))),
          icon(open ? "down" : "right")),
        open ? reasonRows(one) : null);
    };
    const none = said.none
      ? h("div", { class: "reason muted nobody" }, icon("ok"), h("span", {}, said.none), bar(0, 1, "nobody", "ref"), h("span", { class: "num" }, "0"))
      : null;
    const right = [said.side, button("Export CSV", exported, { key: "export", kind: "link", label: `Export the refusals as CSV, addresses ${view.show ? "in full" : "masked"}`, disabled: gone() || Boolean(view.asking), why: gone() ? "no kernel answers" : "it is being written" })];
    return panel(`${number(said.total)} refused`, right, h("div", { class: "reasons" }, said.reasons.map(group), none));
  }

  // -- what is asked before anything is sent

  function give(stop, value) {
    const before = answers(stop, view.given[stop.key]);
    view.given[stop.key] = value;
    const now = answers(stop, value);
    if (now !== before) {
      view.times[stop.key] = now ? new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: model.get("said").zone }) : "";
      const left = waits().length;
      if (now) speech.say(left ? `Answered; ${left} left` : "Answered; nothing else is asked");
    }
    draw();
  }

  function stopRow(stop) {
    const id = `${uid}-stop-${stop.key}`;
    const done = held(stop) || answers(stop, view.given[stop.key]);
    const when = held(stop) ? ` Answered ${model.get("at").answered}.` : done ? ` Confirmed ${view.times[stop.key] ?? ""}.` : "";
    const words = [h("b", {}, stop.headline), stop.more ? h("span", { class: "muted" }, ` ${stop.more}`) : null, h("br"), h("span", { class: "small muted", id: `${id}-why` }, stop.sub + when)];
    const sign = icon(done ? "ok" : stop.icon, done ? "answered" : null);
    const busy = Boolean(view.asking) || gone();
    if (stop.kind === "box") {
      const box = held(stop) ? icon("check") : h("input", { type: "checkbox", key: `stop-${stop.key}`, checked: view.given[stop.key] === "y", disabled: busy, on: { change: (event) => give(stop, event.target.checked ? "y" : "") } });
      return h("label", { class: `stop${done ? " done" : ""}` }, box, h("span", {}, words), sign);
    }
    const label = stop.kind === "text" ? "Basis" : ["Type ", h("b", {}, stop.confirm)];
    const long = stop.kind === "text" || stop.confirm.length > 14;
    const typed = held(stop) ? null : h("div", { class: "typed" }, h("label", { for: id, class: "small" }, label),
      h("input", { id, key: `stop-${stop.key}`, value: view.given[stop.key] ?? "", autocomplete: "off", spellcheck: "false", disabled: busy, "aria-describedby": `${id}-why`, style: long ? {} : { width: "110px" },
        inputmode: /^\d+$/.test(stop.confirm) ? "numeric" : null, on: { input: (event) => give(stop, event.target.value) } }));
    return h("div", { class: `stop${done ? " done" : ""}`, role: "group", "aria-label": stop.headline }, sign, h("span", {}, words), h("span"), typed);
  }

  function confirmations() {
    const every = stops();
    if (!every.length) return h("section", {}, h("p", { class: "small muted" }, "This plan asks nothing before it acts."));
    const done = every.length - waits().length;
    return h("section", { class: "stack tight", "aria-label": "Confirmations" },
      h("div", { class: "ph" }, h("h3", {}, "Confirm before sending"), h("span", { class: "label" }, `${done} of ${every.length} done`)), every.map(stopRow));
  }

  function why() {
    const left = waits();
    if (gone()) return "Apply waits for a running kernel: run the cell again";
    if (!left.length) return "";
    return `Apply waits for ${left.length} ${left.length === 1 ? "confirmation" : "confirmations"}: ${left.map((stop) => stop.short).join(", ")}`;
  }

  function given() {
    return Object.fromEntries(stops().filter((stop) => !held(stop)).map((stop) => [stop.key, view.given[stop.key]]).filter(([, value]) => value));
  }

  async function apply(test = null) {
    if (waits().length && test === null) return;
    speech.say("Applying: the list is read again first");
    await act("apply", { plan: model.get("said").id, answers: given(), test }, "pause");
  }

  function applyBar(headline, sub, words, key) {
    const blocked = why();
    const off = Boolean(blocked || view.asking);
    return h("div", { class: "apply" },
      h("div", { class: "applybar" }, h("div", { class: "grow" }, h("b", {}, headline), h("br"), h("span", { class: "small muted" }, sub)),
        button(view.asking === "apply" ? "Beginning…" : words, () => apply(), { kind: "primary", key, disabled: off, why: blocked, "aria-describedby": `${uid}-waits` })),
      h("span", { class: "waits small muted", id: `${uid}-waits` }, blocked));
  }

  function testBar(said) {
    if (!view.testing) return null;
    const id = `${uid}-test`;
    const contact = Number(view.contact.replace("#", ""));
    const fits = /^#?\d+$/.test(view.contact.trim());
    return h("section", { class: "panel" }, h("div", { class: "ph" }, h("h3", {}, "Test with one contact")),
      h("p", { class: "small muted" }, "One person this plan adds is added now, with everything that follows from it, mail too. The rest waits."),
      h("div", { class: "row wrap", style: { "padding-top": "8px" } }, h("label", { for: id }, "Contact id"),
        h("input", { id, key: "test-contact", value: view.contact, style: { width: "120px" }, inputmode: "numeric", autocomplete: "off", on: { input: (event) => { view.contact = event.target.value; draw(); } } }),
        button(fits ? `Add #${contact} only` : "Add one", () => apply(contact), { key: "test-go", disabled: !fits || Boolean(view.asking) || gone(), why: "type the id of a contact" }),
        button("Leave it", () => { view.testing = false; draw(); focusKey(root, "test"); }, { key: "test-no", kind: "quiet" })));
  }

  // -- the parts of a view, by where the plan stands

  function decide(said, at) {
    const blocked = at.blocked
      ? note("warn", `${at.blocked} to this list is not finished.`, "It goes first; nothing of this plan is sent before.",
          button(`Show ${at.blocked}`, () => act("open", { plan: at.blocked }), { key: "blocked" }))
      : null;
    const open = at.state === "open";
    return [
      blocked,
      open ? tiles(said.tiles) : null,
      open ? shift(said.shift) : null,
      h("div", { class: "g31" }, h("div", { class: "stack" }, refusedPanel(said.refused), checksPanel(said.checks)), h("div", { class: "stack" }, confirmations(), costPanel(said))),
      open ? testBar(said) : null,
      !open ? null : said.does ? applyBar(said.does.headline, said.does.sub, said.does.button, "apply") : note("ok", "Nothing to do.", "The list is as wanted."),
    ];
  }

  function underWay(at) {
    const words = `${number(at.done)} of ${number(at.of)} ${at.verb}`;
    const safe = at.state === "running" && at.steps.length
      ? h("p", { class: "small muted", style: { "padding-top": "8px" } }, "Safe to close the notebook: what is sent is on disk first. Show this plan again and it goes on where it stopped; nobody is added twice.")
      : null;
    return h("div", { class: "g31" },
      h("section", { class: "panel" },
        h("div", { class: "row between" }, h("div", {}, h("span", { class: "bigno" }, number(at.done)), " ", h("span", { class: "muted" }, `of ${number(at.of)} ${at.verb}`)), h("span", { class: "small muted" }, at.left)),
        bar(at.done, at.of, words, "tall"), stepsList(at)),
      h("section", { class: "panel" }, batchesPart(at), safe));
  }

  function outcomePart(at) {
    const side = [];
    if (at.refusals.length) side.push(panel("Refused by iContact, in its words", "", rowsTable(["Words", "People"], at.refusals.map((one) => [[h("q", {}, one.words), h("br"), h("span", { class: "muted" }, one.ids)], number(one.count)]), [1])));
    if (at.left_out.length) side.push(panel(`${number(at.left_out.reduce((sum, [, count]) => sum + count, 0))} left out`, "", rowsTable(["Why", "People"], at.left_out.map(([words, count]) => [words, number(count)]), [1])));
    if (!side.length) side.push(h("section", { class: "panel" }, batchesPart(at)));
    return [
      at.sum && !at.sum.ok ? sums(at.sum) : null,
      tiles(at.tiles),
      at.sum && at.sum.ok ? sums(at.sum) : null,
      at.steps.length ? h("div", { class: "g31" }, h("section", { class: "panel" }, stepsList(at)), h("div", { class: "stack" }, side)) : null,
    ];
  }

  function outcomeTable() {
    if (!view.outcomes) return null;
    const rows = view.outcomes.rows.map((one) => [h("code", {}, one.who), h("span", { class: "mono" }, one.address), one.outcome, one.words ? h("q", {}, one.words) : "", one.when]);
    return h("section", { class: "panel", key: "outcomes", "aria-label": "Outcome table" }, h("div", { class: "ph" }, h("h3", {}, "Outcome of every row"), button("Close", () => { view.outcomes = null; draw(); focusKey(root, "outcome"); }, { key: "out-close", kind: "link" })),
      rows.length ? [rowsTable(["Contact", "Address", "Outcome", "iContact's words", "At"], rows, [4]), foot(view.outcomes, outcomes, "out")] : h("p", { class: "small muted" }, "No row has been touched yet."));
  }

  function actions(said, at) {
    const list = [];
    const trail = model.get("trail");
    const off = { disabled: gone() || Boolean(view.asking), why: "no kernel answers" };
    if (trail.length && at.state !== "running") list.push(button(`Back to ${trail.at(-1)}`, () => act("open", { plan: trail.at(-1) }), { key: "back", ...off }));
    if (at.outcomes && at.state !== "running" && !view.outcomes) list.push(button("Outcome table", () => outcomes(), { key: "outcome", ...off }));
    if (at.retry) list.push(button(`Try ${number(at.retry)} again…`, async () => { if (await act("retry")) speech.say("Those iContact refused are planned again; nothing has been sent"); }, { shape: "refresh", key: "retry", ...off }));
    if (at.undo) list.push(button("Plan the reverse…", async () => { if (await act("undo")) speech.say("The way back is planned; nothing has been sent"); }, { shape: "undo", key: "undo", ...off }));
    if (at.state === "running") list.push(button(at.ending ? "Ending after this batch…" : "Pause after this batch", () => act("pause", {}, "pause"), { shape: "pause", key: "pause", disabled: at.ending || gone(), why: "it ends after this batch" }));
    if (at.state === "elsewhere") list.push(button("Read again", () => act("refresh"), { shape: "refresh", key: "refresh", ...off }));
    const adds = said.tiles.some((one) => one.swatch === "add" && one.value > 0);
    if (at.state === "open" && adds && said.places.at(-1).id !== "to be made" && !view.testing) list.push(button("Test with one contact…", () => { view.testing = true; draw(); focusKey(root, "test-contact"); }, { key: "test", ...off }));
    return list;
  }

  function notes(at) {
    const trouble = model.get("trouble");
    const found = [];
    if (gone()) found.push(note("warn", "No kernel answers this view.", "It shows the plan as it was. Run the cell again: it reads where the plan stands, and offers to go on."));
    if (view.fault) found.push(failure(view.fault));
    if (trouble.message) found.push(failure(trouble));
    if (model.get("news")) found.push(note("ok", model.get("news"), "The rest of the plan waits for its button."));
    if (at.state !== "closed" || !trouble.message) found.push(...at.notes.map((one) => note(...one)));
    return found;
  }

  function draw() {
    const said = model.get("said");
    const at = model.get("at");
    if (!said.id) return;
    const [kind, words, shape] = at.pill;
    const head = h("div", { class: "head" }, h("div", {}, h("div", { class: "row wrap" }, h("h2", {}, at.title), pill(kind, words, shape)), crumbs(said, view.kernel === "busy")), h("div", { class: "row wrap" }, actions(said, at)));
    const stopped = at.state === "stopped";
    root.setAttribute("aria-label", `Plan ${said.id}`);
    const newer = h("div", {},
      head, placeBoxes(said.places), notes(at),
      stopped ? applyBar(at.go.headline, at.go.sub, at.go.button, "apply") : null,
      ["running", "elsewhere", "stopped"].includes(at.state) ? underWay(at) : null,
      ["finished", "closed"].includes(at.state) ? outcomePart(at) : null,
      stopped && (at.refusals.length || at.left_out.length) ? tiles(at.tiles) : null,
      outcomeTable(),
      ["open", "stopped"].includes(at.state) ? decide(said, at) : null);
    renew(body, newer);
  }

  let before = model.get("at").state;
  function stood() {
    const at = model.get("at");
    if (at.state === "running" && at.done) speech.say(`${number(at.done)} of ${number(at.of)} ${at.verb}`);
    if (at.state !== before) {
      if (before === "running" && at.state === "finished") speech.say(at.sum ? `${at.pill[1]}. ${at.sum.headline}` : at.pill[1]);
      if (before === "running" && at.state === "stopped") speech.say(at.go.headline);
      before = at.state;
    }
    draw();
  }
  const deaf = following(model, { said, at: stood, trouble: draw, asks: draw, news: draw, trail: draw });
  draw();
  return () => {
    deaf();
    heart.close();
    python.close();
  };
}

export default { render };
