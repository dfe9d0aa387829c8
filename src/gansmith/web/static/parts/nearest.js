// Nearest training image of a sample, with the verdict whether it is a copy. Once asked for, it follows the active image.
import { fill, h } from "./dom.js";
import { howOf, latentOf } from "./latents.js";
import { tile } from "./tile.js";
import { short } from "./words.js";

const PATIENCE = 350; // milliseconds that an image stays active before its nearest one is looked for
let follows = false;

const WORDS = { "no copy": ["good", "not a copy"], "a copy": ["bad", "a copy"], "the same image": ["bad", "a copy: the same image"], "may be a copy": ["warn", "may be a copy"], "cannot tell": ["warn", "cannot tell"] };

/** One sentence: is it a copy, from which distance on it would be one, and of which file. */
function verdict({ distance, limit, verdict: word, name }) {
  const [kind, words] = WORDS[word] || ["", word];
  const known = limit === null || limit === undefined ? "too few images are known to say how near copies are" : `copies are nearer than ${short(limit)}`;
  return h("p", { class: "small nearest-words", title: "The distance of the two images' pixels, mirrored and moved ones included. How near copies come is measured on copies made on purpose, and on real images among themselves." },
    h("span", { class: `chip ${kind}` }, words), ` ${known}; this one's distance is `, h("strong", { class: "number" }, short(distance)), name ? [" to the training image ", h("strong", {}, name)] : null, ".");
}

/** {element, find(), end()} of the nearest training image of an image, made with `options` {label, truncation}. */
export function nearestPanel({ api, run, failed }, key, options = {}) {
  const gone = new AbortController();
  const place = h("div", { class: "nearest", "aria-live": "polite" });
  const button = h("button", { type: "button", onclick: () => find() }, "Nearest training image");
  fill(place, button);

  async function find(pressed = true) {
    follows = true;
    const image = tile({ run, label: "The nearest training image", seed: "training image" });
    place.parentElement?.classList.add("compares");
    fill(place, image, h("p", { class: "quiet small nearest-words" }, "Searching the training images; the first time takes a while."));
    const latent = latentOf(key);
    const how = howOf(options, [key], run);
    try {
      const asked = "seed" in latent ? api.get(api.at(run, "nearest", { seed: latent.seed, ...how }), { signal: gone.signal })
        : api.post(api.at(run, "nearest"), { of: latent, ...how }, { signal: gone.signal });
      const answer = await asked;
      image.show(answer.image);
      fill(place, image, verdict(answer));
      if (pressed) place.parentElement?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (gone.signal.aborted) return;
      follows = false;
      place.parentElement?.classList.remove("compares");
      fill(place, button, h("p", { class: "notice warn small" }, error.message));
      if (!error.status) failed(error);
    }
  }

  const timer = follows ? setTimeout(find, PATIENCE, false) : 0;
  return { element: place, find, end: () => { clearTimeout(timer); gone.abort(); } };
}
