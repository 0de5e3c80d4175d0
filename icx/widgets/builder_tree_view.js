// The tree as rows: what a rule says, how many it keeps of those who reach it, and its menu.

function treeView(b) {
  const { doc } = b.s;
  const shown = b.figures();
  const name = b.s.name || "a new audience";
  const of = shown?.of ?? b.place.contacts;
  return h("div", { class: `tree${b.dimmed() ? " busy" : ""}`, role: "group", "aria-label": `Rules of ${name}`, key: "tree" },
    b.s.counting ? h("div", { class: "indet", "aria-hidden": "true" }) : null,
    h("div", { class: "rr cols", "aria-hidden": "true" }, h("span", {}, "Rule"), h("span", { class: "effc" }, "Kept, of those arriving"), h("span", { class: "left" }, "Left"), h("span", { class: "drop" }, "Dropped"), h("span")),
    groupView(b, doc, 0, null, { left: of, drop: "everyone", bar: bar(of ? 1 : 0, 1, `Everyone: ${number(of)}`) }),
    h("div", { class: "rr total", key: "total" }, h("div", { class: "say" }, "In the audience"),
      h("span", { class: "effc" }, bar(shown?.total ?? 0, of, `${share(shown?.total ?? 0, of)} of contacts`)),
      h("span", { class: "left" }, number(shown?.total)), h("span", { class: "drop" }, b.wrongCount() ? (b.s.good?.at ?? "").slice(0, 5) : shown ? share(shown.total, of) : "–"), h("span")));
}

function groupView(b, node, depth, parent, everyone) {
  const how = combinedAs(node);
  const any = node.combinator === "or";
  const figures = everyone ?? cells(b, node, parent);
  const say = h("div", { class: "say" },
    choose({
      name: parent ? `Combine ${b.rowName(node)}` : "Combine all rules", value: how, options: Object.entries(COMBINED), kind: "comb", key: `${node.id}:comb`, sig: "combined",
      act: (next) => b.act(setCombined(b.s.doc, node.id, next), `changed “${COMBINED[how]}” to “${COMBINED[next]}”`),
    }),
    words(node.rules.length ? "these are true" : any !== node.not ? "no rule yet: nobody" : "no rule yet: everybody"),
    any && node.rules.length > 1 && b.node(node.rules[0].id)?.alone !== undefined && b.figures()?.nodes ? h("span", { class: "label hide-n" }, "solid: kept by this rule alone") : null);
  const deeper = { "--d": depth + 1 };
  const { drag } = b.s;
  const kind = [drag?.moved && drag.group === node.id && "target", drag?.moved && drag.id === node.id && "dragged"].filter(Boolean).join(" ");
  return h("fieldset", { key: `group:${node.id}`, class: kind || null, style: { "--d": depth } },
    h("legend", { class: "sr" }, parent ? b.rowName(node) : `All rules: ${COMBINED[how]}`),
    rowShell(b, node, depth, parent, { say, figures, kind: "grp" }),
    h("div", { class: "inner", style: deeper },
      node.rules.map((each, at) => [dropLine(b, node, at), !isGroup(each) || isNot(each) ? ruleView(b, each, depth + 1, node) : groupView(b, each, depth + 1, node)]),
      dropLine(b, node, node.rules.length),
      h("div", { class: "rr d adds", key: `adds:${node.id}` }, h("div", { class: "say" },
        button("Rule", () => b.addRule(node.id), { shape: "plus", kind: "add", key: `${node.id}:add-rule`, "aria-label": parent ? `Rule in ${b.rowName(node)}` : "Rule" }),
        button("Group", () => b.addGroup(node.id), { shape: "plus", kind: "add", key: `${node.id}:add-group`, "aria-label": parent ? `Group in ${b.rowName(node)}` : "Group" })))));
}

function ruleView(b, node, depth, parent) {
  const leaf = leafOf(node);
  const say = h("div", { class: "say" },
    isNot(node) ? choose({ name: b.named(leaf, "Not"), value: "not", options: [["not", "Not"], ["", "without “Not”"]], kind: "comb", key: `${node.id}:not`, sig: "not", act: () => b.act(toggleNot(b.s.doc, node.id), "took “Not” away", `${leaf.id}:field`) }) : null,
    fieldInput(b, leaf), inputs(b, leaf),
    isFinished(b.cat, leaf) ? null : h("span", { class: "w hint" }, `${missingWords(b.cat, leaf)} Not counted yet.`));
  const wrong = b.problems.get(leaf.id);
  const empty = !wrong && emptyRow(b, node, leaf);
  return rowShell(b, node, depth, parent, {
    say, figures: cells(b, node, parent), kind: wrong ? "err" : empty ? "none" : "",
    message: wrong ? wrongRow(b, leaf, wrong) : empty,
  });
}

