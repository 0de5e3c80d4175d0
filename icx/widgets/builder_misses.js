// Nearest misses: whom one rule alone keeps out, how many, some of them masked, and what they have where the rule looks.

function missesView(b) {
  const shown = b.figures();
  const misses = shown?.misses ?? [];
  if (!shown) return h("p", { class: "muted small" }, "It stands here once the audience is counted.");
  if (!misses.length) return h("p", { class: "muted small" }, "It takes two rules that all must be true; with one, it is everybody who is out.");
  const most = Math.max(1, ...misses.map((each) => each.count));
  return h("ul", { class: `misses${b.dimmed() ? " busy" : ""}` }, misses.map((each) => missRow(b, each, most)));
}

/** What the fold says of itself while it is closed. */
function missesHint(b) {
  const misses = b.figures()?.misses ?? [];
  const sum = misses.reduce((all, each) => all + each.count, 0);
  if (!misses.length) return "who is out because of one rule alone";
  if (!sum) return "nobody is out because of one rule alone";
  return sum === 1 ? "1 person is out because of one rule alone" : `${number(sum)} people are out because of one rule alone`;
}

function missRow(b, each, most) {
  const open = b.s.miss?.id === each.id;
  const words_ = each.rule.slice(0, 1).toUpperCase() + each.rule.slice(1);
  const label = `${number(each.count)} fail only this rule: ${each.rule}`;
  return h("li", { key: `miss:${each.id}` },
    h("div", { class: "row" }, h("span", { class: "clip", title: words_ }, words_), bar(each.count, most, label), h("span", { class: "num" }, number(each.count)),
      each.count ? h("button", { type: "button", class: "link", key: `miss-show:${each.id}`, "aria-expanded": String(open), "aria-label": `${open ? "Hide" : "Show"} who fails only this rule: ${each.rule}`, on: { click: () => b.miss(each.id) } }, open ? "hide" : "who?") : h("span")),
    open ? h("div", { class: "who-miss", role: "group", "aria-label": `Fail only: ${each.rule}` }, missed(b)) : null);
}

function missed(b) {
  const told = b.s.miss.told;
  if (told?.error) return h("p", { class: "muted small" }, told.error.message);
  if (!told) return h("p", { class: "muted small" }, waitingLine(b, "misses") ?? "looking…");
  if (!told.rows.length) return h("p", { class: "muted small" }, "Nobody any more.");
  return [
    peopleTable(b, told, { title: "What they have there", values: told.facts, out: true }),
    h("p", { class: "label" }, `${number(told.rows.length)} of ${number(told.of)}, at random · ${told.masked ? "addresses masked" : "addresses shown"}`, waitingLine(b, "misses")),
  ];
}

/** Some people as rows, each with the way to why; `also` is a column of what else is known of each. */
function peopleTable(b, told, also = null) {
  const cell = (value, column, at) => {
    const text = blank(value) ? (column.name?.includes("name") ? "no name" : "–") : typeof value === "number" ? number(value) : String(value);
    return h("td", { class: `${column.num ? "num" : at === 0 ? "mono" : ""}${blank(value) ? " muted" : ""}` }, h("span", { class: "clip", title: text }, text));
  };
  const head = (words_, kind = null) => h("th", { class: kind, scope: "col" }, h("span", { class: "clip", title: words_ }, words_));
  const why = (row, at) => h("button", { type: "button", class: "link", key: `${also ? "miss-" : ""}why:${at}`, "aria-label": `Why is ${row[0]} ${also?.out ? "out" : "in"}?`, on: { click: () => b.why(String(told.ids[at])) } }, "why?");
  return h("div", { class: "scroll" }, h("table", { class: "members" },
    h("thead", {}, h("tr", {}, told.columns.map((each) => head(each.label, each.num ? "num" : null)), also ? head(also.title, "free") : null, h("th", { class: "num" }, h("span", { class: "sr" }, "Why")))),
    h("tbody", {}, told.rows.map((row, at) => h("tr", {}, row.map((value, n) => cell(value, told.columns[n], n)), also ? h("td", { class: "free" }, also.values[at]) : null, h("td", { class: "num" }, why(row, at)))))));
}
