// The connection wizard. Values typed here live in this view only: they go to Python in a question, never into state.

const STEP_NAMES = ["Kind of system", "Create an application", "Credentials", "Account and folder", "Check and save"];
const CHAIN = { service: "Service", login: "Login", account: "Account", folder: "Client folder", rights: "Rights" };
const LIKELY = [
  ["password", "API password", "most often the login password was typed; it is the one made for the application"],
  ["username", "User name", "the e-mail you log in with, not the application's name"],
  ["app_id", "Application id", "copied whole; an id somebody gave you counts once it is enabled on the external-login page"],
];

const blank = (label = "") => ({ label, app_id: "", username: "", password: "", key: "", description: "", base_url: "", source: "", identity: "", email: "", writable: "" });

const SIZED = 10; // folders at most whose contacts are counted beside them

function chain(steps) {
  const box = (step) => {
    const shape = { good: "ok", refused: "bad", asks: "clock" }[step.state] ?? "clock";
    const off = step.state === "not tried";
    const words = step.state === "refused" ? "refused" : step.state === "asks" ? "your choice" : step.text;
    return h(
      "div",
      { role: "listitem", class: `${off ? "off" : ""} ${step.state}`, title: step.text },
      h("b", {}, icon(shape), CHAIN[step.name] ?? step.name),
      h("span", { class: "muted" }, words),
    );
  };
  return steps.length ? h("div", { class: "chain", role: "list", "aria-label": "Live check" }, steps.map(box)) : null;
}

function link(url, words) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, words);
}

