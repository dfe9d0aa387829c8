// Controls of a gallery: which images, from which seed, which class, truncation, how large. changed(name, value) is called.
import { h } from "./dom.js";
import { explained } from "./glossary.js";
import { classesOf, truncationOf } from "./pool.js";

const LISTS = { seeds: "all seeds", stars: "stars", latents: "photographs" };

/** Slider with its value beside it; `words(value)` writes the value. */
export function slider({ label, min, max, step, value, words = String, input }) {
  const out = h("output", { class: "number" }, words(Number(value)));
  const range = h("input", { type: "range", min, max, step, value, "aria-label": label, "aria-valuetext": words(Number(value)),
    oninput: () => {
      const now = Number(range.value);
      out.value = words(now);
      range.setAttribute("aria-valuetext", words(now));
      input(now);
    } });
  const element = h("label", { class: "slider" }, h("span", { class: "small quiet" }, label, " ", out), range);
  element.range = range;
  return element;
}

/** Controls of class and truncation over `state` {label, truncation}, as many as the run's generator takes. */
export function howControls(run, state, changed) {
  const classes = classesOf(run);
  const cut = truncationOf(run);
  const parts = [];
  if (classes.length) {
    parts.push(h("label", { class: "field" }, "Class", h("select", { onchange: (event) => changed("label", event.target.value) },
      h("option", { value: "" }, "each its own"), classes.map((name) => h("option", { value: name, selected: state.label === name }, name)))));
  }
  if (cut) {
    parts.push(explained(slider({ label: "Truncation", ...cut, value: state.truncation ?? cut.off, input: (value) => changed("truncation", value === cut.off ? null : value),
      words: (value) => (value === cut.off ? "off" : String(value)) }), "truncation"));
  }
  return parts;
}

/** Bar of a gallery over `state` {list, from, label, truncation, side}. */
export function galleryBar(run, state, changed) {
  const parts = [
    h("label", { class: "field" }, "Show", h("select", { onchange: (event) => changed("list", event.target.value) },
      Object.entries(LISTS).map(([value, words]) => h("option", { value, selected: state.list === value }, words)))),
    explained(h("label", { class: "field" }, "From seed", h("input", { type: "number", min: 0, max: 9007199254740991, step: 1, value: state.from,
      class: "from number", onchange: (event) => changed("from", Math.max(0, Math.trunc(Number(event.target.value)) || 0)) })), "seed"),
  ];
  parts.push(...howControls(run, state, changed));
  parts.push(slider({ label: "Size", min: 48, max: 320, step: 8, value: state.side, words: (value) => `${value} px`, input: (value) => changed("side", value) }));
  return h("div", { class: "gallery-bar" }, parts);
}
