// The mapping editor: JS owns the rows while they are edited, Python judges each state of them; a stale verdict is dropped.

const plain = (name) => name.toLowerCase().replace(/^cf_/, "").replace(/[^a-z0-9]/g, "");

function render({ model, el }) {
  const uid = ownId("map");
  const speech = speaker();
  const view = { kernel: "live", copied: false };
  const body = h("div");
  const root = h("div", { class: "icx icx-mapping", role: "region", "aria-label": "Field mapping" }, body, speech.element);
  keepKeys(root);
  el.append(root);
  const heart = pulse(model, (state) => { view.kernel = state; draw(); });
  const python = questions(model);
  let count = model.get("rows").length;

  const judged = () => model.get("answers").rev === model.get("rev");

  function put(rows, focus = null) {
    model.set("rows", rows);
    commit(focus);
  }

  function commit(focus = null) {
    model.set("rev", model.get("rev") + 1);
    model.save_changes();
    draw();
    if (focus) focusKey(root, focus);
  }

  function change(id, part) {
    put(model.get("rows").map((row) => (row.id === id ? { ...row, ...part } : row)));
  }

  /** A column that has a namesake in iContact brings it along, when the other side is still empty. */
  function choose(row, column) {
    const used = model.get("rows").map((one) => one.field);
    const same = model.get("facts").fields.find((one) => plain(one.name) === plain(column) && !used.includes(one.name));
    change(row.id, { column, ...(row.field || !same ? {} : { field: same.name }) });
  }

  function add() {
    const id = `n${++count}-${Date.now().toString(36)}`;
    put([...model.get("rows"), { id, column: "", field: "", blank: false }], `column-${id}`);
  }

  function remove(id) {
    const rows = model.get("rows");
    const at = rows.findIndex((row) => row.id === id);
    const next = rows[at + 1] ?? rows[at - 1];
    put(rows.filter((row) => row.id !== id), next ? `remove-${next.id}` : "add");
  }

  function options(value, choices, empty) {
    const known = choices.some((one) => one.name === value);
    const groups = [...new Set(choices.map((one) => one.group))];
    const option = (one) => h("option", { value: one.name, selected: one.name === value }, one.shown);
    return [
      h("option", { value: "", selected: !value }, empty),
      value && !known ? h("option", { value, selected: true }, `${value} (not there)`) : null,
      ...(groups.length > 1 ? groups.map((group) => h("optgroup", { label: group }, choices.filter((one) => one.group === group).map(option))) : choices.map(option)),
    ].filter(Boolean);
  }

  function select(key, label, value, choices, empty, act, extra = {}) {
    const element = h("select", { key, "aria-label": label, ...extra, on: { change: (event) => act(event.target.value) } }, options(value, choices, empty));
    element.value = value;
    element.icxValue = value;
    return element;
  }

  function line(row, at) {
    const facts = model.get("facts");
    const answers = model.get("answers");
    const wrong = answers.problems?.[row.id];
    const id = `${uid}-${row.id}-msg`;
    const columns = facts.columns.map((one) => ({ name: one.name, shown: one.name, group: "" }));
    const fields = facts.fields.map((one) => ({ name: one.name, group: one.group, shown: `${one.words}${one.words === one.name ? "" : ` (${one.name})`}${one.limit ? `, up to ${one.limit}` : ""}` }));
    const bad = (side) => (wrong?.side === side ? { "aria-invalid": "true", "aria-describedby": id } : { "aria-describedby": id });
    const who = `row ${at + 1}`;
    const travel = answers.travel?.[row.id];
    const rest = travel === undefined ? 0 : answers.of - travel;
    const words = travel === undefined || travel === null ? "" : `${number(travel)} of ${number(answers.of)} have a value${rest ? `; ${number(rest)} ${row.blank ? "have the field emptied" : "keep what they have"}` : ""}`;
    const open = !row.column || !row.field;
    const fix = (name) => button(`Use ${name}`, () => change(row.id, { [wrong.side]: name }), { key: `fix-${row.id}-${name}` });
    const message = wrong
      ? h("div", { class: "msg", id, role: "alert" }, icon("bad"), h("span", { class: "t-bad" }, wrong.message, wrong.people ? h("b", {}, ` ${number(wrong.people)} ${wrong.people === 1 ? "person" : "people"}.`) : null),
          wrong.fixes.map(fix), button("Remove this row", () => remove(row.id), { key: `drop-${row.id}`, kind: "quiet" }))
      : h("div", { class: `msg muted${judged() ? "" : " waiting"}`, id }, open ? "Choose both sides; until then this row does nothing." : words);
    return h("div", { class: `map${wrong ? " err" : ""}`, key: `row-${row.id}`, role: "group", "aria-label": `Row ${at + 1}` },
      select(`column-${row.id}`, `Field of the profile, ${who}`, row.column, columns, "choose a field", (value) => choose(row, value), bad("column")),
      icon("arrow"),
      select(`field-${row.id}`, `iContact's field, ${who}`, row.field, fields, "choose where it goes", (value) => change(row.id, { field: value }), bad("field")),
      h("span", { class: "blank" }, h("span", { class: "only-n small muted", "aria-hidden": "true" }, "When there is no value"), select(`blank-${row.id}`, `When there is no value, ${who}`, row.blank ? "blank" : "keep", [{ name: "keep", shown: "leave it as it is", group: "" }, { name: "blank", shown: "empty the field", group: "" }], "", (value) => change(row.id, { blank: value === "blank" }))),
      button("", () => remove(row.id), { shape: "x", label: `Remove row ${at + 1}`, kind: "more", key: `remove-${row.id}` }),
      message);
  }

  function head(rows) {
    const facts = model.get("facts");
    const answers = model.get("answers");
    const wrong = Object.keys(answers.problems ?? {}).length + (answers.basis ? 1 : 0) + (answers.error?.message ? 1 : 0);
    const full = rows.filter((row) => row.column && row.field).length;
    const state = wrong ? pill("bad", `${wrong} to fix`) : full ? pill("ok", `${full} ${full === 1 ? "field travels" : "fields travel"}`) : pill("", "By contact id alone");
    const size = answers.of === null || answers.of === undefined ? "" : `, ${number(answers.of)} ${answers.of === 1 ? "person" : "people"}`;
    const late = judged() ? null : view.kernel === "gone" ? "no kernel answers; run the cell again" : "checking…";
    return h("div", { class: "head" }, h("div", {}, h("div", { class: "row wrap" }, h("h2", {}, "Field mapping"), state),
      h("div", { class: "crumbs" }, h("span", {}, "audience ", h("b", {}, facts.audience), size), late ? h("span", {}, `· ${late}`) : null)),
      button("Check again", async () => { await python.ask("judge"); }, { shape: "refresh", key: "again", disabled: view.kernel === "gone", why: "no kernel answers" }));
  }

  function makes() {
    const answers = model.get("answers");
    const id = `${uid}-basis`;
    const on = model.get("make");
    const toggle = (event) => { model.set("make", event.target.checked); commit(event.target.checked ? "basis" : "make"); };
    const typed = on
      ? h("div", { class: "typed row wrap", style: { "padding-top": "8px" } }, h("label", { for: id }, "On what basis"),
          h("input", { id, key: "basis", value: model.get("basis"), placeholder: "they signed up in the shop", style: { width: "min(100%, 360px)" }, "aria-invalid": answers.basis ? "true" : null, "aria-describedby": `${id}-why`,
            on: { input: (event) => { model.set("basis", event.target.value); later(); } } }),
          h("span", { class: `small ${answers.basis ? "t-bad" : "muted"}`, id: `${id}-why` }, answers.basis || (answers.unmade ? `${number(answers.unmade)} without an address cannot be made` : "kept with the plan")))
      : null;
    return h("section", { class: "panel" }, h("div", { class: "ph" }, h("h3", {}, "People who are not in iContact yet")),
      h("label", { class: "row" }, h("input", { type: "checkbox", key: "make", checked: on, on: { change: toggle } }), "Make contacts for them; without this they are reported, not dropped"), typed);
  }

  const later = settled(300, () => commit());

  function draw() {
    const facts = model.get("facts");
    if (!facts.columns) return;
    const rows = model.get("rows");
    const answers = model.get("answers");
    const cols = rows.length
      ? h("div", { class: "map cols label", "aria-hidden": "true" }, h("span", {}, "Field of the profile"), h("span"), h("span", {}, "iContact's field"), h("span", { class: "blank" }, "When there is no value"), h("span"))
      : h("p", { class: "muted" }, "No field travels: people who are in iContact go by their contact id alone, and nothing about them changes.");
    const copy = async () => {
      try { await navigator.clipboard.writeText(answers.python); view.copied = true; } catch { view.copied = false; }
      draw();
    };
    renew(body, h("div", {}, head(rows), placeBoxes(facts.places),
      answers.error?.message ? failure(answers.error) : null,
      h("section", { class: "panel" }, h("div", { class: "ph" }, h("h3", {}, "What travels with people"), h("span", { class: "label" }, "the address and the status never do")),
        cols, rows.map(line), h("div", { class: "row", style: { "padding-top": "8px" } }, button("Field", add, { shape: "plus", kind: "add", key: "add" }))),
      makes(),
      h("details", { key: "code" }, h("summary", { key: "code-open" }, "As Python"), h("pre", { class: "sql" }, answers.python ?? ""), h("div", { class: "row", style: { "padding": "6px 0" } }, button(view.copied ? "Copied" : "Copy", copy, { shape: "copy", key: "copy" })))));
  }

  function answered() {
    const answers = model.get("answers");
    const wrong = Object.keys(answers.problems ?? {}).length;
    if (judged()) speech.say(wrong ? `${wrong} to fix` : "The mapping can be used");
    view.copied = false;
    draw();
  }
  const deaf = following(model, { answers: answered, rows: draw, facts: draw });
  draw();
  return () => {
    deaf();
    heart.close();
    python.close();
  };
}

export default { render };
