// The monitor: shows what Python says every two seconds, and asks for pauses and for people.

const RUN_STATE = { done: "equal", running: "none", stopped: "due", failed: "unequal", "cut off": "unequal" };
const QUIET = 12; // seconds without news after which the view says so

function block(states, label, places) {
  const step = 600 / Math.max(places, states.length, 1);
  const wide = step - Math.min(1.5, step / 4);
  const shapes = states.map((state, n) => {
    const x = n * step;
    if (state === "unequal")
      return [
        s("rect", { x, y: 0, width: wide, height: 14, class: "badf" }),
        s("path", { class: "cross", d: `M${x + wide / 4} 4L${x + wide * 0.75} 10M${x + wide * 0.75} 4L${x + wide / 4} 10` }),
      ];
    if (state === "equal") return s("rect", { x, y: 0, width: wide, height: 14, class: "okb" });
    if (state === "explained") return s("rect", { x, y: 5, width: wide, height: 9, class: "expf" });
    if (state === "none") return s("rect", { x, y: 11, width: wide, height: 3, class: "tr" });
    return s("rect", { x, y: 6, width: wide, height: 7.5, class: "duef" });
  });
  return s("svg", { viewBox: "0 0 600 14", preserveAspectRatio: "none", role: "img", "aria-label": label }, shapes);
}

const cell = (cls, ...children) => h("td", { class: cls }, ...children);
const named = (words, cls = "") => h("td", { class: `name ${cls}`, title: words }, words);
const heads = (...each) => h("thead", {}, h("tr", {}, each.map(([words, cls]) => h("th", { scope: "col", class: cls }, words))));
const swatch = (cls, words) => h("span", {}, h("i", { class: `sw ${cls}` }), words);

function summary(said) {
  const waiting = said.now.filter((one) => one.shape === "clock").length;
  const resting = said.jobs.filter((job) => job.paused).length;
  return [`${said.now.length - waiting} running`, waiting && `${waiting} waiting`, resting && `${resting} paused`].filter(Boolean).join(", ");
}

