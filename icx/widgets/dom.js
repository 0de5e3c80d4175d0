// What every widget's module shares: elements without markup from data, icons, numbers, questions to Python.
// It exports nothing; a widget's own code follows it in the same module.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Attributes: `class`, `on` (listeners by event), `key` (finds focus again), booleans, everything else as written. */
function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") listen(element, value);
    else if (key === "key") element.dataset.key = value;
    else if (key === "style" && typeof value === "object") for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else if (key === "value" || key === "checked" || key === "indeterminate") {
      element[key] = value;
      if (key === "value") element.icxValue = String(value);
    }
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Listeners are held by the element, so that `morph` can give an element that stays the ones of its newer self. */
function listen(element, listeners) {
  element.icxOn = listeners;
  for (const event of Object.keys(listeners)) element.addEventListener(event, dispatch);
}

function dispatch(event) {
  event.currentTarget.icxOn?.[event.type]?.(event);
}

function s(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children.flat(Infinity));
  return element;
}

/** An id of this view's own: a notebook may show the same widget twice, and a label must find its own input. */
function ownId(kind) {
  return `icx-${kind}-${Math.random().toString(36).slice(2, 8)}`;
}

const ICONS = /*ICONS*/ {};

function icon(name, label) {
  const tone = ["ok", "warn", "bad"].includes(name) ? ` ${name}` : "";
  const spoken = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return s("svg", { class: `i${tone}`, viewBox: "0 0 16 16", ...spoken }, s("path", { d: ICONS[name] }));
}

const MINUS = "\u2212";

/** 12,345; a true minus; unknown is a dash. */
function number(value) {
  return value === null || value === undefined ? "–" : Number(value).toLocaleString("en-US").replace("-", MINUS);
}

/** 12.7 %, two decimals below 0.1 %, never a zero for somebody. */
function share(part, whole) {
  if (!whole) return "–";
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.005) return "< 0.01 %";
  return `${percent.toFixed(percent > 0 && percent < 0.1 ? 2 : 1)} %`;
}

function bar(part, whole, label, kind = "") {
  const percent = whole ? Math.min(100, (100 * part) / whole) : 0;
  const filled = percent > 0 ? h("i", { style: { "--v": `${percent}%` } }) : null;
  return h("span", { class: `bar ${kind}`, role: "img", "aria-label": label, title: label }, filled);
}

function pill(kind, words, shape) {
  return h("span", { class: `pill ${kind}` }, shape || kind ? icon(shape || kind) : null, words);
}

function button(words, act, { shape, label, kind = "", key, disabled = false, why = "", ...rest } = {}) {
  const named = words ? {} : { "aria-label": label };
  return h(
    "button",
    { type: "button", class: kind, key, disabled, title: disabled ? why : label, ...named, ...rest, on: { click: act } },
    shape ? icon(shape) : null,
    words,
  );
}

function note(kind, what, then, ...acts) {
  return h(
    "div",
    { class: `note ${kind}`, role: kind === "bad" ? "alert" : null },
    icon(kind || "info"),
    h("div", {}, h("b", {}, what), " ", then),
    acts.length ? h("span", { class: "act row" }, acts) : null,
  );
}

/** An error of Python with its four parts. */
function failure(error, ...acts) {
  const rest = [error.where, error.kept && `Kept: ${error.kept}.`, error.next && `Next: ${error.next}`].filter(Boolean).join(" ");
  return note("bad", error.message, rest, ...acts);
}

/**
 * Questions to Python. `ask(verb, given)` gives a promise of the answer. `latest(verb, given, lane)` too, but the newest
 * question of a lane (else of its verb) is the only one waited for: an older one is answered with null at once, so a stale
 * answer never overwrites a newer one, and Python, which hears of the lane, may give the older one up.
 * `waiting(listener)` hears how long the oldest unanswered question has waited, in seconds, and 0 when none is left;
 * `waited(lane)` says it of one lane, questions that were asked anew counted from the first.
 */