function rowShell(b, node, depth, parent, { say, figures, kind = "", message = null }) {
  const open = b.isOpen("menu", node.id);
  const menu = parent
    ? [h("button", {
        type: "button", class: "more", title: "Move, duplicate, remove", "aria-label": `Menu of ${b.rowName(node)}`, key: `${node.id}:menu`, "aria-haspopup": "menu", "aria-expanded": String(open),
        on: { click: () => b.toggle("menu", node.id), keydown: (event) => b.menuKey(event, node.id) },
      }, icon("dots")), open ? rowMenu(b, node, parent) : null]
    : [];
  const dragged = b.s.drag?.moved && b.s.drag.id === node.id ? "dragged" : "";
  return h("div", { class: `rr ${depth ? "d" : ""} ${kind} ${dragged}`, key: `row:${node.id}`, style: { "--d": depth } }, parent ? grip(b, node) : null, say,
    h("span", { class: "effc" }, figures.bar), h("span", { class: "left" }, typeof figures.left === "string" ? figures.left : number(figures.left)),
    h("span", { class: "drop", title: figures.title ?? null }, figures.drop), h("span", { class: "menu-cell" }, menu), message);
}

/** A row's three figures. In an any-group: what it matches by itself, and how many no other rule there keeps. */
function cells(b, node, parent) {
  const none = { left: "–", drop: "–", bar: h("span", { class: "eff" }) };
  const found = b.node(node.id);
  if (!found) return none;
  if (found.before === 0 && found.left === 0) return { ...none, title: "nobody arrives here" };
  if (parent.combinator === "or" && found.alone !== null && found.alone !== undefined) {
    const label = `${number(found.own)} of ${number(found.before)} kept, ${number(found.alone)} by this rule alone`;
    const percent = (part) => `${found.before ? Math.min(100, (100 * part) / found.before) : 0}%`;
    const parts = [found.alone ? h("i", { style: { width: percent(found.alone) } }) : null, found.own > found.alone ? h("u", { style: { width: percent(found.own - found.alone) } }) : null];
    return { left: found.own, drop: `${number(found.alone)} alone`, bar: h("span", { class: "eff", role: "img", "aria-label": label, title: label }, parts) };
  }
  const label = `${share(found.left, found.before)} kept: ${number(found.left)} of ${number(found.before)}`;
  const part = found.before ? (100 * found.left) / found.before : 0;
  return {
    left: found.left, drop: found.dropped ? `${MINUS}${number(found.dropped)}` : "0",
    bar: h("span", { class: "eff", role: "img", "aria-label": label, title: label }, part ? h("i", { style: { width: `${part}%` } }) : null),
  };
}

function wrongRow(b, leaf, wrong) {
  return h("div", { class: "msg", id: b.messageId(leaf), key: `msg:${leaf.id}` }, h("div", { class: "row wrap" }, icon("bad"), h("span", { class: "t-bad" }, wrong.message), wrong.next ? h("span", { class: "muted" }, wrong.next) : null,
    (wrong.fix ?? []).map((fix, at) => button(fix.label, () => (fix.remove ? b.remove(b.rowOf(leaf.id)) : b.put(leaf, fix.set, fix.label)), { kind: "small", key: `${leaf.id}:fix:${at}` }))));
}

/** The first rule that leaves nobody says what is close and what would be without it. */
function emptyRow(b, node, leaf) {
  const empty = b.counted()?.empty;
  if (!empty || (empty.id !== node.id && empty.id !== leaf.id)) return null;
  const found = b.node(node.id);
  const closest = (empty.closest ?? []).slice(0, 3).map((each, at) =>
    button(`${each.label ?? each.value} · ${number(each.count)}`, () => b.put(leaf, each.set ?? { value: Array.isArray(leaf.value) ? [each.value] : each.value }, `changed to ${each.label ?? each.value}`), { kind: "small", key: `${leaf.id}:close:${at}` }));
  return h("div", { class: "msg", key: `msg:${leaf.id}` }, h("div", { class: "row wrap" }, icon("warn"),
    h("span", {}, h("b", {}, "Nobody is left after this rule."), found ? ` ${number(found.before)} contacts reach it. ` : " ", closest.length ? "Closest:" : null), closest,
    empty.without !== null && empty.without !== undefined ? [closest.length ? h("span", { class: "muted" }, "or") : null, button(`Leave this rule out · ${number(empty.without)}`, () => b.remove(node.id), { kind: "small", key: `${leaf.id}:without` })] : null));
}