export default {
  render({ model, el }) {
    const q = questions(model);
    const root = h("div", { class: "icx", role: "region", "aria-label": "Activity" });
    const voice = speaker();
    let people = null;
    let filter = "all";
    let trouble = null;
    let last = performance.now();
    let quiet = false;
    let spoken = "";
    let unanswered = 0;
    let planning = "";
    let opened = null; // the plan of those who are tried again: its view, in a place of its own

    const act = async (verb, given) => {
      const answer = await q.ask(verb, given);
      trouble = answer.ok ? null : answer.error;
      draw();
    };
    const show = async () => {
      if (people) people = null;
      else {
        const answer = await q.ask("show");
        trouble = answer.ok ? null : answer.error;
        people = answer.ok ? answer.people : null;
      }
      draw();
    };

    const shut = () => {
      opened?.remove();
      opened = null;
      place.replaceChildren();
      place.hidden = true;
    };

    /** The plan is shown by its own widget: it asks what every plan asks, and its own button sends. */
    async function retry(plan) {
      planning = plan;
      draw();
      const answer = await q.ask("retry", { plan });
      planning = "";
      trouble = answer.ok ? null : answer.error;
      if (answer.ok) {
        await open(answer.name, answer.view);
      }
      draw();
      if (answer.ok) focusKey(root, "shut");
    }

    async function open(name, view) {
      shut();
      let shown = note("", `${name} plans them again; nothing has been sent.`, `To read and apply it: ws.plans()[0], or icx apply ${name}`);
      try {
        opened = await model.widget_manager.create_view(await model.widget_manager.get_model(view));
        shown = opened.el;
      } catch {
        // no widget manager gives views here: the words say where the plan is
      }
      place.append(h("section", { class: "panel", "aria-label": `Plan ${name}` },
        h("div", { class: "ph" }, h("h3", {}, `Try again: ${name}`), button(`Close ${name}`, () => { shut(); draw(); }, { kind: "quiet", key: "shut", label: "The plan stays among ws.plans()" })), shown));
      place.hidden = false;
      voice.say(`${name} plans them again; nothing has been sent`);
    }

    function again(said) {
      const rows = said.again.map((one) => h("div", { class: "row between" },
        h("span", {}, h("b", {}, one.plan), ` → ${one.list}: ${number(one.count)} refused`),
        button(planning === one.plan ? "Planning…" : `Try ${number(one.count)} again…`, () => retry(one.plan), { shape: "refresh", key: `again-${one.plan}`, disabled: Boolean(planning), why: "the list is being read", "aria-label": `Try ${number(one.count)} again: ${one.plan}`, label: "Plans them again; nothing is sent before you confirm it" })));
      return rows.length ? h("div", { class: "stack tight", style: { "padding-top": "8px" } }, rows) : null;
    }

    function top(said) {
      const state = quiet ? pill("warn", `no news since ${said.at}`, "clock") : pill("", `live · ${said.at}`, "running");
      const pause = said.paused
        ? button("Resume all pushes", () => act("resume", {}), { shape: "play", key: "pushes" })
        : button("Pause all pushes", () => act("pause", {}), { shape: "pause", key: "pushes", label: "No push is begun; one under way ends after its batch" });
      const crumbs = [h("span", {}, "jobs and pushes of ", h("b", {}, said.name)), said.calls && h("span", {}, said.calls), h("span", {}, said.zone)].filter(Boolean);
      return h("div", { class: "head" },
        h("div", {}, h("div", { class: "row wrap" }, h("h2", {}, "Activity"), state),
          h("div", { class: "crumbs" }, crumbs.flatMap((one, n) => (n ? [h("span", {}, "·"), one] : [one])))),
        pause);
    }

    function now(said) {
      const end = (one) =>
        !one.pull ? null
        : button(one.ends ? "Stopping…" : ["Stop", h("span", { class: "hide-n" }, " after this page")], () => act("end", { run: one.pull }), { shape: "pause", key: `end-${one.pull}`, disabled: one.ends, why: "the page under way is landed first", "aria-label": `Stop after this page: ${one.name}`, label: "What is there stays; the next pull goes on" });
      const rest = (one) =>
        !one.job ? null
        : one.paused ? button("Resume", () => act("resume", { job: one.job }), { shape: "play", key: `now-${one.job}`, "aria-label": `Resume ${one.job}` })
        : button("Pause", () => act("pause", { job: one.job }), { shape: "pause", key: `now-${one.job}`, "aria-label": `Pause ${one.job}`, label: "This run goes on; the next one does not begin" });
      const rows = said.now.map((one) =>
        h("tr", {},
          cell("", h("span", { class: one.shape === "running" ? "acc" : "warn" }, icon(one.shape, one.shape === "running" ? "running" : "waiting"))),
          h("td", { class: "name", title: one.name }, h("b", { class: "k" }, one.name)),
          named(one.about, "muted hide-n"),
          cell("part", one.percent === null ? null : bar(one.percent, 100, `${one.percent} %`)),
          cell("free", one.words),
          cell("num muted hide-n", one.since),
          cell("num muted", one.passed),
          cell("num", h("span", { class: "row" }, end(one), rest(one)))));
      const open = said.unfinished.map((one) =>
        h("tr", {}, cell("", icon("stop", "stopped")), cell("", h("b", { class: "k" }, one.plan)), named(one.words, "muted hide-n"), cell("part"),
          cell("free", "stopped before its end; goes on with ", h("code", {}, `ws.apply("${one.plan}")`)), cell("hide-n"), cell(""), cell("")));
      const all = [...rows, ...open];
      const body = all.length
        ? h("div", { class: "scroll" }, h("table", { class: "live" }, h("tbody", {}, all)))
        : h("p", { class: "small muted" }, "Nothing runs now. What runs in any notebook, terminal or schedule of this workspace stands here.");
      return panel("Now", summary(said), body);
    }

    function jobs(said) {
      const wrong = said.jobs_wrong.map((one) => h("p", { class: "small bad" }, icon("bad"), ` cannot be read: ${one}`));
      if (!said.jobs.length)
        return panel("Jobs", null, h("p", { class: "small muted" }, "No job yet: ", h("code", {}, 'ws.schedule("weekly pull", every="Mon 07:00")')), ...wrong);
      const rows = said.jobs.map((job) => {
        const failed = job.runs.filter((state) => state === "failed" || state === "cut off").length;
        const states = [...Array(Math.max(0, 24 - job.runs.length)).fill("none"), ...job.runs.map((state) => RUN_STATE[state] ?? "due")];
        const rest = job.paused
          ? button("Resume", () => act("resume", { job: job.name }), { shape: "play", key: `job-${job.name}`, "aria-label": `Resume ${job.name}` })
          : button("Pause", () => act("pause", { job: job.name }), { shape: "pause", key: `job-${job.name}`, "aria-label": `Pause ${job.name}` });
        return h("tr", {}, h("td", { class: "name", title: job.about }, h("b", { class: "k" }, job.name)),
          cell("runs", !job.runs.length ? h("span", { class: "muted" }, "none yet") : block(states, `${job.name}: last ${job.runs.length} ${job.runs.length === 1 ? "run" : "runs"}, ${failed} failed`, 24)),
          cell("muted free hide-n", job.says), cell("num free", job.words || job.next), cell("num", rest));
      });
      const what = h("span", { class: "legend" }, swatch("okb", "done"), swatch("duef", "stopped"), swatch("badf", "failed"));
      return panel("Jobs", what, h("div", { class: "scroll" }, h("table", { class: "jobs" }, heads(["Job"], ["Last runs"], ["When", "hide-n"], ["Next", "num"], [""]), h("tbody", {}, rows))), ...wrong);
    }

    function ledger(book) {
      if (!book.kinds?.length)
        return panel("Ledger", null, h("p", { class: "small muted" }, book.busy ? "The database is in use; it stands here when it is free." : book.name ? "No message has events yet." : "Nothing is pulled yet."));
      const rows = book.kinds.flatMap((one) => {
        const unequal = one.states.filter((state) => state === "unequal").length;
        const label = `${one.kind}: ${unequal} unequal of ${one.states.length} messages`;
        return [h("span", {}, one.kind[0].toUpperCase() + one.kind.slice(1)), block(one.states, label, Math.max(one.states.length, 20)), h("span", { class: "num muted" }, number(one.total))];
      });
      const verdict = book.unequal ? pill("bad", `${number(book.unequal)} differ`) : pill("ok", "nothing differs");
      const said = `${number(book.equal)} equal, ${number(book.due)} due, ${number(book.explained)} explained · pulled ${book.as_of}`;
      return panel(`Ledger of ${book.name}`, "last messages", h("div", { class: "lstrip" }, rows), h("div", { class: "foot" }, verdict, h("span", {}, said)));
    }

    function syncs(said) {
      if (!said.syncs?.length) return null;
      const rows = said.syncs.map((one) =>
        h("tr", {}, h("td", { class: "name", title: one.name }, h("b", { class: "k" }, one.name)), named(one.systems, "muted hide-n"),
          ...one.counts.map((count) => cell("num", count)), cell("bad", one.failing ? icon("bad", "failing") : null), cell("num muted free", one.words)));
      const stands = ["In step", "Excluded", "Duplicates", "Deleted", "Failing"].map((what) => [what, "num"]);
      return panel("Syncs", null, h("div", { class: "scroll" }, h("table", { class: "rows" }, heads(["Sync"], ["Systems", "hide-n"], ...stands, [""], [""]), h("tbody", {}, rows))),
        h("p", { class: "small muted" }, "Who is not in step, and why: ", h("code", {}, "ws.sync(NAME).health()")));
    }

    function failures(said) {
      if (!said.rows.length)
        return panel("Rows that failed", null, h("p", { class: "small muted" }, "None: no row of the last pushes was refused by iContact."));
      const rows = said.rows.map((one) =>
        h("tr", {}, cell("", icon("bad", "failed")), cell("mono", one.who, people ? ` ${people[one.key] ?? "no address"}` : ""), named(`${one.push} → ${one.list}`, "muted hide-n"),
          cell("free", `“${one.words}”`), cell("muted free hide-n", one.did), cell("num muted", one.at)));
      const right = [icon(people ? "eye" : "mask"), people ? " addresses shown" : " addresses masked", button(people ? "Mask" : "Show", show, { kind: "quiet", key: "show" })];
      return panel(`Rows that failed, ${number(rows.length)}`, right, h("div", { class: "scroll" },
        h("table", { class: "rows" }, heads([""], ["Contact"], ["Push", "hide-n"], ["In the service’s words"], ["What icx did", "hide-n"], ["At", "num"]), h("tbody", {}, rows))), again(said));
    }

    function happened(said) {
      const choose = (words, name) =>
        h("button", { type: "button", key: `filter-${name}`, "aria-pressed": String(filter === name), on: { click: () => { filter = name; draw(); } } }, words);
      const chosen = said.happened.filter((one) => filter === "all" || one.group === filter).slice(0, 15);
      const rows = chosen.map((one) =>
        h("tr", {}, cell("muted", one.at), cell("mono hide-n", one.way), named(one.what), cell("free", h("span", { class: "said" }, icon(one.shape), one.words))));
      const right = h("div", { class: "seg", role: "group", "aria-label": "Show" }, choose("All", "all"), choose("Written", "written"), choose("Refused", "refused"));
      const body = rows.length ? h("table", { class: "log" }, h("tbody", {}, rows)) : h("p", { class: "small muted" }, said.happened.length ? "Nothing of that kind among the latest." : "Nothing yet.");
      return panel("What happened", right, body);
    }

    // A plan that is being answered stays where it is while the rest is drawn again around it.
    const view = h("div", { class: "gap" });
    const place = h("div", { hidden: true });
    const past = h("div", { class: "gap" });
    function draw() {
      const said = model.get("said");
      if (!said?.name) return;
      renew(view, h("div", { class: "gap" },
        top(said),
        quiet ? note("warn", "Nothing was heard for a while.", unanswered ? "The kernel works on another cell, or was restarted; run the cell again if it stays so." : "") : null,
        trouble ? failure(trouble) : null,
        said.paused ? note("warn", "All pushes are paused.", said.paused) : null,
        now(said),
        h("div", { class: "g31" }, jobs(said), ledger(said.ledger)),
        syncs(said),
        failures(said)));
      renew(past, h("div", { class: "gap" }, happened(said)));
      const words = summary(said);
      if (words !== spoken) {
        spoken = words;
        voice.say(words);
      }
    }

    const news = () => {
      last = performance.now();
      quiet = false;
      draw();
    };
    const pulse = setInterval(() => {
      q.latest("here", { still: true });
      if (!quiet && performance.now() - last > QUIET * 1000) {
        quiet = true;
        draw();
      }
    }, 10000);
    q.waiting((seconds) => { unanswered = seconds; });
    model.on("change:said", news);
    keepKeys(root);
    root.append(h("div", { class: "gap" }, view, place, past), voice.element);
    el.append(root);
    q.latest("here");
    draw();
    return () => {
      clearInterval(pulse);
      model.off("change:said", news);
      shut();
      q.close();
    };
  },
};
