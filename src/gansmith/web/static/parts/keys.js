// Keys: `g` and a letter goes to a view, a view adds its own; `?` lists them. Single keys can be turned off (WCAG 2.1.4).
import { dialog } from "./dialog.js";
import { h } from "./dom.js";
import { listed } from "./glossary.js";

let own = {};
let views = [];
let after = -Infinity; // when `g` was pressed
const off = () => { try { return localStorage.getItem("gansmith.keys") === "off"; } catch { return false; } };

/** Keys of the view on show: {key: [words, function]}; `key` as in KeyboardEvent.key. Replaces those of the view before. */
export function ownKeys(keys) { own = keys || {}; }

/** Keys on, for the views [{key, title, name}]; go(name) opens one. */
export function listen(all, go) {
  views = all;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || off() || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=range], [type=checkbox], [type=radio]), select, textarea, [contenteditable]")) return;
    if (event.target.matches("input") && /^(Arrow|Home|End|Page| )/.test(event.key)) return; // a slider or a group of choices moves by them
    const recent = performance.now() - after < 1200;
    after = -Infinity;
    const view = recent && views.find((v) => v.key === event.key);
    if (view) { event.preventDefault(); go(view.name); return; }
    if (event.key === "?") { event.preventDefault(); help(); return; }
    if (event.key === "g") { after = performance.now(); return; }
    const mine = own[event.key];
    if (mine && !event.defaultPrevented) { event.preventDefault(); mine[1](event); }
  });
}

/** List of keys. */
export function help() {
  const line = (keys, words) => [h("dt", {}, keys.map((key) => [h("kbd", {}, key), " "])), h("dd", {}, words)];
  const box = h("input", { type: "checkbox", checked: !off(), onchange: () => { try { localStorage.setItem("gansmith.keys", box.checked ? "on" : "off"); } catch { /* stays as it is */ } } });
  const name = (key) => ({ " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" }[key] || key);
  const mine = Object.entries(own);
  return dialog({ title: "Keys and words", content: h("div", { class: "stack" },
    mine.length ? [h("h3", {}, "In this view"), h("dl", { class: "keys" }, mine.map(([key, [words]]) => line([name(key)], words)))] : [],
    h("h3", {}, "Everywhere"),
    h("dl", { class: "keys" }, views.map((view) => line(["g", view.key], view.title)), line(["Tab"], "next control"),
      line(["Esc"], "close a dialog or a message"), line(["?"], "this list")),
    h("h3", {}, "Words"), listed(),
    h("label", { class: "check" }, box, "Single keys on"),
    h("p", { class: "quiet small" }, "Drop an image anywhere: one made by gansmith opens where it was made, a photograph is edited. The line at the bottom is the command that makes the same bytes.")) });
}
