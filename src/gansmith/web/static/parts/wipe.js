// Before/after wipe: two images of one size, the edge between them moved by pointer or arrow keys (it is a range input).
import { h } from "./dom.js";

/** Wipe of two images; returns an element with before(url) and after(url). `ratio` is width / height. */
export function wipe({ before = "", after = "", names = ["before", "after"], ratio = 1, pixels = false } = {}) {
  const kind = pixels ? "pixels" : "";
  const under = h("img", { class: kind, alt: "", ...(after && { src: after }) });
  const over = h("img", { class: `before ${kind}`, alt: "", ...(before && { src: before }) });
  const range = h("input", { type: "range", min: 0, max: 100, value: 50, step: 1, "aria-label": `Edge between ${names[0]} and ${names[1]}`,
    "aria-valuetext": `half ${names[0]}`,
    oninput: () => {
      element.style.setProperty("--at", `${range.value}%`);
      range.setAttribute("aria-valuetext", `${range.value} percent ${names[0]}`);
    } });
  const element = h("div", { class: "wipe", style: { "--ratio": ratio } }, under, over, h("div", { class: "edge" }),
    h("span", { class: "left" }, names[0]), h("span", { class: "right" }, names[1]), range);
  element.before = (url) => { over.src = url; };
  element.after = (url) => { under.src = url; };
  return element;
}
