// Around the tree: the head, the one number with its sentence, the breakdown, the members, and what folds out below.

function headView(b) {
  const { s: state } = b;
  const wrong = b.wrongCount();
  const drafts = b.draftCount();
  const pillOf = () => {
    if (wrong) return pill("bad", `${wrong} ${wrong === 1 ? "rule" : "rules"} to fix`);
    if (drafts) return pill("warn", `${drafts} ${drafts === 1 ? "rule" : "rules"} to finish`);
    if (b.isSaved()) return pill("ok", "saved");
    if (state.saved.name === null || state.saved.name === undefined) return pill("", "not saved yet", "info");
    const edits = b.unsaved();
    return pill("", edits ? `${number(edits)} unsaved ${edits === 1 ? "edit" : "edits"}` : "unsaved edits", "info");
  };
  const why = wrong ? "Fix the marked rule first" : drafts ? "Finish the rule first" : !b.live() ? "The kernel does not answer" : "";
  const whySave = why || (b.isSaved() ? "Nothing to save" : "");
  const undo = state.past.at(-1)?.label;
  const redo = state.future.at(-1)?.label;
  const quiet = (shape, name, keys, label, act, key) =>
    h("button", { type: "button", class: "quiet", key, "aria-disabled": label ? null : "true", "aria-label": label ? `${name}: ${label}` : name, title: label ? `${name}: ${label} (${keys})` : `Nothing to ${name.toLowerCase()}`, on: { click: () => label && act() } }, icon(shape));
  const saver = (text, act, reason, kind, key) =>
    h("button", { type: "button", class: kind, key, "aria-disabled": reason ? "true" : null, title: reason || null, on: { click: () => !reason && act() } }, text);
  const { place } = b;
  const crumb = (...parts) => h("span", {}, parts);
  const dot = () => h("span", { "aria-hidden": "true" }, "·");
  return h("div", { class: "head", key: "head" },
    h("div", {}, h("div", { class: "row wrap" }, h("h2", {}, state.name || "New audience"), pillOf()),
      h("div", { class: "crumbs" }, crumb("Audience on ", h("b", {}, place.connection ?? "")), dot(), crumb(place.profile_as_of ? `profile of ${place.profile_as_of}` : "no profile yet"), dot(), crumb(`${number(place.contacts)} contacts`))),
    h("div", { class: "row acts" },
      quiet("undo", "Undo", "Ctrl+Z", undo, () => b.undo(), "undo"), quiet("redo", "Redo", "Ctrl+Shift+Z", redo, () => b.redo(), "redo"),
      saver("Save as…", () => b.openSaveAs(), why, "", "save-as"), saver("Save", () => (state.saved.name ? b.save(state.saved.name, null) : b.openSaveAs()), whySave, "primary", "save"),
      b.isOpen("save-as", "") ? saveForm(b) : null));
}

function noteView(b) {
  const { s: state } = b;
  const notes = [];
  if (state.alive === "gone") {
    notes.push(h("div", { class: "note warn", role: "status", key: "gone" }, icon("warn"), h("div", {}, h("b", {}, "The kernel was restarted, or this is a saved notebook."), " Your rule is kept here and you can go on editing. Run the cell above to count and save again."),
      h("span", { class: "act" }, b.copyButton("Copy as Python", () => b.pythonText(), "copy-gone"))));
  }
  if (state.failed) notes.push(h("div", { key: "failed" }, failure(state.failed, button("Close", () => b.change({ failed: null }), { key: "close-failed" }))));
  const said = b.counted()?.note;
  if (said) notes.push(h("div", { class: "note warn", key: "said" }, icon("warn"), h("div", {}, said)));
  return h("div", { class: "notes", key: "notes" }, notes);
}

function heroView(b) {
  const shown = b.figures();
  return h("div", { class: `hero${b.dimmed() ? " busy" : ""}`, key: "hero" },
    h("div", { class: "one" }, h("div", { class: "bigno" }, number(shown?.total)), h("div", { class: "small muted sub" }, subline(b)), h("div", { class: "small muted sub" }, machineLine(shown))),
    b.wrongCount() ? wrongNote(b) : sentenceView(shown), trend(shown));
}

