// Ruler: the distance of the samples from the real images, on a scale between held-out real images (0) and shuffled ones (1).
import { h } from "./dom.js";
import { short } from "./words.js";

const GOOD = 0.1;
const BAD = 0.2;

/** Figure of the numbers `ruler` and `ruler_held_out` of the audit's quality. */
export function ruler({ ruler: mine, ruler_held_out: held }) {
  const most = Math.max(1, mine.value * 1.1);
  const at = (x) => `${(100 * Math.min(Math.max(x, 0), most)) / most}%`;
  const zone = (kind, from, to) => h("div", { class: `zone ${kind}`, style: { left: at(from), width: `calc(${at(to)} - ${at(from)})` } });
  const [low, high] = mine.interval || [mine.value, mine.value];
  return h("figure", { class: "card stack truth-ruler" }, h("h3", {}, "The ruler"),
    h("div", { class: "scale", role: "img", "aria-label": `Distance from the real images: ${short(mine.value)}, where 0 is as near as other real images and 1 is real images cut into 4 by 4 pieces and shuffled; up to ${GOOD} is good, from ${BAD} on bad` },
      zone("good", 0, GOOD), zone("fair", GOOD, BAD), zone("bad", BAD, most),
      h("div", { class: "span", style: { left: at(low), width: `calc(${at(high ?? low)} - ${at(low)})` } }), h("div", { class: "mark", style: { left: at(mine.value) } }, h("span", {}, short(mine.value))),
      h("div", { class: "tick", style: { left: at(held?.value ?? 0) } }), h("div", { class: "tick", style: { left: at(1) } })),
    h("figcaption", { class: "small quiet" }, `Distance from the real images. 0: as near as other real images; 1: real images cut into 4 × 4 pieces and shuffled. Good below ${GOOD}, bad from ${BAD} on.`));
}
