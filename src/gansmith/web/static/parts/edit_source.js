// What is edited: a seed, a photograph found before, or a new one that is dropped in; class and truncation.
import { fill, h, set } from "./dom.js";
import { dropZone } from "./drop.js";
import { fromOf } from "./edit_words.js";
import { howControls } from "./gallery_bar.js";
import { explained } from "./glossary.js";
import { icon } from "./icons.js";
import { isSeed } from "./latents.js";

/** Card: {element, words(said, key)}; choose(key), next(by), take(file), change(name, value) are called. size: the model's, in words. */
export function editSource({ run, about }, { options, size, choose, next, take, change }) {
  const seed = h("input", { type: "number", min: 0, max: 9007199254740991, step: 1, class: "number", "aria-label": "Seed",
    onchange: () => seed.value && choose(String(Math.max(0, Math.trunc(Number(seed.value)) || 0))) });
  const kind = h("span", {}, "Seed");
  const step = (by, words, name) => h("button", { type: "button", class: "icon", "aria-label": words, onclick: () => next(by) }, icon(name));
  const latents = h("select", { class: "edit-list", "aria-label": "Photographs found before", onchange: () => latents.value && choose(latents.value) });
  const drop = dropZone({ words: [h("strong", {}, "Your own photograph"), h("span", {}, "drop it here, or paste it"), h("span", { class: "small edit-kept" }, `The run keeps it at ${size} pixels, no larger.`)], take, label: "Choose a file" });
  const controls = howControls(run, options, change);
  const element = h("section", { class: "card stack", "aria-label": "What is edited" }, h("h2", {}, "What is edited"),
    h("div", { class: "edit-source" },
      h("div", { class: "stack" }, explained(h("label", { class: "field" }, kind, h("span", { class: "row edit-seed" }, step(-1, "Seed before", "left"), seed, step(1, "Next seed", "right"))), "seed"), controls),
      about.read_only ? null : drop, latents));

  function words(said, key) {
    const known = run.latents || [];
    const empty = said.list ?? (known.length ? "photographs found before" : "no photographs yet");
    fill(latents, h("option", { value: "" }, empty), known.map((one) => h("option", { value: one.id }, fromOf(one))));
    latents.disabled = !known.length || said.list !== null;
    latents.value = said.list === null && known.some((one) => one.id === key) ? key : "";
    kind.textContent = said.kind;
    if (document.activeElement !== seed || said.field !== null) seed.value = said.field === null && isSeed(key) ? key : "";
    set(seed, { placeholder: said.field, title: said.field === null ? null : `${said.field} is edited; a number here is a seed` });
  }
  return { element, words };
}
