// The controls of one rule: they read as a sentence, and each is named with its rule. `b` is the view (builder.js).

/** A native select; options are [value, label] or {group, options}, made only when they changed. */
function choose({ name, value, options, act, key, kind = "", sig = null, title = null }) {
  const flat = options.flatMap((each) => each.options ?? [each]);
  const known = flat.find(([each]) => String(each) === String(value));
  const option = ([each, label]) => h("option", { value: String(each) }, label);
  const make = () => [
    known ? [] : [option([value, blank(value) ? "choose…" : String(value)])],
    options.map((each) => (each.options ? h("optgroup", { label: each.group }, each.options.map(option)) : option(each))),
  ].flat(2);
  const select = h("select", { "aria-label": name, class: kind, key, title, style: { "--w": `${(known?.[1] ?? String(value ?? "")).length + 1}ch` } });
  select.icxFill = { sig: `${sig ?? JSON.stringify(options)}${known ? "" : `?${value}`}`, make };
  select.icxValue = String(value ?? "");
  listen(select, { change: (event) => act(event.target.value) });
  return select;
}

/** A text field that commits when it is left or Enter is pressed. */
function entry({ name, value, act, key, kind = "", wide = null, type = "text", mode = null, hold = null, invalid = false, describe = null, list = null, focus = null }) {
  const shown = value === null || value === undefined ? "" : String(value);
  let last = shown;
  const commit = (event) => {
    if (event.target.value === last) return;
    last = event.target.value;
    act(event.target.value);
  };
  return h("input", {
    type, "aria-label": name, class: kind, key, value: shown, inputmode: mode, placeholder: hold, autocomplete: "off", spellcheck: "false", list,
    "aria-invalid": invalid ? "true" : null, "aria-describedby": invalid ? describe : null,
    style: wide === null ? null : { width: `calc(${Math.min(Math.max(wide, shown.length), 34)}ch + 20px)` },
    on: { change: commit, keydown: (event) => event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey && commit(event), ...(focus ? { focus } : {}) },
  });
}

const words = (text) => h("span", { class: "w" }, text);
const unit = (...parts) => h("span", { class: "unit" }, parts);

/** Everything after the field: operator and value, by type. */
function inputs(b, leaf) {
  const type = b.cat.type(leaf);
  if (!leaf.field) return [];
  if (type === "event") return eventInputs(b, leaf);
  if (type === "list" || type === "audience") return namedInputs(b, leaf, type);
  return [keyInput(b, leaf), operatorInput(b, leaf, type), valueInputs(b, leaf, type)];
}

function fieldInput(b, leaf) {
  const options = [...b.cat.groups].map(([group, entries]) => ({ group, options: entries.map((each) => [each.name, each.label]) }));
  return choose({
    name: b.named(leaf, "Field"), value: leaf.field, options, sig: b.cat.sig, key: `${leaf.id}:field`, kind: "field",
    title: b.cat.entry(leaf.field)?.description ?? null,
    act: (field) => b.put(leaf, firstLeaf(b.cat, field, leaf.id), `chose ${b.cat.label(field)}`, true),
  });
}

function keyInput(b, leaf) {
  const field = b.cat.entry(leaf.field);
  if (field?.type !== "map") return null;
  const keys = (field.keys ?? []).map((key) => [key, key]);
  const act = (key) => {
    const next = { ...leaf, key: key || undefined };
    const chosen = b.cat.operators(next)[0];
    const kept = b.cat.operators(next).find((each) => each.op === leaf.operator) ?? (key ? b.cat.operators(next).find((each) => each.op === ">=") : null) ?? chosen;
    b.put(leaf, { key: key || undefined, operator: kept.op, value: firstValue(b.cat.type(next), kept.input, leaf.key === undefined ? null : leaf.value) }, "changed the entry");
  };
  return unit(words("of"), choose({ name: b.named(leaf, "Entry"), value: leaf.key ?? "", options: [["", "any"], ...keys], key: `${leaf.id}:key`, act }));
}

