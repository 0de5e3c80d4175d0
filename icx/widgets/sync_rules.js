// The rules of a sync: IF somebody of a side meets every condition THEN they travel, and this is done to them there.

const ABOUT = [["field", "field"], ["list", "list"], ["tag", "tag"], ["status", "status"], ["unsubscribed", "unsubscribed"]];
const STATUS_WORDS = ["normal", "pending", "invitable", "bounced", "donotcontact"];
const DOES = [["create", "keep them in step, and make who is missing"], ["update", "keep in step who is there already"], ["act", "only do this to who is there"]];
const ACT_WORDS = { set: "set field", join: "add to list", leave: "take off list", tag: "tag", untag: "take tag off", unsubscribe: "UNSUBSCRIBE from list" };
const UNASKED = new Set(["empty", "filled"]);

/** A select from [value, words] pairs; a value that is not among them stays, and says so. */
function picker(key, label, value, pairs, act, empty = null) {
  const known = pairs.some(([one]) => one === value);
  const option = ([one, words]) => h("option", { value: one, selected: one === value }, words);
  const element = h("select", { key, "aria-label": label, on: { change: (event) => act(event.target.value) } },
    empty === null ? null : h("option", { value: "", selected: !value }, empty),
    value && !known ? h("option", { value, selected: true }, `${value} (not there)`) : null, pairs.map(option));
  element.value = value;
  element.icxValue = value;
  return element;
}

function typed(key, label, value, act, placeholder = "") {
  return h("input", { key, "aria-label": label, value, placeholder, on: { input: (event) => act(event.target.value) } });
}

const columnsOf = (end, writable = false) => (end?.columns ?? []).filter((one) => !writable || one.writable).map((one) => [one.name, one.label === one.name ? one.name : `${one.label} (${one.name})`]);
const listsOf = (end) => (end?.lists ?? []).map((one) => [one.name, one.name]);

function conditionRow(facts, end, rule, one, change, remove) {
  const set = (part) => change({ ...one, ...part });
  const about = (value) => set({ about: value, asks: facts.asks[value][0], name: "", value: "" });
  const key = `when-${one.id}`;
  const names = one.about === "field" ? columnsOf(end) : one.about === "list" ? listsOf(end) : null;
  const name = names
    ? picker(`${key}-name`, `Which ${one.about}`, one.name, names, (value) => set({ name: value }), `choose a ${one.about}`)
    : one.about === "tag" ? typed(`${key}-name`, "Which tag", one.name, (value) => set({ name: value }), "tag") : null;
  const asks = picker(`${key}-asks`, "How", one.asks, facts.asks[one.about].map((each) => [each, each]), (value) => set({ asks: value }));
  const value = one.about === "status"
    ? picker(`${key}-value`, "Which status", one.value, STATUS_WORDS.map((each) => [each, each]), (given) => set({ value: given }), "choose")
    : one.about === "field" && !UNASKED.has(one.asks) ? typed(`${key}-value`, "Value", one.value, (given) => set({ value: given }), "value") : null;
  return h("div", { class: "row wrap", key, role: "group", "aria-label": "Condition" },
    picker(`${key}-about`, "About", one.about, ABOUT, about), name, asks, value,
    button("", remove, { shape: "x", label: "Remove this condition", kind: "more", key: `${key}-remove` }));
}

function actionRow(end, one, change, remove) {
  const set = (part) => change({ ...one, ...part });
  const key = `then-${one.id}`;
  const can = new Set(end?.can ?? ["lists", "tags", "unsubscribe"]);
  const needs = { join: "lists", leave: "lists", tag: "tags", untag: "tags", unsubscribe: "unsubscribe" };
  const kinds = Object.entries(ACT_WORDS).filter(([kind]) => !needs[kind] || can.has(needs[kind]) || kind === one.kind);
  const lists = ["join", "leave", "unsubscribe"].includes(one.kind);
  const name = one.kind === "set"
    ? picker(`${key}-name`, "Which field", one.name, columnsOf(end, true), (value) => set({ name: value }), "choose a field")
    : lists ? picker(`${key}-name`, "Which list", one.name, listsOf(end), (value) => set({ name: value }), "choose a list")
    : typed(`${key}-name`, "Which tag", one.name, (value) => set({ name: value }), "tag");
  const undo = one.kind === "unsubscribe"
    ? h("span", { class: "small t-bad" }, "cannot be taken back")
    : h("label", { class: "row small" }, h("input", { type: "checkbox", key: `${key}-undo`, checked: one.undo, on: { change: (event) => set({ undo: event.target.checked }) } }), "undo it when it no longer holds");
  return h("div", { class: "row wrap", key, role: "group", "aria-label": "Action" },
    picker(`${key}-kind`, "What", one.kind, kinds, (value) => set({ kind: value, name: "", value: "", undo: value === "unsubscribe" ? false : one.undo })), name,
    one.kind === "set" ? typed(`${key}-value`, "To", one.value, (value) => set({ value }), "value") : null, undo,
    button("", remove, { shape: "x", label: "Remove this action", kind: "more", key: `${key}-remove` }));
}

/** One rule as a panel; `put` gets the rule as it is to be, `drop` takes it out. */
function rulePanel({ facts, draft, ends, rule, at, wrong, fresh, put, drop }) {
  const here = rule.side === "a" ? draft.a : draft.b;
  const there = rule.side === "a" ? draft.b : draft.a;
  const part = (name, id, value) => put({ ...rule, [name]: value === null ? rule[name].filter((one) => one.id !== id) : rule[name].map((one) => (one.id === id ? value : one)) });
  const add = (name, value) => put({ ...rule, [name]: [...rule[name], { id: fresh(), ...value }] }, name);
  const rows = rule.when.map((one) => conditionRow(facts, ends[here], rule, one, (value) => part("when", one.id, value), () => part("when", one.id, null)));
  const acts = rule.then.map((one) => actionRow(ends[there], one, (value) => part("then", one.id, value), () => part("then", one.id, null)));
  const sides = [["a", draft.a || "the first"], ["b", draft.b || "the second"]];
  return h("section", { class: `panel${wrong ? " err" : ""}`, key: `rule-${rule.id}`, "aria-label": `Rule ${at + 1}` },
    h("div", { class: "ph" }, h("h3", {}, `Rule ${at + 1}`), button("", drop, { shape: "x", label: `Remove rule ${at + 1}`, kind: "more", key: `rule-${rule.id}-remove` })),
    h("div", { class: "row wrap" }, h("span", {}, rule.when.length ? "If somebody of" : "Everybody of"), picker(`rule-${rule.id}-side`, "Whose people", rule.side, sides, (side) => put({ ...rule, side })), rule.when.length ? h("span", {}, "meets all of") : null),
    rows, h("div", { class: "row" }, button("Condition", () => add("when", { about: "field", asks: "is", name: "", value: "" }), { shape: "plus", kind: "add", key: `rule-${rule.id}-when` })),
    h("div", { class: "row wrap" }, h("span", {}, `then in ${there || "the other"}`), picker(`rule-${rule.id}-does`, "What happens", rule.does, DOES, (does) => put({ ...rule, does }))),
    acts, h("div", { class: "row" }, button("Action", () => add("then", { kind: "set", name: "", value: "", undo: true }), { shape: "plus", kind: "add", key: `rule-${rule.id}-then` })),
    wrong ? h("p", { class: "small t-bad", role: "alert" }, wrong) : null);
}
