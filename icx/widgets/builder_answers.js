// What Python answers: the newest count, and what is asked beside it. An older answer never overwrites a newer one.

const SHOWN_MEMBERS = 5;
const WAITED = 0.4; // seconds after which a question that is not answered is told as waiting

/** Give the view its questions; each belongs to a lane in which only the newest is waited for. */
function answering(b) {
  const state = b.s;

  /** Which lanes have waited so long that it is told; a text of them goes on saying how long. */
  b.slow = (lane) => state.slow.has(lane);
  b.waiting = (lane) => (!b.live() ? "" : state.alive === "busy" ? "waiting for the running cell" : `waiting… ${b.python.waited(lane).toFixed(1)} s`);
  b.tick = () => {
    const slow = new Set(["breakdown", "sample", "picker", "why", "misses"].filter((lane) => b.python.waited(lane) > WAITED));
    if (slow.size !== state.slow.size || [...slow].some((lane) => !state.slow.has(lane))) b.change({ slow });
    else for (const line of b.root.querySelectorAll("[data-lane]")) line.textContent = b.waiting(line.dataset.lane);
  };

  b.heard = (answers) => {
    if (!answers || answers.rev === undefined || answers.rev !== state.rev) return;
    if (state.newest && answers.rev < state.newest.rev) return;
    const more = state.newest?.rev === answers.rev && state.newest.total === answers.total; // the size without machines comes when the total has been told
    state.newest = answers;
    Object.assign(state, { since: null, counting: false, stopped: false });
    if (answers.total !== null && answers.total !== undefined) {
      state.good = answers;
      if (more) {
        b.draw();
        return;
      }
      const was = answers.before === null || answers.before === undefined ? "" : `, ${number(answers.total - answers.before)} by the last edit`;
      if (state.drawn) b.speech.say(`${number(answers.total)} contacts in the audience${was}`);
    }
    if (!state.drawn) return;
    b.draw();
    const wrong = b.wrongCount();
    if (wrong) b.speech.say(`${wrong} ${wrong === 1 ? "rule" : "rules"} to fix`);
    b.wants();
    b.below();
  };

  /** Ask for what rows show beside their controls, once for each field and number of people who reach them. */
  b.wants = () => {
    for (const { row, leaf } of rows(state.doc)) {
      if (!leaf.field || b.problems.has(leaf.id)) continue;
      const type = b.cat.type(leaf);
      const { input } = b.cat.operator(leaf);
      const reach = state.good?.nodes?.[row]?.before ?? "new";
      const drawn = type === "integer" || type === "number" || type === "time";
      if (drawn && ["one", "date", "pair", "pair-date"].includes(input)) once(leaf, "histogram", `${leaf.field}|${leaf.key}|${reach}`, { key: leaf.key ?? null }, (told) => state.histograms.set(leaf.id, told));
      if (input === "many" && leaf.value?.length) once(leaf, "values", `${leaf.field}|${leaf.key}|${reach}|${JSON.stringify(leaf.value)}`, { key: leaf.key ?? null, search: "", limit: leaf.value.length, only: leaf.value }, (told) => state.chips.set(leaf.id, told.values));
      if (type === "event" && leaf.message && !state.messages.has(leaf.message)) once(leaf, "values", `message|${leaf.message}`, { key: "message", search: "", limit: 1, only: [leaf.message] }, (told) => told.values.forEach((each) => state.messages.set(each.value, each.label ?? String(each.value))));
    }
  };

  async function once(leaf, verb, sig, given, keep) {
    const key = `${verb}:${leaf.id}`;
    if (state.asked.get(key) === sig || !b.live()) return;
    state.asked.set(key, sig);
    const told = await b.python.latest(verb, { node: leaf.id, rule: b.fin(), field: leaf.field, ...given }, key);
    if (!told?.ok || state.asked.get(key) !== sig) return;
    keep(told);
    b.draw();
  }

  /** The parts below the tree: of the newest count, or left as they are. */
  b.below = () => {
    const { rev } = state;
    if (!b.counted() || b.counted().total === null || b.counted().total === undefined) return;
    if (!state.by) state.by = (b.cat.all.find((each) => b.splits(each) && /tier|engage/.test(each.name)) ?? b.cat.all.find((each) => b.splits(each)))?.name ?? "";
    const rule = b.fin();
    if (state.by) b.python.latest("breakdown", { rule, by: state.by }).then((told) => told && rev === state.rev && b.change({ parts: told.ok ? told : { error: told.error } }));
    sampleOf(rule, rev);
    if (state.miss) missesOf(state.miss.id);
  };

  async function sampleOf(rule, rev) {
    const told = await b.python.latest("sample", { rule, rev, n: SHOWN_MEMBERS, show: state.show, seed: state.seed });
    if (told && rev === state.rev) b.change({ sample: told.ok ? told : { error: told.error } });
  }

  /** Show or hide whom one rule alone keeps out. */
  b.miss = (id) => {
    b.change({ miss: state.miss?.id === id ? null : { id, told: null } });
    if (state.miss) missesOf(id);
  };

  async function missesOf(id) {
    const { rev } = state;
    if (!b.figures()?.misses?.some((each) => each.id === id && each.count)) {
      b.change({ miss: null });
      return;
    }
    const told = await b.python.latest("misses", { rule: b.fin(), node: id, n: SHOWN_MEMBERS, show: state.show, seed: state.seed });
    if (told && rev === state.rev && state.miss?.id === id) b.change({ miss: { id, told: told.ok ? told : { error: told.error } } });
  }

  b.changeBy = (by) => {
    b.change({ by });
    b.below();
  };
  b.another = () => {
    state.seed += 1;
    sampleOf(b.fin(), state.rev);
  };
  b.show = (show) => {
    // Unmasked rows leave the view at once when they are masked again.
    b.change(show ? { show } : { show, sample: state.sample && { ...state.sample, rows: [] }, miss: state.miss && { id: state.miss.id, told: null } });
    sampleOf(b.fin(), state.rev);
    if (state.miss) missesOf(state.miss.id);
  };

  b.why = async (who) => {
    if (!who) return;
    Object.assign(state, { who, answer: null, open: { ...state.open, why: true } });
    b.draw();
    focusKey(b.root, "who");
    b.root.querySelector("[data-key='who']")?.scrollIntoView({ block: "nearest" });
    const told = await b.python.latest("why", { rule: b.fin(), who });
    if (told) b.change({ answer: told.ok ? told : { error: told.error } });
  };

  b.lookUp = async () => {
    const { pop: open } = state;
    const leaf = find(state.doc, open.id);
    if (!leaf) return;
    const key = open.kind.endsWith("message") ? "message" : (leaf.key ?? null);
    const told = await b.python.latest("values", { node: leaf.id, rule: b.fin(), field: leaf.field, key, search: open.search, limit: 50 }, "picker");
    if (told === null || state.pop !== open) return;
    open.answer = told.ok ? told : { error: told.error, values: [] };
    if (key === "message") for (const each of told.values ?? []) state.messages.set(each.value, each.label ?? String(each.value));
    b.draw();
  };

  const searchSoon = settled(150, () => state.pop && b.lookUp());
  b.search = (text) => {
    state.pop.search = text;
    b.draw();
    searchSoon();
  };

  b.suggest = async (leaf) => {
    if (state.suggested.has(leaf.id)) return;
    const told = await b.python.latest("values", { node: leaf.id, rule: b.fin(), field: leaf.field, key: leaf.key ?? null, search: "", limit: 50 }, `suggest:${leaf.id}`);
    if (told) state.suggested.set(leaf.id, told.ok ? told.values : []);
    b.draw();
  };
}