function operatorInput(b, leaf, type) {
  const list = b.cat.operators(leaf);
  const current = b.cat.operator(leaf);
  const named = (each) => `${each.op}|${each.input}`;
  const plainOnes = list.filter((each) => !each.any_case).map((each) => [named(each), each.label]);
  const twins = list.filter((each) => each.any_case).map((each) => [named(each), each.label]);
  const options = twins.length ? [...plainOnes, { group: "upper and lower case alike", options: twins }] : plainOnes;
  return choose({
    name: b.named(leaf, "Operator"), value: named(current), options, key: `${leaf.id}:op`, sig: `${type}${list.length}`,
    act: (chosen) => {
      const next = list.find((each) => named(each) === chosen);
      b.put(leaf, { operator: next.op, value: firstValue(type, next.input, leaf.value) }, `changed “${current.label}” to “${next.label}”`);
    },
  });
}

function valueInputs(b, leaf, type) {
  const { input } = b.cat.operator(leaf);
  const set = (value) => b.put(leaf, { value }, `changed “${shortly(leaf.value)}” to “${shortly(value)}”`);
  const measured = type === "integer" || type === "number" || type === "time";
  const one = (bound, place) => {
    if (type === "time") return dateInput(b, leaf, bound.value, bound.set, bound.name, place);
    return entry({
      name: b.named(leaf, bound.name), value: bound.value, act: (text) => bound.set(numberFrom(text)), key: `${leaf.id}:value${place}`, kind: "n", wide: 3, mode: "decimal",
      invalid: b.wrong(leaf), describe: b.messageId(leaf),
    });
  };
  switch (input) {
    case "none": return null;
    case "many": return [...chips(b, leaf), addValue(b, leaf)];
    case "pair": case "pair-date": {
      const [from, to] = bounds(b, leaf);
      return unit(one(from, 0), words("and"), one(to, 1), sketch(b, leaf));
    }
    case "days": return unit(
      entry({ name: b.named(leaf, "Days"), value: leaf.value?.days, act: (text) => set({ days: numberFrom(text) }), key: `${leaf.id}:value0`, kind: "n", wide: 3, mode: "numeric", invalid: b.wrong(leaf), describe: b.messageId(leaf) }),
      words("days"));
    case "this": return choose({ name: b.named(leaf, "Period"), value: leaf.value?.this, options: UNITS, key: `${leaf.id}:value0`, act: (text) => set({ this: text }) });
    default:
      if (type === "boolean") return choose({ name: b.named(leaf, "Value"), value: String(leaf.value), options: [["true", "yes"], ["false", "no"]], key: `${leaf.id}:value0`, act: (text) => set(text === "true") });
      if (measured) return unit(one(bounds(b, leaf)[0], 0), sketch(b, leaf));
      return textInput(b, leaf, set);
  }
}

function textInput(b, leaf, set) {
  const list = suggestions(b, leaf);
  return [
    entry({ name: b.named(leaf, "Value"), value: leaf.value, act: set, key: `${leaf.id}:value0`, wide: 12, list: list.id, focus: () => b.suggest(leaf), invalid: b.wrong(leaf), describe: b.messageId(leaf) }),
    list.element,
  ];
}

/** A native date field; what is no plain date (a moment, or a slip) stays text. */
function dateInput(b, leaf, value, act, what, place) {
  const day = blank(value) || /^\d{4}-\d\d-\d\d$/.test(value);
  return entry({
    name: b.named(leaf, what ?? "Date"), value, act, key: `${leaf.id}:value${place}`, type: day ? "date" : "text", wide: day ? null : 17,
    invalid: b.wrong(leaf), describe: b.messageId(leaf),
  });
}

/** Values offered while typing, from Python, once the field was entered. */
function suggestions(b, leaf) {
  const known = b.s.suggested.get(leaf.id);
  const id = b.domId(leaf, "list");
  const element = h("datalist", { id }, (known ?? []).map((each) => h("option", { value: String(each.value) }, number(each.count))));
  return { id, element };
}