function render({ model, el }) {
  const form = model.get("form");
  const python = questions(model);
  const speech = speaker();
  const view = {
    mode: form.start, step: form.start === "new" ? 0 : 2, kind: "icontact", search: "", route: "own", saved: [],
    typed: blank(form.label),
    chosen: {}, answer: null, busy: false, waited: 0, notes: [], confirm: "", finished: false,
  };
  const mark = ownId("connect");
  const body = h("div");
  const root = h("div", { class: "icx icx-connect", role: "region", "aria-label": "Connect" }, body, speech.element);
  keepKeys(root);
  el.append(root);
  python.waiting((seconds) => {
    const before = view.waited;
    view.waited = seconds;
    const line = root.querySelector(".waited");
    if (line) line.textContent = seconds > 1.5 ? `checking… ${seconds.toFixed(0)} s` : "checking…";
    if (seconds > 8 && before <= 8) speech.say(`still checking; ${view.kind === "mailchimp" ? "Mailchimp" : "iContact"} is slow to answer, or a cell is running`);
  });

  const go = (changes, focus) => {
    Object.assign(view, changes);
    draw();
    if (focus) focusKey(root, focus);
  };
  const restart = (mode) => go({ mode, step: mode === "new" ? 0 : 2, answer: null, chosen: {}, notes: [], confirm: "", finished: false }, mode === "new" ? "search" : "label");

  async function load() {
    const told = await python.ask("saved");
    if (told.ok) go({ saved: told.saved });
  }

  async function check(extra = {}) {
    if (view.busy) return;
    Object.assign(view.chosen, extra);
    go({ busy: true });
    const verb = view.mode === "diagnose" ? "diagnose" : view.kind === "sandbox" ? "simulate" : view.mode === "new" && ["table", "mailchimp"].includes(view.kind) ? view.kind : "try";
    const { label, description, source, identity, email, writable, key, ...login } = view.typed;
    const given = verb === "try" ? { label, ...login, ...view.chosen, confirm: view.confirm } : verb === "table" ? { label, source, identity, email, writable }
      : verb === "mailchimp" ? { label, key, base_url: login.base_url, ...view.chosen, confirm: view.confirm } : { label };
    if (verb !== "diagnose" && verb !== "simulate" && description) given.description = description;
    const told = await python.ask(verb, given);
    const answer = told.ok ? told : { state: "refused", steps: [], problem: told.error, notes: [] };
    const done = answer.state === "done";
    if (done) view.typed.password = view.typed.app_id = view.typed.key = view.typed.source = "";
    const step = done || answer.state === "good" ? 4 : answer.state === "choose" || answer.state === "other" || answer.state === "contacts_only" ? 3 : 2;
    speech.say(done ? `Saved ${answer.saved.name}` : (answer.problem?.message ?? answer.words ?? ""));
    const focus = answer.state === "choose" ? "choice-0" : answer.state === "other" ? "confirm" : done ? "finished" : "check";
    go({ busy: false, answer, step: view.mode === "diagnose" && !done ? 2 : step, notes: answer.notes ?? [], finished: done }, focus);
    if (done) load();
    if (answer.what === "folder") sizes(answer);
  }

  /** How many contacts each folder has, one call each: only where there are few, one after the other, as they come. */
  async function sizes(answer) {
    if (answer.choices.length > SIZED) return;
    const { label, app_id, username, password, base_url } = view.typed;
    for (const one of answer.choices) {
      const told = await python.ask("size", { label, app_id, username, password, base_url, account: answer.account, folder: one.id });
      if (view.answer !== answer) return;
      one.contacts = told.ok ? told.contacts : null;
      draw();
    }
  }

  function field(name, label, hint, { type = "text", optional = false, bad = false } = {}) {
    const id = `${mark}-${name}`;
    const input = h("input", {
      id, type, value: view.typed[name], key: name, autocomplete: type === "password" ? "new-password" : "off", spellcheck: "false",
      "aria-invalid": bad ? "true" : null, "aria-describedby": `${id}-hint`, disabled: view.busy,
      on: {
        input: (event) => { view.typed[name] = event.target.value; },
        keydown: (event) => { if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey) check(); },
      },
    });
    const said = h("span", { class: "hint", id: `${id}-hint` }, hint);
    const shown = h("label", { for: id }, label, optional ? h("span", { class: "muted", style: { "font-weight": "400" } }, " optional") : null);
    return h("div", { class: "field" }, shown, input, said);
  }

  function kinds() {
    const typed = view.search.trim().toLowerCase();
    const found = form.kinds.filter((one) => `${one.kind} ${one.label} ${one.words}`.toLowerCase().includes(typed));
    const choose = (one) => go({ kind: one.kind, step: FIRST[one.kind] ? 1 : 2, chosen: {}, answer: null }, FIRST[one.kind] ?? "label");
    const rows = found.map((one) =>
      h("li", {}, h("button", { type: "button", class: "pick", key: `kind-${one.kind}`, on: { click: () => choose(one) } }, h("b", {}, one.label), h("span", { class: "muted" }, one.words), icon("right"))));
    return [
      h("h3", {}, "What do you connect?"),
      h("input", { type: "search", key: "search", "aria-label": "Search kinds of system", value: view.search, placeholder: "Search: iContact, Mailchimp, a table, …", on: {
        input: (event) => go({ search: event.target.value }),
        keydown: (event) => {
          if (event.key !== "Enter" || !found.length) return;
          event.preventDefault(); // else the same Enter presses the button that has the focus next
          choose(found[0]);
        },
      } }),
      found.length ? h("ul", { class: "kinds", "aria-label": "Kinds of system" }, rows) : note("", `No kind of system is called “${view.search}”.`, `There are ${form.kinds.map((one) => one.label).join(", ")}.`),
    ];
  }

  function application() {
    if (view.kind === "mailchimp") return makeKey(view.typed.label, () => go({ step: 0 }, "search"), () => go({ step: 2 }, "label"));
    const route = (name, title, words) => h("label", { class: `pick ${view.route === name ? "on" : ""}` },
      h("input", { type: "radio", name: `${mark}-route`, key: `route-${name}`, checked: view.route === name, on: { change: () => go({ route: name }) } }),
      h("span", {}, h("b", {}, title), h("br"), h("span", { class: "muted small" }, words)));
    const own = [
      ["In iContact open ", h("b", {}, form.path), ", and create an application. It gets an application id."],
      ["On the ", link(form.link, "external-login page"), " enter that id, and make a password for it. This is the API password."],
    ];
    const given = [
      ["On the ", link(form.link, "external-login page"), " enter the application id you were given, and make a password for it."],
      ["An id that came by e-mail wins over one that a page shows."],
    ];
    return [
      h("div", {}, h("h3", {}, "Whose application?"), h("p", { class: "small muted" }, "iContact lets a program in by an application id, your user name and a password made for it.")),
      h("div", { role: "radiogroup", "aria-label": "Whose application", class: "panel routes" }, route("own", "My own application", "You may create one in the account."), route("given", "One that somebody gave me", "A partner or your administrator sent you its id.")),
      h("ol", { class: "todo" }, (view.route === "own" ? own : given).map((words, at) => h("li", {}, h("span", { class: "n" }, String(at + 1)), h("span", {}, words)))),
      h("div", { class: "row between" }, button("Back", () => go({ step: 0 }, "search")), button("I have the three values", () => go({ step: 2 }, "label"), { kind: "primary", key: "have" })),
    ];
  }

  const isMailchimp = () => view.kind === "mailchimp" && view.mode === "new";

  function refused(answer) {
    const problem = answer.problem;
    if (problem.code !== "login-refused" || isMailchimp()) return failure(problem);
    const rows = LIKELY.map(([name, label, words], at) => h("li", {}, h("b", {}, String(at + 1)), h("span", {}, h("b", {}, label), ` – ${words}`),
      name === "password" ? link(form.link, "Open external-login page") : button(`Go to ${label.toLowerCase()}`, () => focusKey(root, name), { kind: "quiet" })));
    const service = answer.steps.find((one) => one.state === "refused")?.text ?? "";
    return h("div", { class: "note bad", role: "alert" }, icon("bad"), h("div", {},
      h("b", {}, "iContact refused this login (401). Nothing was saved."),
      h("p", {}, "It has one answer for three values, so look at them in this order:"),
      h("ol", { class: "likely" }, rows), service ? h("p", { class: "muted small" }, service) : null));
  }

  function pickSaved() {
    const names = view.saved.map((one) => one.name);
    if (!names.includes(view.typed.label) && names.length) view.typed.label = names[0];
    const one = view.saved.find((each) => each.name === view.typed.label);
    const select = h("select", { key: "label", value: view.typed.label, id: `${mark}-which`, on: { change: (event) => { view.typed.label = event.target.value; go({ answer: null }); } } },
      names.map((name) => h("option", { value: name, selected: name === view.typed.label }, name)));
    return [select, one];
  }

  function credentials() {
    const answer = view.answer;
    const bad = answer?.state === "refused" && ["login-refused", "mailchimp-key"].includes(answer.problem?.code);
    if (view.mode !== "new" && !view.saved.length) return [note("", "No connection is saved here yet.", "Start with a new one.", button("New connection", () => restart("new")))];
    const [select, saved] = view.mode === "new" ? [null, null] : pickSaved();
    const blanks = (what) => view.notes.find((words) => words.includes(what));
    const hint = (words, what) => [words, blanks(what) ? h("span", { class: "t-ok" }, ` ${blanks(what)}`) : null];
    const isTable = view.kind === "table" && view.mode === "new";
    const title = view.mode === "diagnose" ? "Which connection?" : isTable ? "Which table, and which of its columns?" : isMailchimp() ? "The key" : view.kind === "sandbox" ? "A name for it" : "Credentials of the application";
    const words = view.mode === "diagnose" ? "Its saved login is tried again, step by step. Nothing is changed."
      : isTable ? "It is read once, and saved only if it can be used. A table needs no login; a database's password is kept apart." : isMailchimp() ? "It is tried at once and kept in the system keyring, never in the notebook." : view.kind === "sandbox" ? "A simulated account starts on this machine; its people are made up." : "Three values, all from iContact. They are checked at once and kept in the system keyring, never in the notebook.";
    const service = isMailchimp() ? "Mailchimp" : "iContact";
    const short = view.mode === "diagnose" || view.kind === "sandbox";
    const empty = view.mode === "update" ? "left blank: as saved" : null;
    const fields = isTable ? [
      field("label", "Label", `Unique. You type it in code: ws.system("${view.typed.label || "shop"}")`),
      field("source", "Table", "shop.csv, shop.parquet, shop.duckdb#people, or postgresql://db.example.com/crm#people"),
      field("identity", "Column that tells rows apart", "Left blank, its columns are named"),
      field("email", "Column of addresses", "Guessed and shown if left blank", { optional: true }),
      field("writable", "Columns icx may write", "As A,B; left blank the table is only read", { optional: true }),
      field("description", "Description", "For yourself", { optional: true }),
    ] : [
      select ? h("div", { class: "field" }, h("label", { for: `${mark}-which` }, "Connection"), select, h("span", { class: "hint" }, saved ? `${saved.company} (#${saved.account_id}) › ${saved.folder} (#${saved.client_folder_id})` : ""))
        : field("label", "Label", `Unique. You type it in code: ws.pull("${view.typed.label || "acme"}")`),
      ...(short ? [] : [
        view.mode === "new" ? field("description", "Description", "For yourself", { optional: true }) : null,
        ...(isMailchimp() ? [field("key", "API key", "With its ending, such as -us19", { type: "password", bad })] : [
        field("app_id", "Application id", hint(empty ?? "One somebody sent you wins over the one a page shows", "application id"), { bad }),
        field("username", "User name", hint(empty ? `${empty}, ${saved?.username ?? ""}` : "Login e-mail, not the application's name", "user name"), { bad }),
        field("password", "API password", hint(empty ?? ["Made for the application on the ", link(form.link, "external-login page")], "API password"), { type: "password", bad })]),
        h("details", {}, h("summary", {}, "Another address", h("span", { class: "muted" }, `only for a service that is not ${service}'s own`)), field("base_url", "Service address", `https://…; left blank it is ${service}'s`, { optional: true })),
      ]),
    ];
    const verb = view.mode === "diagnose" ? "Try again now" : isTable ? "Read and save" : view.kind === "sandbox" ? "Start it" : answer ? "Check again" : view.mode === "update" ? "Check and save" : isMailchimp() ? "Check this key" : "Check these values";
    return [
      h("div", {}, h("h3", {}, title), h("p", { class: "small muted" }, words)),
      h("div", { class: "stack fields" }, fields),
      answer ? chain(answer.steps) : null,
      answer?.state === "refused" ? refused(answer) : null,
      h("div", { class: "row between" },
        view.mode === "new" ? button("Back", () => go({ step: FIRST[view.kind] ? 1 : 0, answer: null }), {}) : h("span"),
        h("span", { class: "row" }, view.busy ? h("span", { class: "muted waited" }, "checking…") : null, button(verb, () => check(), { kind: "primary", key: "check", disabled: view.busy, why: "the check is under way" }))),
    ];
  }

  function choice() {
    const answer = view.answer;
    if (answer.state === "choose") {
      const what = answer.what;
      const picked = view.chosen[what] ?? null;
      const rows = answer.choices.map((one, at) => h("label", { class: `pick ${picked === one.id ? "on" : ""}` },
        h("input", { type: "radio", name: `${mark}-choice`, key: `choice-${at}`, checked: picked === one.id, on: { change: () => { view.chosen[what] = one.id; go({}); } } }),
        h("span", { class: "clip", title: one.name }, one.name, " ", h("span", { class: "mono muted" }, what === "audience" ? one.id : `#${one.id}`)),
        what === "folder" && answer.choices.length <= SIZED ? h("span", { class: "num muted" }, one.contacts === undefined ? "counting…" : one.contacts === null ? "not readable" : `${number(one.contacts)} ${one.contacts === 1 ? "contact" : "contacts"}`) : null));
      const asked = { account: "Account", folder: "Client folder", audience: "Audience" }[what];
      const name = answer.choices.find((one) => one.id === picked)?.name;
      return [
        h("div", {}, h("h3", {}, `Which ${asked.toLowerCase()}?`), h("p", { class: "small muted" }, answer.words)),
        h("div", { class: "panel picks", role: "radiogroup", "aria-label": asked }, rows),
        chain(answer.steps),
        h("div", { class: "row between" }, button("Back", () => go({ step: 2, answer: null, chosen: {} }, what === "audience" ? "key" : "app_id")),
          button(name ? `Use “${name}”` : `Use this ${what}`, () => check(), { kind: "primary", key: "use", disabled: picked === null || view.busy, why: picked === null ? `pick one ${what} first` : "the check is under way" })),
      ];
    }
    if (answer.state === "contacts_only") {
      return [
        chain(answer.steps),
        note("warn", answer.problem.message, "Contacts and lists can be pulled all the same; audiences that ask for opens or clicks will be empty."),
        h("div", { class: "row between" }, button("Back", () => go({ step: 2, answer: null, chosen: {} }, "app_id")), button("Go on with contacts only", () => check({ contacts_only: true }), { kind: "primary", key: "use" })),
      ];
    }
    const label = view.typed.label;
    const dropped = `What is stored under ${label} is dropped: ${number(answer.holds.contacts)} contacts and ${number(answer.holds.messages)} messages. Consent facts are kept.`;
    return [
      h("div", {}, h("h3", {}, isMailchimp() ? "Another account or audience" : "Another account or folder")),
      note("warn", answer.problem.message, dropped),
      h("div", { class: "field" }, h("label", { for: `${mark}-confirm` }, `Type ${label} to drop it`),
        h("input", { id: `${mark}-confirm`, key: "confirm", value: view.confirm, autocomplete: "off", on: { input: (event) => go({ confirm: event.target.value }) } }), h("span", { class: "hint" }, `Or go back, and give the new ${isMailchimp() ? "audience" : "folder"} a label of its own.`)),
      h("div", { class: "row between" }, button("Back", () => go({ step: 2, answer: null, chosen: {}, confirm: "" }, "label")),
        button(`Drop and point ${label} there`, () => check(), { kind: "danger", key: "use", disabled: view.confirm !== label, why: `type ${label} first` })),
    ];
  }

  function finished() {
    const answer = view.answer;
    const saved = answer.saved;
    const where = h("span", {}, h("b", {}, saved.company), ` (#${saved.account_id}) › `, h("b", {}, saved.folder), ` (#${saved.client_folder_id})`);
    if (answer.lines) {
      return [
        h("div", { tabindex: "-1", key: "finished" }, h("h3", { class: "row" }, icon("ok"), `Saved ${saved.name}`), answer.lines.map((line) => h("p", {}, line))),
        h("p", {}, "Next, in a cell of its own: ", h("code", {}, answer.then ?? "ws.edit_sync()")),
        h("div", { class: "row" }, button("Another connection", () => { view.typed = blank(); restart("new"); })),
      ];
    }
    const title = answer.state === "good" ? `${saved.name} works` : `Saved ${saved.name}${saved.contacts_only ? ", contacts only" : ""}`;
    const place = answer.place ? `The password is kept in ${answer.place}.` : answer.state === "good" ? "Nothing was changed." : "Its login lives as long as the simulation.";
    return [
      h("div", { tabindex: "-1", key: "finished" }, h("h3", { class: "row" }, icon("ok"), title), h("p", {}, where)),
      chain(answer.steps),
      note("ok", place, ""),
      h("p", {}, "Next, in a cell of its own: ", h("code", {}, `ws.pull("${saved.name}")`)),
      h("div", { class: "row" }, button("Another connection", () => { view.typed = blank(); restart("new"); })),
    ];
  }

  function draw() {
    const main = view.step === 0 ? kinds() : view.step === 1 ? application() : view.step === 2 ? credentials() : view.step === 3 ? choice() : finished();
    const item = (name, at) => h("li", { "aria-current": at === view.step ? "step" : null },
      at < view.step ? h("span", { class: "n done" }, icon("check")) : h("span", { class: "n" }, String(at + 1)), name);
    const mode = (name, words) => h("button", { type: "button", key: `mode-${name}`, "aria-pressed": String(view.mode === name), on: { click: () => view.mode !== name && restart(name) } }, words);
    const modes = view.saved.length || view.mode !== "new" ? h("span", { class: "seg", role: "group", "aria-label": "What to do" }, mode("new", "New connection"), mode("update", "Update one"), mode("diagnose", "Diagnose one")) : null;
    const shown = view.saved.find((one) => one.name === view.typed.label);
    const crumbs = view.finished ? "" : view.mode === "new" ? `${view.saved.length ? `${number(view.saved.length)} saved here` : "nothing is saved here yet"} · nothing is saved before all of it is right` : shown ? [h("b", {}, shown.company), ` #${shown.account_id} › `, h("b", {}, shown.folder), ` #${shown.client_folder_id}`] : "";
    const title = view.mode === "new" ? "Connect" : view.mode === "update" ? `Update ${view.typed.label}` : `Diagnose ${view.typed.label}`;
    renew(body, h("div", {},
      h("div", { class: "head" }, h("div", {}, h("h2", {}, title), h("div", { class: "crumbs" }, h("span", {}, crumbs))), modes),
      h("div", { class: "wiz" }, h("ol", { "aria-label": "Steps" }, (view.kind === "mailchimp" && view.mode === "new" ? KEY_STEPS : STEP_NAMES).map(item)), h("div", { class: "stack" }, main))));
  }

  draw();
  load();
  return () => { python.close(); root.remove(); };
}

export default { render };
