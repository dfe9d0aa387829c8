// Pairs: samples beside their nearest training images, with the distance and whether it is a copy.
import { api } from "../api.js";
import { copyable } from "./command.js";
import { h } from "./dom.js";
import { tile } from "./tile.js";
import { openWith, short } from "./words.js";

const MANY = 6;

/** Section that loads pairs on demand, six more with each press. */
export function pairs(context) {
  const { run, signal } = context;
  const one = api.queue(2);
  const list = h("div", { class: "truth-pairs" });
  let seed = Number(context.state.pairs || 0);
  const more = h("button", { type: "button", onclick: () => load() }, "Show six more");
  const words = h("p", { class: "quiet" }, "A generator that copies shows nearly the same image twice.");
  const section = h("section", { class: "stack", "aria-label": "Samples beside their nearest training images" }, h("h2", {}, "Samples beside their nearest training images"), words, list, h("div", {}, more));
  let gone = false;
  function failed(error) { // each of them would say the same: once is enough
    if (api.dropped(error) || gone) return;
    gone = true;
    more.hidden = true;
    list.replaceWith(h("div", { class: "stack truth-gone" }, h("p", { class: "notice warn" }, error.message), /--images FOLDER$/.test(error.message) ? copyable(openWith(context)) : ""));
  }
  function load() {
    const from = seed;
    seed += MANY;
    for (let s = from; s < seed; s += 1) list.append(pair(s));
  }
  function pair(s) {
    const left = tile({ run, label: `sample of seed ${s}`, seed: s });
    const right = tile({ run, label: `nearest training image of seed ${s}` });
    const caption = h("figcaption", { class: "small quiet number" }, "searching …");
    one(() => api.image(api.at(run, "image", { seed: s }), { signal }), { signal }).then(left.show, (error) => { if (!api.dropped(error)) left.fail(error.message); });
    one(() => (gone ? Promise.reject(new DOMException("the same again", "AbortError")) : api.get(api.at(run, "nearest", { seed: s }), { signal })), { signal }).then((near) => {
      right.show(near.image);
      if (near.copy) right.badge([{ text: "copy", kind: "bad" }]);
      caption.textContent = near.distance === null ? near.verdict : `distance ${short(near.distance)}: ${near.verdict}`;
    }, failed);
    return h("figure", {}, h("div", { class: "two" }, left, right), caption);
  }
  if (run.generates === false) { section.hidden = true; return section; }
  load();
  return section;
}
