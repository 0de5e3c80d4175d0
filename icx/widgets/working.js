// Work under way: the page that Python draws of each moment, and the button that ends it.
// A kernel that works hears no question, but an interrupt, which the work takes for the same; where the notebook gives
// no interrupt the question is asked, and the button is there once the kernel has shown that it answers.

export default {
  render({ model, el }) {
    const q = questions(model);
    const voice = speaker();
    const root = h("div", { class: "icx", role: "region", "aria-label": model.get("name") });
    const view = h("div");
    let hears = Boolean(interruptible());
    let asked = false;
    let trouble = null;

    function interruptible() {
      const kernel = model.widget_manager?.kernel;
      return typeof kernel?.interrupt === "function" ? kernel : null;
    }

    async function end() {
      asked = true;
      draw();
      voice.say("Stopping after this page");
      const kernel = interruptible();
      if (kernel) {
        await kernel.interrupt().catch(() => { asked = false; });
      } else {
        const answer = await q.ask("end");
        trouble = answer.ok ? null : answer.error;
        asked = answer.ok;
      }
      draw();
    }

    function draw() {
      const fresh = pictured(model.get("html"));
      const words = asked ? "Stopping after this page…" : "Stop after this page";
      const act = button(words, end, { shape: "pause", key: "end", disabled: asked, label: "What is there stays; the next pull goes on", why: "the page under way is landed first" });
      if (hears) fresh.querySelector(".head")?.append(act);
      if (trouble) fresh.append(failure(trouble));
      renew(view, fresh);
    }

    keepKeys(root);
    root.append(view, voice.element);
    el.append(root);
    const deaf = following(model, { html: draw });
    if (!hears)
      q.ask("alive").then(() => {
        hears = true;
        draw();
      });
    draw();
    return () => {
      deaf();
      q.close();
    };
  },
};
