// A number's or a date's histogram: small in its row, large to set the rule's bounds on it with the pointer or with keys.

const DAY = 86_400_000;

/**
 * The bounds of a rule on a number or a date, which its inputs and the histogram's handles both edit. `lower` says which
 * side is kept, `past` whether the bound itself is on the other side of the handle; a rule that keeps one value has none of the two.
 */
function bounds(b, leaf) {
  const { input } = b.cat.operator(leaf);
  const set = (value) => b.put(leaf, { value }, `changed “${shortly(leaf.value)}” to “${shortly(value)}”`);
  if (input === "pair" || input === "pair-date") {
    const end = (at) => (value) => set(leaf.value.map((each, n) => (n === at ? value : each)));
    return [{ name: "From", value: leaf.value[0], lower: true, past: false, set: end(0) }, { name: "To", value: leaf.value[1], lower: false, past: true, set: end(1) }];
  }
  const name = b.cat.type(leaf) === "time" ? "Date" : "Number";
  const side = { ">=": [true, false], ">": [true, true], "<=": [false, true], "<": [false, false] }[leaf.operator] ?? [null, false];
  return [{ name, value: leaf.value, lower: side[0], past: side[1], set }];
}

/** Where values stand among the columns of a histogram: 0 is before the first column, `columns` after the last, whatever each is wide. */
function axisOf(b, leaf, known) {
  const type = b.cat.type(leaf);
  const dates = type === "time";
  const amount = (value) => {
    const found = blank(value) ? NaN : dates ? Date.parse(value) / DAY : Number(value);
    return Number.isFinite(found) ? found : null; // what is only being typed has no place
  };
  const edges = known.bins.map((each) => amount(dates ? `${each.from}Z` : each.from));
  const columns = edges.length;
  const end = amount(dates ? `${known.bins.at(-1).to}Z` : known.bins.at(-1).to);
  const [low, high] = dates ? [Math.floor(edges[0]), Math.floor(end)] : [edges[0], end];
  const unit = type === "number" ? roundStep((high - low) / 200) : 1;
  edges.push(Math.max(end, edges.at(-1) + unit));
  return {
    columns, edges, unit, low, high, amount,
    past: (bound) => (bound.past && type !== "number" ? unit : 0),
    at(given) {
      if (given <= edges[0]) return 0;
      const n = edges.findIndex((edge) => edge > given) - 1;
      return n < 0 ? columns : n + (given - edges[n]) / (edges[n + 1] - edges[n]);
    },
    from(place) {
      const n = Math.min(columns - 1, Math.max(0, Math.floor(place)));
      return edges[n] + (place - n) * (edges[n + 1] - edges[n]);
    },
    /** An amount as the rule has it, within what there is. */
    value(given) {
      const inside = Math.min(Math.max(given, low), high);
      if (dates) return new Date(Math.round(inside) * DAY).toISOString().slice(0, 10);
      return type === "integer" ? Math.round(inside) : Number((Math.round(inside / unit) * unit).toPrecision(12));
    },
    words: (value) => (amount(value) === null ? "not set" : dates ? dayWords(amount(value)) : number(value)),
    tick: (given) => (dates ? dayWords(given, false) : number(type === "integer" ? Math.round(given) : Number(given.toPrecision(3)))),
  };
}

function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least > 0 ? least : 1));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= least) ?? power;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function dayWords(days, whole = true) {
  const day = new Date(Math.floor(days) * DAY);
  return `${whole ? `${day.getUTCDate()} ` : ""}${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}`;
}

/** From where to where the bounds keep people, in columns; `outside` when it is the rest that is kept. */
function keptSpan(b, leaf, axis) {
  let [first, last] = [0, axis.columns];
  for (const bound of bounds(b, leaf)) {
    const given = axis.amount(bound.value);
    if (given === null) continue;
    if (bound.lower === null) return { first: axis.at(given), last: axis.at(given + axis.unit), outside: leaf.operator === "!=" };
    if (bound.lower) first = axis.at(given + axis.past(bound));
    else last = axis.at(given + axis.past(bound));
  }
  return { first, last: Math.max(first, last), outside: leaf.operator === "notBetween" };
}

