// Dragging a rule or a group by its grip to another place; the keyboard's way to the same places is the row's menu and Alt with arrows.

const FAR = 4; // pixels before a press is a drag
const EDGE = 36; // pixels from the window's edge where the page follows

function grip(b, node) {
  return h("span", {
    class: "grip", key: `${node.id}:grip`, "aria-hidden": "true", title: "Drag to another place",
    on: { pointerdown: (event) => b.take(event, node.id), pointermove: (event) => b.carry(event), pointerup: () => b.drop(), pointercancel: () => b.letGo() },
  });
}

/** Where a node may be put, from top to bottom: each is a group, a position in it, and how far down the page it is. */
function slots(b, id) {
  const found = [];
  const top = (key) => b.root.querySelector(`[data-key="${CSS.escape(key)}"]`)?.getBoundingClientRect().top;
  const walk = (group) => {
    group.rules.forEach((each, at) => {
      found.push({ group: group.id, at, y: top(`row:${each.id}`) });
      if (enterable(each) && each.id !== id) walk(each);
    });
    found.push({ group: group.id, at: group.rules.length, y: top(`adds:${group.id}`) });
  };
  walk(b.s.doc);
  return found.filter((each) => each.y !== undefined);
}

/** The line where what is dragged would stand; it takes no room. */
function dropLine(b, group, at) {
  const { drag } = b.s;
  return drag?.moved && drag.group === group.id && drag.at === at ? h("div", { class: "drop-line", key: "drop-line", "aria-hidden": "true" }) : null;
}

function dragging(b) {
  const state = b.s;

  b.take = (event, id) => {
    if (event.button) return;
    event.preventDefault();
    b.close();
    event.currentTarget.setPointerCapture(event.pointerId);
    state.drag = { id, from: event.clientY, moved: false, group: null, at: null };
    document.addEventListener("keydown", escape, true);
  };

  b.carry = (event) => {
    const { drag } = state;
    if (!drag || (!drag.moved && Math.abs(event.clientY - drag.from) < FAR)) return;
    follow(event.clientY);
    const near = slots(b, drag.id).sort((one, two) => Math.abs(one.y - event.clientY) - Math.abs(two.y - event.clientY))[0];
    if (!near || (drag.moved && near.group === drag.group && near.at === drag.at)) return;
    b.change({ drag: { ...drag, moved: true, group: near.group, at: near.at } });
  };

  b.drop = () => {
    const { drag } = state;
    b.letGo();
    if (!drag?.moved) return;
    const what = b.rowName(find(state.doc, drag.id));
    b.act(place(state.doc, drag.id, drag.group, drag.at), `moved ${what}`, `${drag.id}:menu`);
    b.speech.say(`Moved, now ${b.rowName(find(state.doc, drag.id))}`);
  };

  b.letGo = () => {
    document.removeEventListener("keydown", escape, true);
    if (state.drag) b.change({ drag: null });
  };

  function escape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    b.letGo();
  }

  function follow(y) {
    const way = y < EDGE ? -1 : y > window.innerHeight - EDGE ? 1 : 0;
    if (!way) return;
    let over = b.root.parentElement;
    while (over && !(over.scrollHeight > over.clientHeight && /auto|scroll/.test(getComputedStyle(over).overflowY))) over = over.parentElement;
    (over ?? document.scrollingElement)?.scrollBy(0, way * 18);
  }
}
