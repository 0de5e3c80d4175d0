// A view of icx. Its code and its stylesheet stand once in a notebook, in models that all views of its kind name.

/** A model that is still on its way, as when a saved notebook is opened, is waited for. */
async function named(manager, reference) {
  for (let tried = 0; ; tried += 1) {
    try {
      return await manager.get_model(reference.replace("IPY_MODEL_", ""));
    } catch (error) {
      if (tried > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export default {
  async render(given) {
    const { model } = given;
    const [code] = await Promise.all(model.get("shared").map((each) => named(model.widget_manager, each)));
    const address = URL.createObjectURL(new Blob([code.get("code")], { type: "text/javascript" }));
    try {
      return (await import(address)).default.render(given);
    } finally {
      URL.revokeObjectURL(address);
    }
  },
};