/** The columns, those that are kept in blue as far as they are kept; `tall` high. */
function columnsView(known, span, tall, more) {
  const most = Math.max(...known.bins.map((each) => each.count), 1);
  const made = known.bins.flatMap((each, n) => {
    if (!each.count) return [];
    const high = Math.max(1, (each.count / most) * (tall - 1));
    const piece = (kind, from, to) => (to - from > 0.01 ? s("rect", { x: from.toFixed(3), y: (tall - high).toFixed(1), width: (to - from).toFixed(3), height: high.toFixed(1), class: kind }) : []);
    const [left, right] = [n, n + 0.88];
    const [from, to] = [Math.min(Math.max(span.first, left), right), Math.min(Math.max(span.last, left), right)];
    const [kept, rest] = span.outside ? ["g", "b"] : ["b", "g"];
    return [piece(rest, left, from), piece(kept, from, to), piece(rest, to, right)];
  });
  return s("svg", { viewBox: `0 0 ${known.bins.length} ${tall}`, preserveAspectRatio: "none", ...more }, ...made);
}

/** Beside the inputs: columns, kept ones blue, and range and median in words; it opens the large one where there are bounds. */
function sketch(b, leaf) {
  const known = b.s.histograms.get(leaf.id);
  if (!known?.bins?.length) return h("span", { class: "sketch" });
  const axis = axisOf(b, leaf, known);
  const dates = b.cat.type(leaf) === "time";
  const said = dates ? `${axis.tick(axis.low)} – ${axis.tick(axis.high)}` : `${number(known.low)}–${number(known.high)}, median ${number(known.median)}`;
  const name = `${b.cat.label(leaf.field)}: ${said}`;
  const opens = bounds(b, leaf).every((each) => each.lower !== null);
  const picture = columnsView(known, keptSpan(b, leaf, axis), 22, { width: 96, height: 22, ...(opens ? { "aria-hidden": "true" } : { role: "img", "aria-label": name }) });
  const open = b.isOpen("brush", leaf.id);
  const shown = opens
    ? h("button", { type: "button", class: "brush", key: `${leaf.id}:brush`, "aria-label": b.named(leaf, "Set on the histogram"), "aria-expanded": String(open), "aria-haspopup": "dialog", title: `${name}. Set the bounds on the histogram`, on: { click: () => b.toggle("brush", leaf.id) } }, picture)
    : picture;
  return h("span", { class: "sketch" }, shown, h("span", { class: "label" }, said), open ? brushView(b, leaf, known) : null);
}

