// Nearest training image of a sample, with the verdict whether it is a copy. Once asked for, it follows the active image.
import { fill, h } from "./dom.js";
import { howOf, latentOf } from "./latents.js";
import { tile } from "./tile.js";
import { short } from "./words.js";

const PATIENCE = 350; // milliseconds that an image stays active before its nearest one is looked for
let follows = false;

/** {element, find(), end()} of the nearest training image of an image, made with `options` {label, truncation}. */
export function nearestPanel({ api, run, failed }, key, options = {}) {
  const gone = new AbortController();
  const place = h("div", { class: "nearest", "aria-live": "polite" });
  const button = h("button", { type: "button", onclick: () => find() }, "Nearest training image");
  fill(place, button);

  async function find() {
    follows = true;
    const image = tile({ run, label: "The nearest training image" });
    fill(place, image, h("p", { class: "quiet small" }, "Searching the training images; the first time takes a while."));
    const latent = latentOf(key);
    const how = howOf(options, [key], run);
    try {
      const asked = "seed" in latent ? api.get(api.at(run, "nearest", { seed: latent.seed, ...how }), { signal: gone.signal })
        : api.post(api.at(run, "nearest"), { of: latent, ...how }, { signal: gone.signal });
      const { distance, verdict, copy, image: url } = await asked;
      image.show(url);
      fill(place, image, h("p", { class: "small" }, h("strong", {}, "Nearest training image "), h("span", { class: "number quiet" }, `distance ${short(distance)}`)),
        verdict ? h("p", {}, h("span", { class: `chip ${copy ? "bad" : "good"}` }, copy ? "copy" : "no copy"), " ", h("span", { class: "small" }, verdict)) : null);
    } catch (error) {
      if (gone.signal.aborted) return;
      follows = false;
      fill(place, button, h("p", { class: "notice warn small" }, error.message));
      if (!error.status) failed(error);
    }
  }

  const timer = follows ? setTimeout(find, PATIENCE) : 0;
  return { element: place, find, end: () => { clearTimeout(timer); gone.abort(); } };
}
