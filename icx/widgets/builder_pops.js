// What opens over the view: the menu of a row, the picker of values, the form to save under a name. In the top layer, so that no output area cuts it off.

/** Open over everything, under its anchor, or above it where there is more room. */
function pop(b, anchor, attributes, ...children) {
  const element = h("div", { popover: "manual", key: `pop:${anchor}`, ...attributes, class: `pop ${attributes.class ?? ""}` }, children);
  element.icxAfter = (shown) => {
    if (!shown.isConnected) return;
    if (!shown.matches(":popover-open")) {
      shown.showPopover();
      const first = shown.querySelector("[data-first]");
      if (first) requestAnimationFrame(() => first.focus({ preventScroll: true }));
    }
    settle(b.root, shown, anchor);
  };
  return element;
}

function settle(root, shown, anchor) {
  const from = root.querySelector(`[data-key="${CSS.escape(anchor)}"]`)?.getBoundingClientRect();
  if (!from) return;
  const box = shown.getBoundingClientRect();
  const edge = Math.min(root.getBoundingClientRect().right, window.innerWidth - 8);
  const left = Math.max(8, from.left + box.width > edge ? Math.min(from.right, edge) - box.width : from.left);
  const under = from.bottom + 4;
  const above = from.top - box.height - 4;
  const top = under + box.height > window.innerHeight - 8 && above >= 8 ? above : under;
  shown.style.setProperty("left", `${Math.round(left)}px`);
  shown.style.setProperty("top", `${Math.round(top)}px`);
}

function rowMenu(b, node, parent) {
  const leaf = leafOf(node);
  const group = isGroup(leaf);
  const at = parent.rules.indexOf(node);
  const beside = enterable(parent.rules[at - 1]) ? "above" : enterable(parent.rules[at + 1]) ? "below" : null;
  const nested = parent.id !== b.s.doc.id;
  const item = (words, act, off = false) =>
    h("button", { type: "button", role: "menuitem", tabindex: "-1", "aria-disabled": off ? "true" : null, "data-first": "", on: { click: () => !off && act() } }, words);
  const go = (way, label) => () => b.act(move(b.s.doc, node.id, way), label, `${node.id}:menu`);
  const still = (way) => move(b.s.doc, node.id, way) === b.s.doc;
  const narrower = group ? [] : moreConditions(b, leaf);
  const what = group ? "the group" : b.cat.label(leaf.field) || "the rule";
  return pop(b, `${node.id}:menu`, { class: "menu", role: "menu", "aria-label": `Menu of ${b.rowName(node)}`, on: { keydown: (event) => menuKeys(b, event, `${node.id}:menu`) } },
    narrower.map(([words_, act]) => item(words_, () => {
      b.close();
      act();
    })),
    narrower.length ? h("div", { role: "separator" }) : null,
    item("Move up", go("up", `moved ${what} up`), still("up")),
    item("Move down", go("down", `moved ${what} down`), still("down")),
    nested ? item("Move out of the group", go("out", `moved ${what} out`)) : null,
    beside ? item(`Move into the group ${beside}`, go("into", `moved ${what} in`)) : null,
    item("Duplicate", () => b.act(duplicate(b.s.doc, node.id), `copied ${what}`, `${node.id}:menu`)),
    item("Wrap in a group", () => b.act(wrap(b.s.doc, node.id), `wrapped ${what} in a group`, `${node.id}:menu`)),
    item(isNot(node) || (group && node.not) ? "Take “Not” away" : "Turn round with “Not”", () => b.act(toggleNot(b.s.doc, node.id), `turned ${what} round`, isNot(node) ? `${leaf.id}:field` : `${node.id}:menu`)),
    item(group ? "Remove with its rules" : "Remove", () => b.remove(node.id)));
}