/** The chosen values with how many of those who reach the rule have them. */
function chips(b, leaf) {
  const values = Array.isArray(leaf.value) ? leaf.value : [];
  const counts = b.s.chips.get(leaf.id);
  return values.map((value, at) => {
    const known = counts?.find((each) => same(each.value, value));
    const label = String(known?.label ?? value);
    return h("span", { class: "chip", title: label, key: `${leaf.id}:chip:${at}` }, h("span", { class: "clip" }, label), h("span", { class: "c" }, known ? number(known.count) : ""),
      button("", () => b.put(leaf, { value: values.filter((each) => !same(each, value)) }, `took ${label} away`, false, `${leaf.id}:add`), { shape: "x", label: b.named(leaf, `Remove ${label}`), key: `${leaf.id}:x:${at}` }));
  });
}

function addValue(b, leaf) {
  const open = b.isOpen("values", leaf.id);
  return [
    button((leaf.value ?? []).length ? "" : "Value", () => b.toggle("values", leaf.id), {
      shape: "plus", label: b.named(leaf, "Add a value"), kind: "add", key: `${leaf.id}:add`, "aria-label": b.named(leaf, "Add a value"), "aria-expanded": String(open), "aria-haspopup": "dialog",
    }),
    open ? picker(b, leaf) : null,
  ];
}

function namedInputs(b, leaf, type) {
  const noun = type === "list" ? "List" : "Audience";
  const values = (b.cat.entry(leaf.field)?.values ?? []).map((each) => (typeof each === "object" ? [each.value, each.label ?? each.value] : [each, each]));
  const list = b.cat.operators(leaf).map((each) => [each.op, each.label]);
  return [
    choose({ name: b.named(leaf, "Operator"), value: leaf.operator, options: list, key: `${leaf.id}:op`, act: (operator) => b.put(leaf, { operator }, "changed the state") }),
    choose({ name: b.named(leaf, noun), value: leaf.value ?? "", options: values, key: `${leaf.id}:value0`, act: (value) => b.put(leaf, { value }, `chose ${value}`) }),
  ];
}

/** "Opened at least 3 different messages, only links containing …, in the last 90 days". */
function eventInputs(b, leaf) {
  const put = (patch, label, focus) => b.put(leaf, patch, label, false, focus);
  const list = b.cat.operators(leaf).map((each) => [each.op, each.label]);
  const pair = leaf.operator === "between" || leaf.operator === "notBetween";
  const counts = Array.isArray(leaf.value) ? leaf.value : [leaf.value];
  const times = (at, what) => entry({
    name: b.named(leaf, what), value: counts[at], key: `${leaf.id}:value${at}`, kind: "n", wide: 3, mode: "numeric", invalid: b.wrong(leaf), describe: b.messageId(leaf),
    act: (text) => put({ value: pair ? counts.map((each, n) => (n === at ? numberFrom(text) : each)) : numberFrom(text) }, `changed “${counts[at]}” to “${text}”`),
  });
  const operator = choose({
    name: b.named(leaf, "How often"), value: leaf.operator, options: list, key: `${leaf.id}:op`,
    act: (op) => put({ operator: op, value: op === "between" || op === "notBetween" ? (pair ? leaf.value : [counts[0], counts[0]]) : counts[0] }, "changed how often"),
  });
  const many = counts.at(-1) === 1 && !pair ? ["time", "message"] : ["times", "different messages"];
  const what = leaf.message !== undefined ? words(many[0]) : choose({
    name: b.named(leaf, "Count what"), value: leaf.distinct ?? "", options: [["", many[0]], ["messages", many[1]]], key: `${leaf.id}:distinct`,
    act: (distinct) => put({ distinct: distinct || undefined }, "changed what is counted"),
  });
  return [
    operator,
    pair ? unit(times(0, "From"), words("and"), times(1, "To"), what) : unit(times(0, "Times"), what),
    conditions(b, leaf, put),
    windowInputs(b, leaf, put),
    b.isOpen("first message", leaf.id) ? picker(b, leaf, "message") : null,
  ];
}