function questions(model) {
  const mark = ownId("ask"); // a widget shown twice hears the answers of both views
  let last = 0;
  const open = new Map();
  const listeners = [];
  const longest = (some) => Math.max(0, ...some.map((one) => (performance.now() - one.since) / 1000));
  const tell = () => {
    const seconds = longest([...open.values()]);
    for (const listener of listeners) listener(seconds);
  };
  const timer = setInterval(() => open.size && tell(), 250);
  const heard = (message) => {
    const one = message && open.get(message.id);
    if (!one) return;
    open.delete(message.id);
    if (!open.size) tell();
    one.resolve(message);
  };
  model.on("msg:custom", heard);
  const send = (verb, given, lane) =>
    new Promise((resolve) => {
      const id = `${mark}-${++last}`;
      let since = performance.now();
      for (const [older, one] of open) {
        if (!lane || one.lane !== lane) continue;
        open.delete(older);
        since = one.since;
        one.resolve(null);
      }
      open.set(id, { resolve, lane, since });
      try {
        model.send({ ask: verb, id, ...given, ...(lane ? { lane: `${mark}:${lane}` } : {}) });
      } catch {
        // No kernel: the question stays open, and who listens to `waiting` says so.
      }
    });
  return {
    ask: (verb, given = {}) => send(verb, given, null),
    latest: (verb, given = {}, lane = verb) => send(verb, given, lane),
    waiting: (listener) => listeners.push(listener),
    waited: (lane) => longest([...open.values()].filter((one) => one.lane === lane)),
    close: () => {
      clearInterval(timer);
      model.off("msg:custom", heard);
    },
  };
}

/** A panel: its title, what stands at its right, and what is in it. */
function panel(title, right, ...children) {
  const key = `icx-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`; // the same when only a number in the title is another
  return h("section", { class: "panel", "aria-label": title, key },
    h("div", { class: "ph" }, h("h3", {}, title), h("span", { class: "label row" }, right)), ...children);
}

/** Hear changes of traits: `{name: listener}`; what comes back ends it. */
function following(model, listeners) {
  const each = Object.entries(listeners);
  for (const [name, listener] of each) model.on(`change:${name}`, listener);
  return () => {
    for (const [name, listener] of each) model.off(`change:${name}`, listener);
  };
}

/** Where a push goes: company, folder and list with their ids, as `place_boxes` says them. */
function placeBoxes(each) {
  const box = (one) =>
    h("div", { class: one.subject ? "subject" : "" }, h("dt", { class: "label" }, one.label),
      h("dd", {}, h("b", { title: one.name }, one.name), h("span", { class: "mono muted" }, one.id)));
  return h("dl", { class: "places" }, each.map(box));
}

/**
 * Make `old` look like `fresh` and keep every element that is in both: what is being typed, clicked, or opened is not
 * pulled away by an answer. Children with the same `key` are the same. A select may carry `icxFill` ({sig, make}): its
 * options are made only when they are not there yet.
 */
function morph(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.icxOn || fresh.icxOn) listen(old, fresh.icxOn ?? {});
  if (fresh.icxFill) fill(old, fresh.icxFill);
  else morphChildren(old, fresh);
  if (fresh.icxValue !== undefined) {
    if (old.icxValue !== fresh.icxValue || (old !== document.activeElement && old.value !== fresh.icxValue)) old.value = fresh.icxValue;
    old.icxValue = fresh.icxValue;
  }
  if (old.nodeName === "INPUT" && old.checked !== fresh.checked) old.checked = fresh.checked;
  if (fresh.icxAfter) {
    old.icxAfter = fresh.icxAfter;
    fresh.icxAfter(old);
  }
}

function fill(select, given) {
  if (select.icxFill?.sig === given.sig && select.childNodes.length) return;
  select.icxFill = given;
  select.replaceChildren(...given.make());
}

function grown(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return node;
  for (const each of [node, ...node.querySelectorAll("*")]) {
    if (each.icxFill) {
      each.replaceChildren(...each.icxFill.make());
      if (each.icxValue !== undefined) each.value = each.icxValue;
    }
  }
  return node;
}