function subline(b) {
  const { s: state } = b;
  const shown = b.figures();
  const at = state.good?.at ? `, ${state.good.at.slice(0, 5)}` : "";
  if (state.alive === "gone") return [`last count${at}`];
  if (b.wrongCount()) return [`last good count${at}`];
  if (state.alive === "busy" && b.pending()) return ["waiting for the running cell"];
  if (state.stopped) return ["stopped · ", linkButton("count again", () => b.recount(), "recount")];
  if (state.counting) return [h("span", { class: "since" }, `counting… ${b.waited()} s`), " · ", linkButton("stop", () => b.stop(), "stop")];
  if (!shown) return [b.pending() ? "counting…" : "not counted yet"];
  const change = shown.before === null || shown.before === undefined ? null : shown.total - shown.before;
  const moved = change === null || !state.past.length ? null : change === 0 ? "the last edit changed nothing" : `${change > 0 ? "+" : ""}${number(change)} by the last edit`;
  if (shown.total === 0 && moved && change < 0) return [`${moved} · `, linkButton("undo it", () => b.undo(), "undo-it")];
  if (!shown.of) return ["the profile has no contacts"];
  return [[`${share(shown.total, shown.of)} of contacts`, moved].filter(Boolean).join(" · ")];
}

/** What is left without what machines probably did, when that is fewer; an empty line until it is counted. */
function machineLine(shown) {
  const { human, total } = shown ?? {};
  return human === null || human === undefined || human === total ? "" : `${number(human)} without likely machine opens`;
}

function linkButton(text, act, key) {
  return h("button", { type: "button", class: "link", key, on: { click: act } }, text);
}

function sentenceView(shown) {
  return h("p", { class: "sentence" }, (shown?.sentence ?? []).map(([text, kind]) => (kind === "strong" ? h("b", {}, text) : kind === "muted" ? h("em", {}, text) : text)));
}

function wrongNote(b) {
  const count = b.wrongCount();
  const [id, first] = b.problems.entries().next().value;
  const leaf = find(b.s.doc, id);
  const where = leaf && !isGroup(leaf) ? `“${b.cat.label(leaf.field)}”: ${first.message}` : first.message;
  return h("div", { class: "note bad", role: "alert", key: "wrong" }, icon("bad"), h("div", {}, h("b", {}, count === 1 ? "One rule needs a value." : `${count} rules need a value.`), " ", h("span", { class: "small" }, `${where} The count and Save wait for it; everything else works.`)),
    h("span", { class: "act" }, button("Go to rule", () => b.goTo(id), { key: "go-to-rule" })));
}

/** A column per edit, the newest in the accent colour. */
function trend(shown) {
  const sizes = shown?.sizes ?? [];
  if (sizes.length < 2) return h("figure", { class: "trend" });
  const most = Math.max(...sizes, 1);
  const step = 150 / Math.max(sizes.length, 8);
  const from = 150 - step * sizes.length;
  const columns = sizes.map((size, at) => {
    const tall = Math.max(2, (size / most) * 32);
    return s("rect", { x: (from + at * step).toFixed(1), y: (34 - tall).toFixed(1), width: (step - 3).toFixed(1), height: tall.toFixed(1), rx: 1, class: at === sizes.length - 1 ? "b" : "g" });
  });
  const words_ = `last ${sizes.length} edits: ${number(sizes[0])} → ${number(sizes.at(-1))}`;
  return h("figure", { class: "trend" }, s("svg", { width: 150, height: 34, viewBox: "0 0 150 34", role: "img", "aria-label": words_ }, ...columns), h("figcaption", { class: "label" }, words_));
}

/** That an answer is long in coming; what stands there stays until it has come. A busy kernel is told once, under the total. */
function waitingLine(b, lane) {
  const told = b.s.alive === "busy" && b.pending();
  return b.slow(lane) && !told ? h("span", { class: "label", "data-lane": lane }, b.waiting(lane)) : null;
}

function breakdownView(b) {
  const { s: state } = b;
  const told = state.parts;
  const options = [...b.cat.groups].map(([group, entries]) => ({ group, options: entries.filter((each) => b.splits(each)).map((each) => [each.name, each.label]) })).filter((each) => each.options.length);
  const head = h("div", { class: "ph" }, h("div", { class: "row" }, h("h3", {}, "By"), options.length ? choose({ name: "Break down by", value: state.by, options, sig: b.cat.sig, key: "by", act: (by) => b.changeBy(by) }) : null), waitingLine(b, "breakdown") ?? h("span", { class: "label" }, "mark = all contacts"));
  const body = () => {
    if (told?.error) return h("p", { class: "muted small" }, told.error.message);
    if (!told || !told.size) return h("p", { class: "muted small" }, "Nothing to break down yet.");
    return h("div", { class: "brk" }, told.parts.map((each) => {
      const label = blank(each.value) ? "no value" : String(each.value);
      const [mine, all] = [(100 * each.count) / told.size, told.people ? (100 * each.of) / told.people : 0];
      const said = `${label}: ${number(each.count)}, ${share(each.count, told.size)} of the audience; all contacts ${share(each.of, told.people)}`;
      return [h("span", { title: label }, h("span", { class: `clip${blank(each.value) ? " muted" : ""}` }, label)),
        h("span", {}, h("span", { class: "cmp", role: "img", "aria-label": said, title: said }, each.count ? h("i", { style: { width: `${Math.min(100, mine)}%` } }) : null, h("s", { style: { left: `${Math.min(99.5, all)}%` } }))),
        h("span", { class: "num" }, number(each.count)), h("span", { class: "num muted" }, share(each.count, told.size))];
    }));
  };
  return h("section", { class: `panel${b.dimmed() || b.slow("breakdown") ? " busy" : ""}`, "aria-label": "Breakdown" }, head, body());
}