function conditions(b, leaf, put) {
  const off = (patch, name, key) => button("", () => put(patch, `took ${name} away`, `${b.rowOf(leaf.id)}:menu`), { shape: "x", label: b.named(leaf, `Remove ${name}`), key, kind: "off" });
  const found = [];
  if (leaf.message !== undefined) {
    const open = b.isOpen("message", leaf.id);
    const label = b.s.messages.get(leaf.message) ?? `message ${leaf.message}`;
    found.push(unit(words("of"), button(label, () => b.toggle("message", leaf.id), { key: `${leaf.id}:message`, kind: "chipped", label: b.named(leaf, "Message"), "aria-label": `${b.named(leaf, "Message")}: ${label}`, "aria-expanded": String(open), "aria-haspopup": "dialog", title: label }),
      off({ message: undefined }, "the message", `${leaf.id}:message:x`), open ? picker(b, leaf, "message") : null));
  }
  if (leaf.url !== undefined) {
    found.push(unit(words("on links"),
      choose({ name: b.named(leaf, "Link"), value: leaf.url.operator, options: LINKS.map((each) => [each.op, each.label]), key: `${leaf.id}:link`, act: (operator) => put({ url: { ...leaf.url, operator } }, "changed the link") }),
      entry({ name: b.named(leaf, "Text in the link"), value: leaf.url.value, key: `${leaf.id}:url`, wide: 11, hold: "/members", act: (value) => put({ url: { ...leaf.url, value } }, `changed the link to “${value}”`) }),
      off({ url: undefined }, "the link", `${leaf.id}:url:x`)));
  }
  if (leaf.human) found.push(unit(words("by people, not machines"), off({ human: undefined }, "the condition on machines", `${leaf.id}:human:x`)));
  return found;
}

function windowInputs(b, leaf, put) {
  const how = leaf.between !== undefined ? "between" : leaf.days !== undefined ? "days" : "ever";
  const select = choose({
    name: b.named(leaf, "Window"), value: how, options: [["days", "in the last"], ["ever", "at any time"], ["between", "between"]], key: `${leaf.id}:window`,
    act: (next) => put({ days: next === "days" ? 90 : undefined, between: next === "between" ? [null, null] : undefined }, "changed the window"),
  });
  const end = (at, what) => dateInput(b, leaf, leaf.between[at], (text) => put({ between: leaf.between.map((each, n) => (n === at ? text || null : each)) }, "changed the window"), what, `w${at}`);
  if (how === "between") return unit(select, end(0, "First day"), words("and"), end(1, "Last day"));
  if (how === "ever") return unit(select);
  return unit(select, entry({ name: b.named(leaf, "Days"), value: leaf.days, key: `${leaf.id}:days`, kind: "n", wide: 3, mode: "numeric", invalid: b.wrong(leaf), describe: b.messageId(leaf), act: (text) => put({ days: numberFrom(text) }, `changed “${leaf.days}” to “${text}” days`) }), words("days"));
}

/** What a rule on events can still be narrowed to; offered in the row's menu. */
function moreConditions(b, leaf) {
  const kind = leaf.field?.startsWith("@event.") ? leaf.field.replace("@event.", "") : null;
  if (!kind) return [];
  const put = (patch, label, focus) => b.put(leaf, patch, label, false, focus);
  const found = [];
  if (leaf.message === undefined) found.push(["Only of one message…", () => b.toggle("first message", leaf.id)]);
  if (leaf.url === undefined && kind === "click") found.push(["Only on links that…", () => put({ url: { operator: "contains", value: "" } }, "asked for a link", `${leaf.id}:url`)]);
  if (!leaf.human && (kind === "open" || kind === "click" || kind === "any")) found.push(["Only by people, not machines", () => put({ human: true }, "left machines out", `${b.rowOf(leaf.id)}:menu`)]);
  return found;
}

function shortly(value) {
  if (value === null || value === undefined || value === "") return "nothing";
  if (Array.isArray(value)) return value.join(", ").slice(0, 40);
  if (typeof value === "object") return value.days !== undefined ? `${value.days} days` : String(value.this);
  return String(value).slice(0, 40);
}