/** The large histogram with a handle for each bound. What is dragged is a draft until the pointer lets go or keys are quiet. */
function brushView(b, leaf, known) {
  const axis = axisOf(b, leaf, known);
  const draft = drafted(b, leaf);
  const span = keptSpan(b, draft, axis);
  const all = known.bins.reduce((sum, each) => sum + each.count, 0);
  const inside = known.bins.reduce((sum, each, n) => sum + each.count * Math.max(0, Math.min(span.last, n + 1) - Math.max(span.first, n)), 0);
  const handles = bounds(b, draft);
  const now = (each) => axis.amount(each.value) ?? (each.lower ? axis.low : axis.high);
  const stands = (each) => axis.at(now(each) + axis.past(each));
  const put = (at, given) => b.brush(leaf, at, axis.value(inOrder(axis, handles, at, given)));
  const pointed = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    return (Math.min(Math.max(event.clientX - box.left, 0), box.width) / box.width) * axis.columns;
  };
  const plot = {
    pointerdown: (event) => {
      const where = pointed(event);
      const nearest = handles.map((each, at) => [Math.abs(stands(each) - where), at]).sort((one, two) => one[0] - two[0])[0][1];
      event.preventDefault();
      event.currentTarget.setPointerCapture(event.pointerId);
      focusKey(b.root, `${leaf.id}:handle:${nearest}`);
      b.s.held = nearest;
      put(nearest, axis.from(where) - axis.past(handles[nearest]));
    },
    pointermove: (event) => b.s.held !== null && put(b.s.held, axis.from(pointed(event)) - axis.past(handles[b.s.held])),
    pointerup: () => b.brushed(),
    pointercancel: () => b.brushed(),
  };
  const handle = (each, at) => h("div", {
    role: "slider", tabindex: "0", class: "handle", key: `${leaf.id}:handle:${at}`, "data-first": at ? null : "", "aria-label": b.named(leaf, each.name), "aria-valuemin": axis.low, "aria-valuemax": axis.high,
    "aria-valuenow": now(each), "aria-valuetext": axis.words(each.value), style: { left: `${(100 * stands(each)) / axis.columns}%` },
    on: { keydown: (event) => handleKeys(b, event, axis, now(each), (given) => put(at, given)), blur: () => b.brushed() },
  });
  const words_ = handles.map((each) => axis.words(each.value)).join(" and ");
  return pop(b, `${leaf.id}:brush`, { class: "brushing", role: "dialog", "aria-label": b.named(leaf, "Bounds") },
    h("div", { class: "plot", key: `${leaf.id}:plot`, on: plot }, columnsView(known, span, 120, { "aria-hidden": "true" }), handles.map(handle)),
    h("div", { class: "ticks label", "aria-hidden": "true" }, [0, 1, 2, 3, 4].map((n) => h("span", {}, axis.tick(n === 4 ? axis.high : axis.from((axis.columns * n) / 4))))),
    h("div", { class: "row between foot" },
      h("span", {}, `${b.cat.operator(leaf).label} `, h("b", {}, words_), h("span", { class: "muted" }, ` · about ${number(Math.round(span.outside ? all - inside : inside))} of ${number(all)} with a value`)),
      button("Done", () => b.close(`${leaf.id}:brush`), { kind: "primary" })));
}

/** A rule as its handles stand now. */
function drafted(b, leaf) {
  const { draft } = b.s;
  if (draft?.id !== leaf.id) return leaf;
  return { ...leaf, value: Array.isArray(leaf.value) ? leaf.value.map((each, n) => (n === draft.at ? draft.value : each)) : draft.value };
}

/** A handle stops at the other one. */
function inOrder(axis, handles, at, given) {
  const beside = handles.length > 1 ? axis.amount(handles[1 - at].value) : null;
  if (beside === null) return given;
  return at ? Math.max(given, beside) : Math.min(given, beside);
}

function handleKeys(b, event, axis, now, put) {
  const way = { ArrowRight: 1, ArrowUp: 1, PageUp: 1, ArrowLeft: -1, ArrowDown: -1, PageDown: -1 }[event.key];
  if (event.key === "Enter") {
    event.preventDefault();
    b.brushed();
  } else if (event.key === "Home" || event.key === "End") {
    event.preventDefault();
    put(event.key === "Home" ? axis.low : axis.high);
  } else if (way) {
    event.preventDefault();
    const far = event.shiftKey || event.key.startsWith("Page");
    put(now + way * (far ? Math.max(axis.unit, axis.edges[1] - axis.edges[0]) : axis.unit));
  }
}

/** Give the view its handles: a draft is drawn at once, and becomes an edit of its rule as if it had been typed. */
function brushing(b) {
  const quiet = settled(400, () => b.s.held === null && b.brushed());
  b.brush = (leaf, at, value) => {
    if (b.s.draft && (b.s.draft.id !== leaf.id || b.s.draft.at !== at)) b.brushed();
    b.change({ draft: { id: leaf.id, at, value } });
    quiet();
  };
  b.brushed = () => {
    const { draft } = b.s;
    Object.assign(b.s, { draft: null, held: null });
    const leaf = draft && find(b.s.doc, draft.id);
    if (leaf) bounds(b, leaf)[draft.at]?.set(draft.value);
  };
}
