// What a rule's field takes: its operators, a first value, whether it is finished, and what is wrong with it.

const EVENT_COUNTS = [
  { op: ">=", label: "at least" }, { op: "<=", label: "at most" }, { op: "=", label: "exactly" }, { op: ">", label: "more than" },
  { op: "<", label: "fewer than" }, { op: "between", label: "between" },
];
const LINKS = [
  { op: "contains", label: "containing" }, { op: "doesNotContain", label: "not containing" }, { op: "beginsWith", label: "starting with" },
  { op: "endsWith", label: "ending with" }, { op: "=", label: "exactly" },
];
const UNITS = [["day", "day"], ["week", "week"], ["month", "month"], ["year", "year"]];
const FIRST = { text: "in", integer: ">=", number: ">=", boolean: "=", time: "within", set: "in", map: "has", list: "on", audience: "in", event: ">=" };

/** The catalogue as the rows need it. */
function catalogueOf(model) {
  const all = model.get("catalogue") ?? [];
  const operators = model.get("operators") ?? {};
  const byName = new Map(all.map((entry) => [entry.name, entry]));
  const groups = new Map();
  for (const entry of all) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
  return {
    groups,
    sig: String(all.length) + (all.at(-1)?.name ?? "") + all.map((entry) => entry.values?.length ?? "").join(""),
    entry: (name) => byName.get(name) ?? null,
    label: (name) => byName.get(name)?.label ?? name,
    all,
    /** The type a rule compares: a map's entry has the type of its values. */
    type(leaf) {
      const entry = byName.get(leaf.field);
      if (!entry) return leaf.field?.startsWith("@event.") ? "event" : "text";
      return entry.type === "map" && leaf.key !== undefined ? entry.of : entry.type;
    },
    operators(leaf) {
      const type = this.type(leaf);
      return operators[type] ?? (type === "event" ? EVENT_COUNTS : [{ op: "=", label: "is", input: "one" }]);
    },
    operator(leaf) {
      const same = this.operators(leaf).filter((each) => each.op === leaf.operator);
      const shape = leaf.value?.this !== undefined ? "this" : leaf.value?.days !== undefined ? "days" : null;
      return same.find((each) => shape && each.input === shape) ?? same[0] ?? { op: leaf.operator, label: leaf.operator, input: "one" };
    },
  };
}

/** A rule on a field as it begins: what can be known is there, the rest is asked for. */
function firstLeaf(catalogue, field, id = newId()) {
  if (!field) return { id, field: "", operator: "", value: null };
  const leaf = { id, field };
  const type = catalogue.type(leaf);
  const list = catalogue.operators(leaf);
  const chosen = list.find((each) => each.op === FIRST[type]) ?? list[0];
  leaf.operator = chosen.op;
  leaf.value = firstValue(type, chosen.input, null);
  if (type === "event") leaf.days = 90;
  return leaf;
}

/** A value for an operator's input; what was there before stays when it fits. */
function firstValue(type, input, before) {
  if (type === "event") return before ?? 1;
  if (type === "list" || type === "audience") return before ?? "";
  const one = Array.isArray(before) ? before[0] : before !== null && typeof before === "object" ? null : before;
  switch (input) {
    case "none": return null;
    case "many": return Array.isArray(before) ? before.filter((each) => each !== "") : one === null || one === "" || one === undefined ? [] : [one];
    case "pair": case "pair-date": return Array.isArray(before) && before.length === 2 ? before : [one ?? "", ""];
    case "days": return before?.days !== undefined ? before : { days: 30 };
    case "this": return before?.this !== undefined ? before : { this: "month" };
    default: return type === "boolean" ? (typeof one === "boolean" ? one : true) : (one ?? "");
  }
}

const blank = (value) => value === "" || value === null || value === undefined;

/** Whether a rule says enough to be counted. */
function isFinished(catalogue, leaf) {
  if (!leaf.field || !leaf.operator) return false;
  const type = catalogue.type(leaf);
  if (type === "event") {
    const counts = Array.isArray(leaf.value) ? leaf.value : [leaf.value];
    const open = leaf.between && leaf.between.every(blank);
    return !counts.some(blank) && !(leaf.url && blank(leaf.url.value)) && leaf.days !== "" && leaf.message !== "" && !open;
  }
  if (leaf.key === "") return false;
  const { input } = catalogue.operator(leaf);
  if (type === "list" || type === "audience") return !blank(leaf.value);
  if (input === "none") return true;
  if (input === "many") return Array.isArray(leaf.value) && leaf.value.length > 0;
  if (input === "pair" || input === "pair-date") return Array.isArray(leaf.value) && !leaf.value.some(blank);
  if (input === "days") return !blank(leaf.value?.days);
  return !blank(leaf.value);
}

function missingWords(catalogue, leaf) {
  if (!leaf.field) return "Choose what this rule is about.";
  const type = catalogue.type(leaf);
  const { input } = catalogue.operator(leaf);
  if (type === "list") return "Choose a list.";
  if (type === "audience") return "Choose an audience.";
  if (leaf.key === "") return "Choose an entry.";
  if (input === "many") return "Add at least one value.";
  return "Enter a value.";
}

const DATE = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** What is wrong with a rule, as far as it can be seen here; Python has the last word. */
function problem(catalogue, leaf) {
  const type = catalogue.type(leaf);
  if (type === "list" || type === "audience" || !leaf.field) return null;
  if (type === "event") {
    const counts = Array.isArray(leaf.value) ? leaf.value : [leaf.value];
    if (counts.some((each) => !blank(each) && !(Number.isInteger(each) && each >= 0))) return "Enter a whole number, for example 3.";
    if (counts.length === 2 && counts[0] > counts[1]) return "Enter the smaller number first.";
    if (!blank(leaf.days) && !(typeof leaf.days === "number" && leaf.days > 0)) return "Enter a number of days, for example 90.";
    const ends = (leaf.between ?? []).filter((each) => !blank(each));
    return ends.length === 2 && ends[0] > ends[1] ? "Enter the earlier date first." : null;
  }
  const { input } = catalogue.operator(leaf);
  if (input === "none" || input === "this") return null;
  if (input === "days") return blank(leaf.value?.days) || (typeof leaf.value.days === "number" && leaf.value.days > 0) ? null : "Enter a number of days, for example 30.";
  const values = (Array.isArray(leaf.value) ? leaf.value : [leaf.value]).filter((each) => !blank(each));
  const pair = input === "pair" || input === "pair-date";
  if (type === "integer" && values.some((each) => typeof each !== "number")) return "Enter a whole number, for example 50.";
  if (type === "number" && values.some((each) => typeof each !== "number")) return "Enter a number, for example 12.5.";
  if (type === "time" && values.some((each) => !DATE.test(String(each)))) return "Enter a date, for example 2026-11-21.";
  if (pair && values.length === 2 && values[0] > values[1]) return type === "time" ? "Enter the earlier date first." : "Enter the smaller number first.";
  return null;
}

/** What was typed for a number: the number, or the text as it is when it is none. */
function numberFrom(text) {
  const bare = text.trim().replace(/(\d)[, \u202f\u00a0](?=\d{3}(\D|$))/g, "$1").replace(MINUS, "-");
  return bare !== "" && Number.isFinite(Number(bare)) ? Number(bare) : text.trim();
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
