// What the connection wizard says of Mailchimp before a key is typed: where one is made, and the way without one.

const KEY_STEPS = ["Kind of system", "Make a key", "Key", "Audience", "Check and save"];
const FIRST = { icontact: "route-own", mailchimp: "have" }; // kinds with something to do first, and what has the focus there

function makeKey(label, back, on) {
  const todo = [
    ["In Mailchimp open ", h("b", {}, "Profile › Extras › API keys"), ", and create a key."],
    "Copy it whole, with its ending: Mailchimp shows it once.",
  ];
  return [
    h("div", {}, h("h3", {}, "A key of your own account"), h("p", { class: "small muted" }, "Mailchimp lets a program in by one key, which opens the whole account.")),
    h("ol", { class: "todo" }, todo.map((words, at) => h("li", {}, h("span", { class: "n" }, String(at + 1)), h("span", {}, words)))),
    h("details", {}, h("summary", {}, "The account is somebody else's"),
      h("p", { class: "small" }, "Its owner then gives leave in a browser (OAuth). Type in a terminal: ", h("code", {}, `icx connect ${label || "news"} --mailchimp --oauth CLIENT_ID`))),
    h("div", { class: "row between" }, button("Back", back), button("I have the key", on, { kind: "primary", key: "have" })),
  ];
}
