// Empty states: what is missing in plain words, and the one thing to do about it.
import { h } from "./dom.js";
import { icon } from "./icons.js";

/** Block of icon, title, paragraph(s) and what to do (buttons, a line to copy). */
export function empty(name, title, words, ...todo) {
  return h("div", { class: "empty" }, icon(name, 40), h("h2", {}, title), [words].flat().map((w) => h("p", {}, w)), todo);
}
