// Card of a run in the list: newest sheet, state, progress; updated live.
import { sheetOf, thumbnail } from "./chooser.js";
import { fill, h } from "./dom.js";
import { count, remaining, short } from "./words.js";

const KINDS = { training: "accent live", stopped: "warn", ended: "good" };
/** State of a run as a chip: word and colour. */
export const stateChip = (run) => h("span", { class: `chip ${KINDS[run.state] || ""}` }, run.stopping ? "stopping …" : run.state || "no model yet");

/** Card: {element, run, update(change), allowPick(yes)}. */
export function card(run, { open, pick }) {
  const link = h("a", { href: `#/runs?run=${encodeURIComponent(run.name)}`, onclick: (event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); open(); } } }, run.name);
  const image = thumbnail(run);
  const chip = h("span");
  const line = h("div", { class: "line number" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": `${run.name}: share of the training done` });
  const box = h("input", { type: "checkbox", "aria-label": `Pick ${run.name} to open two side by side`, onchange: () => pick(box.checked) });
  const element = h("li", { class: "card runs-card" }, image, h("div", { class: "below" },
    h("div", { class: "row ends" }, h("h3", {}, link), h("span", { class: "pick" }, box)),
    h("div", { class: "row" }, chip, run.recipe && h("span", { class: "quiet small" }, run.recipe)), line, bar));
  const one = {
    element, run: { ...run },
    allowPick(yes) { box.disabled = !yes && !box.checked; },
    update(change) {
      const sheetBefore = sheetOf(one.run);
      Object.assign(one.run, change);
      const now = one.run;
      fill(chip, stateChip(now));
      const training = now.state === "training";
      fill(line, h("span", { title: "How many images the training has drawn, the same ones again and again" }, now.error && !now.images ? "no model yet" : `trained on ${count(now.images)} drawn images`), training && now.rate ? h("span", {}, `${short(now.rate)}/s`) : "",
        training && now.left ? h("span", {}, remaining(now, " left")) : "");
      bar.hidden = !training;
      const total = now.total || (now.left && now.rate ? now.images + now.left * now.rate : 0);
      if (total) bar.value = Math.min(1, now.images / total); else bar.removeAttribute("value");
      const url = sheetOf(now);
      if (url && url !== sheetBefore) image.show(url);
    },
  };
  one.update({});
  return one;
}
