// The field catalogue: search, groups, one field beside it, and an editor whose values are seen before it is saved.

const SHOWN = 12;

function miniature(one, wide = 96, high = 22) {
  if (!one.bars.length) return h("span", { class: "muted" }, one.filled === null ? "not built" : one.pii ? "not shown" : "–");
  const most = Math.max(...one.bars, 1);
  const step = wide / one.bars.length;
  const label = one.labels.map((words, at) => `${words}: ${number(one.bars[at])}`).join(", ");
  const columns = one.bars.map((count, at) => {
    const tall = count > 0 ? Math.max(1, (count / most) * (high - 1)) : 0;
    return s("rect", { x: (at * step).toFixed(1), y: (high - tall).toFixed(1), width: Math.max(1, step - 1).toFixed(1), height: tall.toFixed(1), class: "bm" });
  });
  return s("svg", { width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": label }, columns, s("path", { class: "ax", d: `M0 ${high - 0.5}H${wide}` }));
}

/** The values of a field as rows: label, bar, people. Words are read, a picture alone is not. */
function spreadOf(values) {
  const most = Math.max(...values.bars.map((one) => one.count), 1);
  const rows = values.bars.map((one) => [
    h("span", { class: "clip", title: one.label }, one.label),
    bar(one.count, most, `${one.label}: ${number(one.count)} of ${number(values.people)}`),
    h("span", { class: "num" }, number(one.count)),
    h("span", { class: "num muted" }, share(one.count, values.people)),
  ]);
  const figures = [["filled", share(values.filled, values.people)], ...values.figures];
  return [
    values.bars.length ? h("div", { class: "brk" }, rows) : h("p", { class: "muted" }, values.pii ? "Values of personal data are not shown." : "No value to show."),
    h("dl", { class: "figures" }, figures.map(([name, value]) => h("div", {}, h("dt", { class: "label" }, name), h("dd", {}, value)))),
  ];
}

function render({ model, el }) {
  const python = questions(model);
  const speech = speaker();
  const view = { search: "", group: "All", shown: SHOWN, picked: null, values: null, error: null, editing: null, tried: null, saved: "" };
  const body = h("div");
  const root = h("div", { class: "icx icx-fields", role: "region", "aria-label": "Fields" }, body, speech.element);
  keepKeys(root);
  el.append(root);
  const id = ownId("new");
  const go = (changes, focus) => {
    Object.assign(view, changes);
    draw();
    if (focus) focusKey(root, focus);
  };

  async function pick(name) {
    go({ picked: name, values: null, error: null, editing: null });
    const told = await python.latest("detail", { name });
    if (told) go(told.ok ? { values: told } : { error: told.error });
  }

  const edit = (from) => go({
    editing: from ? { name: `${from.name}_2`, type: from.type, words: from.words, sql: from.sql, pii: from.pii } : { name: "", type: "integer", words: "", sql: "", pii: false },
    tried: null, error: null, saved: "",
  }, "new-name");

  async function attempt(save) {
    go({ error: null });
    const told = await python.latest(save ? "save" : "preview", { ...view.editing, ...(save ? { replace: view.tried.replaces } : {}) });
    if (!told) return;
    if (!told.ok) { go({ error: told.error, tried: null }); return; }
    if (!save) { speech.say(`filled for ${share(told.filled, told.people)}`); go({ tried: told }); return; }
    speech.say(`Saved ${told.file}`);
    go({ editing: null, saved: told.file, tried: null }, "new");
  }

  function editor() {
    const given = view.editing;
    const set = (name) => ({ input: (event) => { given[name] = event.target.value; if (view.tried) go({ tried: null }); } });
    const line = (key, label, hint, input) => h("div", { class: "field" }, h("label", { for: `${id}-${key}` }, label), input, h("span", { class: "hint" }, hint));
    const types = model.get("place").types.map((one) => h("option", { value: one, selected: one === given.type }, one));
    return h("section", { class: "panel", "aria-label": "New field" },
      h("div", { class: "ph" }, h("h3", {}, "New field"), button("Cancel", () => go({ editing: null, error: null }, "new"), { kind: "quiet" })),
      h("div", { class: "stack tight" },
        line("name", "Name", "as you type it in code", h("input", { id: `${id}-name`, key: "new-name", class: "mono", value: given.name, spellcheck: "false", on: set("name") })),
        line("type", "Type", "", h("select", { id: `${id}-type`, key: "new-type", value: given.type, on: { change: (event) => { given.type = event.target.value; go({ tried: null }); } } }, types)),
        line("words", "What it says", "read in the catalogue and in sentences", h("input", { id: `${id}-words`, key: "new-words", value: given.words, on: set("words") })),
        line("pii", "Personal data", "its values are then never shown in charts", h("input", { id: `${id}-pii`, key: "new-pii", type: "checkbox", checked: given.pii, on: { change: (event) => go({ editing: { ...given, pii: event.target.checked }, tried: null }) } })),
        h("label", { for: `${id}-sql`, class: "label" }, "SQL: an expression over fields, or a select of contact_id and a value; $as_of is the profile's moment"),
        h("textarea", { id: `${id}-sql`, key: "new-sql", class: "mono", rows: "6", spellcheck: "false", value: given.sql, on: set("sql") }),
      ),
      view.error ? failure(view.error) : null,
      view.tried ? spreadOf(view.tried) : null,
      h("div", { class: "row between foot" }, h("span", {}, !view.tried ? "See its values before you save it." : view.tried.replaces ? `Not saved yet; it replaces ${view.tried.name}.sql.` : "Not saved yet."),
        h("span", { class: "row" }, button("Show its values", () => attempt(false), { key: "try" }), button(view.tried?.replaces ? "Replace field" : "Save field", () => attempt(true), { kind: "primary", key: "save", disabled: !view.tried, why: "look at its values first" }))));
  }

  function detail() {
    const one = model.get("fields").find((each) => each.name === view.picked);
    if (!one) return h("section", { class: "panel", "aria-label": "Field" }, h("p", { class: "muted" }, "Pick a field to see its values, who uses it, and its SQL."));
    const flags = [one.type, one.group.toLowerCase(), one.pii ? "personal data" : "", one.estimate ? "an estimate" : "", one.gone ? "gone from iContact" : ""].filter(Boolean).join(" · ");
    return h("section", { class: "panel", "aria-label": `Field ${one.name}` },
      h("div", { class: "ph" }, h("h3", { class: "mono clip", title: one.name }, one.name), h("span", { class: "row" },
        button("Copy name", () => navigator.clipboard?.writeText(one.name), { shape: "copy" }), button("Edit a copy", () => edit(one), { key: "edit" }))),
      h("p", {}, one.words, h("span", { class: "muted" }, ` ${flags}`)),
      view.error ? failure(view.error) : view.values ? spreadOf(view.values) : h("p", { class: "muted" }, "reading its values…"),
      h("h4", {}, "Used in"), h("p", {}, one.used.length ? one.used.join(" · ") : h("span", { class: "muted" }, "no saved audience")),
      h("h4", {}, "SQL"), h("pre", { class: "sql" }, one.sql));
  }

  function draw() {
    const fields = model.get("fields");
    const place = model.get("place");
    const groups = ["All", ...new Set(fields.map((one) => one.group))];
    const typed = view.search.trim().toLowerCase();
    const inGroup = (group) => fields.filter((one) => group === "All" || one.group === group);
    const found = inGroup(view.group).filter((one) => `${one.name} ${one.words}`.toLowerCase().includes(typed));
    const rows = found.slice(0, view.shown).map((one) => h("tr", { class: one.name === view.picked ? "sel" : "" },
      h("td", {}, h("button", { type: "button", class: "quiet pickfield", key: `field-${one.name}`, "aria-pressed": String(one.name === view.picked), on: { click: () => pick(one.name) } }, h("span", { class: "mono" }, one.name)), h("div", { class: "muted clip", title: one.words }, one.words)),
      h("td", {}, one.type, " ", one.pii ? icon("person", "personal data") : null),
      h("td", {}, one.filled === null ? h("span", { class: "muted" }, "not built") : h("span", { class: "row" }, bar(one.filled, one.people, `filled for ${share(one.filled, one.people)}`), h("span", { class: "num" }, share(one.filled, one.people)))),
      h("td", { class: "hide-n" }, miniature(one)),
      h("td", { class: "num" }, one.used.length || "–")));
    const more = found.length > view.shown ? button(`Show ${Math.min(SHOWN, found.length - view.shown)} more`, () => go({ shown: view.shown + SHOWN }), { key: "more" }) : null;
    renew(body, h("div", {},
      h("div", { class: "head" }, h("div", {}, h("h2", {}, "Fields"), h("div", { class: "crumbs" }, h("span", {}, "profile of ", h("b", {}, place.connection), place.as_of ? `, ${number(place.people)} contacts` : ""), h("span", {}, "·"), h("span", {}, place.as_of ? `as of ${place.as_of}` : "not built yet"))),
        button("New field", () => edit(null), { shape: "plus", key: "new" })),
      place.as_of ? null : note("", "No profile is built yet, so no field has values.", "Pull first, then build one: ", h("code", {}, `ws.build("${place.connection}")`)),
      view.saved ? note("ok", `Saved ${view.saved}.`, "It is a column from the next build on: ws.build()") : null,
      h("div", { class: "row wrap filters" }, h("input", { type: "search", key: "search", "aria-label": "Search fields", placeholder: `Search ${fields.length} fields`, value: view.search, on: { input: (event) => go({ search: event.target.value, shown: SHOWN }) } }),
        h("span", { class: "seg", role: "group", "aria-label": "Kinds of field" }, groups.map((one) => h("button", { type: "button", key: `group-${one}`, "aria-pressed": String(one === view.group), on: { click: () => go({ group: one, shown: SHOWN }) } }, `${one} ${inGroup(one).length}`)))),
      h("div", { class: place.as_of || view.picked || view.editing ? "g31" : "unbuilt" },
        h("div", {}, h("table", { class: "tall pad" }, h("thead", {}, h("tr", {}, ["Field", "Type", "Filled"].map((one) => h("th", { scope: "col" }, one)), h("th", { scope: "col", class: "hide-n" }, "Distribution"), h("th", { scope: "col", class: "num" }, "Used in"))), h("tbody", {}, rows)),
          found.length ? null : note("", `No field is called like “${view.search}”.`, "Search looks at names and descriptions."),
          h("div", { class: "foot" }, `${Math.min(view.shown, found.length)} of ${found.length} shown`, more)),
        view.editing ? editor() : place.as_of || view.picked ? detail() : null)));
  }

  model.on("change:fields", draw);
  draw();
  // A panel that is empty says nothing: it begins with a field that has something to show.
  const first = model.get("fields").find((one) => one.name === "opens_90d" && one.bars.length) ?? model.get("fields").find((one) => one.bars.length) ?? model.get("fields")[0];
  if (first && model.get("place").as_of) pick(first.name);
  return () => { python.close(); model.off("change:fields", draw); root.remove(); };
}

export default { render };