function menuKeys(b, event, anchor) {
  const items = [...event.currentTarget.querySelectorAll("[role=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items[(to + items.length) % items.length].focus();
  } else if (event.key === "Tab") {
    b.close();
    focusKey(b.root, anchor);
  }
}

/** Values to choose: how many of those who reach this rule have each; `what` is "message" for the one message of an event. */
function picker(b, leaf, what = "values") {
  const single = what === "message";
  const anchor = single ? (leaf.message !== undefined ? `${leaf.id}:message` : `${b.rowOf(leaf.id)}:menu`) : `${leaf.id}:add`;
  const noun = single ? "messages" : b.cat.label(leaf.field);
  const told = b.s.pop.answer;
  const chosen = single ? [leaf.message] : (leaf.value ?? []);
  const found = told?.values ?? [];
  const most = Math.max(1, ...found.map((each) => each.count ?? 0));
  const search = b.s.pop.search;
  const numeric = ["integer", "number"].includes(b.cat.type(leaf));
  const toggleValue = (value, label) => {
    if (single) {
      b.s.messages.set(value, label);
      b.close();
      b.put(leaf, { message: value, distinct: undefined }, `chose ${label}`, false, `${leaf.id}:message`);
      return;
    }
    const has = chosen.some((each) => same(each, value));
    b.put(leaf, { value: has ? chosen.filter((each) => !same(each, value)) : [...chosen, value] }, has ? `took ${value} away` : `added ${value}`);
  };
  const typed = numeric ? numberFrom(search) : single ? Number(search) : search.trim();
  const fits = search.trim() && !found.some((each) => same(each.value, typed)) && (!single || Number.isInteger(typed));
  const line = (each) => {
    const label = each.label ?? (blank(each.value) ? "empty" : String(each.value));
    const on = chosen.some((one) => same(one, each.value));
    return h("label", { class: on ? "on" : "", title: label, key: `${anchor}:${String(each.value)}` },
      h("input", { type: single ? "radio" : "checkbox", checked: on, name: single ? b.domId(leaf, "pick") : null, "aria-label": label, on: { change: () => toggleValue(each.value, label) } }),
      h("span", { class: "clip" }, label),
      each.count === null || each.count === undefined ? h("span") : bar(each.count, most, `${number(each.count)} have ${label}`),
      h("span", { class: "num" }, each.count === null || each.count === undefined ? "" : number(each.count)));
  };
  const done = () => b.close(anchor);
  const state = b.live() ? (b.slow("picker") ? waitingLine(b, "picker") : told ? null : "looking…") : "Values come from the kernel. What is typed here can be added without it.";
  return pop(b, anchor, { class: "values", role: "dialog", "aria-label": `Choose ${noun}` },
    h("div", { class: "row find" },
      h("input", {
        type: "search", "aria-label": told?.of ? `Search ${number(told.of)} values of ${noun}` : `Search ${noun}`, class: "grow", value: search, "data-first": "", autocomplete: "off", key: `${anchor}:search`,
        on: {
          input: (event) => b.search(event.target.value),
          keydown: (event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            const only = found.filter((each) => String(each.label ?? each.value).toLowerCase() === search.trim().toLowerCase());
            if (only.length === 1 || found.length === 1) toggleValue((only[0] ?? found[0]).value, String((only[0] ?? found[0]).label ?? (only[0] ?? found[0]).value));
            else if (fits) toggleValue(typed, String(typed));
          },
        },
      }),
      h("span", { class: "label" }, told?.of === undefined ? "" : `${number(found.length)} of ${number(told.of)}`)),
    told?.pii ? h("p", { class: "small muted" }, "Personal values are not listed. Type one in full to add it.") : null,
    state ? h("p", { class: "small muted" }, state) : null,
    told && !told.pii && !found.length && !told.error ? h("p", { class: "small muted" }, search ? `Nothing with “${search}” among those who reach this rule.` : "Nobody who reaches this rule has a value.") : null,
    told?.error ? h("p", { class: "small t-bad" }, told.error.message) : null,
    h("div", { class: "list" }, found.map(line)),
    fits ? button(`Add “${typed}”`, () => toggleValue(typed, String(typed)), { shape: "plus", kind: "quiet", key: `${anchor}:typed` }) : null,
    !single && told?.none ? h("div", { class: "none row between" }, h("span", { class: "muted" }, `no value · ${number(told.none)}`), button("Or has no value", () => b.orMissing(leaf), { kind: "quiet", shape: "plus" })) : null,
    h("div", { class: "row between foot" }, h("span", { class: "label" }, told?.reach !== undefined && told?.reach !== null ? `counts: the ${number(told.reach)} who reach this rule` : ""), button("Done", done, { kind: "primary" })));
}

/** Save under a name, with a description; the name is the file's name. */
function saveForm(b) {
  const given = b.s.pop;
  const submit = (event) => {
    event.preventDefault();
    b.save(given.name.trim(), given.description.trim());
  };
  return pop(b, "save-as", { class: "saveas", role: "dialog", "aria-label": "Save as" },
    h("form", { class: "stack tight", on: { submit } },
      h("label", {}, h("span", { class: "label" }, "Name"), h("input", { type: "text", value: given.name, "data-first": "", required: true, on: { input: (event) => (given.name = event.target.value) } })),
      h("label", {}, h("span", { class: "label" }, "Description, optional"), h("input", { type: "text", value: given.description, on: { input: (event) => (given.description = event.target.value) } })),
      h("div", { class: "row", style: { "justify-content": "flex-end" } }, button("Cancel", () => b.close("save-as"), { kind: "quiet" }), h("button", { type: "submit", class: "primary" }, "Save audience"))));
}