function morphChildren(old, fresh) {
  const wanted = new Set([...fresh.childNodes].map((child) => child.dataset?.key).filter(Boolean));
  const kept = new Map();
  for (const child of [...old.childNodes]) {
    const key = child.dataset?.key;
    if (key && wanted.has(key)) kept.set(key, child);
    else if (key) child.remove();
  }
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const key = child.dataset?.key;
    const same = key ? kept.get(key) : at && !at.dataset?.key ? at : null;
    if (!same || same.nodeName !== child.nodeName) {
      old.insertBefore(grown(child), at);
      added(child);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else if (old.moveBefore) old.moveBefore(same, at);
    else old.insertBefore(same, at);
    if (same.nodeType === Node.ELEMENT_NODE) morph(same, child);
    else if (same.data !== child.data) same.data = child.data;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function added(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  for (const each of [node, ...node.querySelectorAll("*")]) each.icxAfter?.(each);
}

const DRAWN = new Set("b br code details div h2 h3 i li ol p path s section span summary svg table tbody td th thead tr u ul".split(" "));
const SAID = /^(aria-[a-z]+|class|d|open|role|scope|title|viewbox)$/i;

/**
 * A page that icx.look drew, as elements. It is escaped there; an element, attribute or style that look does not use, which
 * could run or load something, is left out all the same.
 */
function pictured(html) {
  const page = new DOMParser().parseFromString(html, "text/html").body;
  for (const one of page.querySelectorAll("*")) {
    if (!DRAWN.has(one.localName)) one.remove();
    for (const { name, value } of [...one.attributes])
      if (!SAID.test(name) && !(name === "style" && /^[\w\s:.%;-]*$/.test(value))) one.removeAttribute(name);
  }
  return h("div", {}, ...page.childNodes);
}

/** `morph`, and focus goes back to the element of the same `key` when its element was replaced. */
function renew(container, fresh) {
  const active = container.contains(document.activeElement) ? document.activeElement : null;
  const key = active?.closest("[data-key]")?.dataset.key;
  morph(container, fresh);
  if (key && document.activeElement !== active) focusKey(container, key);
}

/**
 * Whether Python hears this view: "live", "busy" (a cell is running), or "gone" (restarted, closed, a saved notebook).
 * A question that nobody answers tells; JupyterLab's word on its kernel, where there is one, tells sooner.
 */
function pulse(model, changed) {
  let state = "live";
  let since = null;
  let count = 0;
  let lost = false;
  const become = (next) => {
    if (next === state) return;
    state = next;
    changed(state);
  };
  const kernel = () => {
    const manager = model.widget_manager;
    try {
      return manager && "kernel" in manager ? { status: manager.kernel?.status ?? "none" } : null;
    } catch {
      return null;
    }
  };
  const look = () => {
    if (since === null) return;
    const waited = (performance.now() - since) / 1000;
    const told = kernel()?.status;
    if (["none", "dead", "terminating", "restarting", "autorestarting"].includes(told)) become("gone");
    else if (lost && waited > 0.6) become("gone");
    else if (told === "idle" && waited > 4) become("gone");
    else if (waited > 0.8 && state !== "gone") become("busy");
  };
  const heard = () => {
    since = null;
    lost = false;
    become("live");
  };
  const ping = () => {
    since ??= performance.now();
    try {
      model.send({ ask: "alive", id: `pulse-${++count}` });
    } catch {
      become("gone");
    }
  };
  const lostComm = () => {
    lost = true;
    since = performance.now();
    ping();
  };
  const timer = setInterval(look, 200);
  model.on("msg:custom", heard);
  model.on("comm_live_update", lostComm);
  ping();
  return {
    ping,
    state: () => state,
    close: () => {
      clearInterval(timer);
      model.off("msg:custom", heard);
      model.off("comm_live_update", lostComm);
    },
  };
}

/** Hand a file to the browser's downloads. */
function handed(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = h("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function focusKey(container, key) {
  const found = container.querySelector(`[data-key="${CSS.escape(key)}"]`);
  found?.focus({ preventScroll: true });
  return Boolean(found);
}

/** Keys JupyterLab must not see: plain ones typed in the widget. Escape, Shift+Enter, Ctrl+Enter, Ctrl+S are Lab's own. */
function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    const labs = event.key === "Escape" || (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey));
    if (!labs && !event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
}

/** A line that is read out: at most every two seconds, and the last one always. */
function speaker() {
  const element = h("div", { class: "sr", role: "status", "aria-live": "polite" });
  let next = 0;
  let timer = null;
  return {
    element,
    say(words) {
      clearTimeout(timer);
      const wait = Math.max(0, next - performance.now());
      timer = setTimeout(() => {
        next = performance.now() + 2000;
        element.textContent = words;
      }, wait);
    },
  };
}

/** A question that only waits is asked after `pause` ms of silence. */
function settled(pause, act) {
  let timer = null;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), pause);
  };
}
