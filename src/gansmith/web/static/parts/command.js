// The command bar: what makes the same bytes on the command line, to copy. Every view fills it.
import { copy, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { say } from "./toast.js";

const line = h("code", { class: "none", tabindex: "0" }, "The command that does the same appears here.");
const clock = h("span", { class: "clock number" });
const button = h("button", { type: "button", class: "small", disabled: true, onclick: async () => {
  say((await copy(line.textContent)) ? "Command copied." : "The browser refuses the clipboard: select the line and copy it.");
}, "aria-label": "Copy as command" }, icon("copy", 15), h("span", {}, "Copy", h("span", { class: "long" }, " as command")));

/** Bar put into its place, once. */
export const commandBar = (place) => fill(place, line, clock, button);

/** Command shown (null where there is none: then `without` says so), with the images clock of the model that made what is on show. */
export function command(text, images = null, without = "Nothing made yet in this view.") {
  line.classList.toggle("none", !text);
  line.textContent = text || without;
  button.disabled = !text;
  clock.textContent = images === null ? "" : `model after ${Number(images).toLocaleString("en-US")} images`;
}

/** Line to copy inside a text: code and a button. */
export function copyable(text) {
  return h("div", { class: "copyable" }, h("code", { tabindex: "0" }, text),
    h("button", { type: "button", class: "small plain", "aria-label": `Copy ${text}`, onclick: async () => { if (await copy(text)) say("Copied."); } }, icon("copy", 15)));
}
