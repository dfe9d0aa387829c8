// Tile: one image in a square of fixed size (nothing jumps while it loads), with its seed, badges, and a name for screen readers.
import { api } from "../api.js";
import { h, set } from "./dom.js";
import { sides } from "./words.js";

/**
 * Tile of an image. `label` is what screen readers say; `seed` and `badges` [{text, kind}] are written on it. Returns an element
 * with: show(url | answer of api.image), wait(), fail(message), badge([..]), and `answer` (the last one shown).
 */
export function tile({ run = null, label, seed = null, badges = [], tag = "div", pixels = null, ...properties }) {
  const img = h("img", { alt: "", draggable: "false" });
  const marks = h("span", { class: "badges" });
  const element = h(tag, { class: "tile loading", "aria-label": label, role: tag === "div" ? "img" : null, ...(tag === "button" && { type: "button" }), ...properties },
    img, seed !== null && h("span", { class: "seed", "aria-hidden": "true" }, String(seed)), marks);
  if (run) {
    const [height, width] = sides(run);
    element.style.setProperty("--ratio", `${width} / ${height}`);
    element.classList.toggle("pixels", pixels ?? Math.max(height, width) <= 128);
  }
  element.show = (answer) => {
    const url = typeof answer === "string" ? answer : answer.url;
    const before = img.getAttribute("src");
    element.answer = answer;
    img.onload = () => { element.classList.remove("loading", "failed"); if (before !== url) api.free(before); };
    img.onerror = () => element.fail("no image");
    img.src = url;
    return element;
  };
  element.wait = () => element.classList.add("loading");
  element.fail = (message) => { element.classList.remove("loading"); element.classList.add("failed"); set(element, { "data-message": message }); };
  element.badge = (list) => marks.replaceChildren(...list.map((b) => h("span", { class: `badge ${b.kind || ""}`, title: b.title }, b.text)));
  element.free = () => { api.free(img.getAttribute("src")); };
  element.badge(badges);
  return element;
}
