// Link to the blind test, a page of its own in a new tab; where it cannot be made, a button that says why on this page.
import { api } from "../api.js";
import { copyable } from "./command.js";
import { fill, h } from "./dom.js";
import { openWith } from "./words.js";

const WORDS = "Blind test: real or made? (new tab)";

/** {element, notice}: the link, and the place of what is missing, which is empty until somebody asks. */
export function blindLink(context) {
  const { run, signal } = context;
  const href = api.at(run, "blindtest", { looks: 20 });
  const notice = h("div", { class: "stack", role: "status" });
  const say = (error) => fill(notice, h("p", { class: "notice warn" }, `No blind test here: ${error.message}`), / --images FOLDER$/.test(error.message) ? copyable(openWith(context)) : null);
  let known = false;
  const asked = api.get(api.at(run, "blindtest/ready"), { signal }).then(() => { known = true; return null; }, (error) => error);
  const link = h("a", { class: "button", target: "_blank", rel: "noopener", href, onclick: async (event) => {
    if (known) return;
    event.preventDefault(); // not known yet whether there are images: an answer in a new tab would be bare JSON
    const problem = await asked;
    if (problem) say(problem); else window.open(href, "_blank", "noopener");
  } }, WORDS);
  const element = h("span", {}, link);
  asked.then((problem) => {
    if (problem && !api.dropped(problem)) fill(element, h("button", { type: "button", onclick: () => say(problem) }, "Blind test: real or made?"));
  });
  return { element, notice };
}