function sampleView(b) {
  const { s: state } = b;
  const told = state.sample;
  const some = told?.rows?.length;
  const masked = told?.masked !== false;
  const title = some ? `${number(told.rows.length)} of ${number(told.of)}, at random` : "No members";
  const tools = h("div", { class: "row" },
    h("span", { class: "label row tell" }, icon(masked ? "mask" : "eye"), masked ? "addresses masked" : "addresses shown"),
    button(state.show ? "Mask" : "Show", () => b.show(!state.show), { kind: "quiet", key: "show", "aria-label": state.show ? "Mask addresses" : "Show addresses" }),
    button("", () => b.another(), { kind: "quiet", shape: "refresh", label: "Draw another sample", key: "draw" }));
  const body = () => {
    if (told?.error) return h("p", { class: "muted small" }, told.error.message);
    if (!some) return h("p", { class: "muted small" }, b.figures()?.of === 0 ? "The profile has no contacts: pull and build, then run this cell again." : b.figures()?.total === 0 ? "Nobody is in this audience. The rules above say where people are lost." : "Members stand here once the audience is counted.");
    return peopleTable(b, told);
  };
  return h("section", { class: `panel${b.dimmed() || b.slow("sample") ? " busy" : ""}`, "aria-label": "Members" }, h("div", { class: "ph" }, h("div", { class: "row" }, h("h3", {}, title), waitingLine(b, "sample")), tools), body());
}

function foldsView(b) {
  const shown = b.figures();
  const fold = (name, title, hint, ...inside) =>
    h("details", { open: b.s.open[name] ?? false, key: `fold:${name}`, on: { toggle: (event) => (b.s.open[name] = event.target.open) } }, h("summary", { key: `sum:${name}` }, title, h("span", { class: "muted" }, ` · ${hint}`)), inside);
  const values = shown?.params === 1 ? "1 bound value" : `${number(shown?.params ?? 0)} bound values`;
  return h("div", { class: "folds", key: "folds" },
    fold("misses", "Nearest misses", missesHint(b), missesView(b)),
    fold("sql", "SQL", shown?.sql ? `${values} · counted in ${number(Math.round(shown.ms ?? 0))} ms` : "once the audience is counted", shown?.sql ? codeView(b, shown.sql, "Copy SQL", "copy-sql") : null),
    fold("python", "Python", "the same rule as typed", codeView(b, b.pythonText(), "Copy Python", "copy-python")),
    fold("why", "Why is someone in or out?", "type an address or a contact id, get the deciding rule", whyView(b)));
}

function codeView(b, text, label, key) {
  return h("div", { class: "code" }, h("pre", { class: "sql", tabindex: "0" }, text), b.copyButton(label, () => text, key));
}

function whyView(b) {
  const told = b.s.answer;
  const ask = (event) => {
    event.preventDefault();
    b.why(event.target.querySelector("input").value.trim());
  };
  const marks = { yes: ["ok", "true"], NO: ["bad", "not true, and decides"], no: ["explained", "not true"], YES: ["ok", "true, and decides"] };
  const line = (row) => {
    const [shape, said] = marks[row.mark] ?? ["info", String(row.mark)];
    return h("li", { class: row.mark === "NO" || row.mark === "YES" ? "decides" : "" }, icon(shape, said), h("span", {}, row.rule), h("span", { class: "muted" }, row.fact));
  };
  return h("div", { class: "whyin" },
    h("form", { class: "row wrap", on: { submit: ask } }, h("input", { type: "text", "aria-label": "Address or contact id", value: b.s.who, class: "who", autocomplete: "off", key: "who", on: { input: (event) => (b.s.who = event.target.value) } }), h("button", { type: "submit" }, "Explain")),
    waitingLine(b, "why"),
    told?.error ? failure(told.error) : null,
    told?.ok ? h("div", { role: "status" }, h("p", {}, h("b", {}, told.line || `${told.who} is ${told.in ? "in" : "not in"} the audience.`)), h("ol", { class: "reasons" }, (told.rows ?? []).map(line))) : null);
}
