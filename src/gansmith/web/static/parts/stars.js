// Stars: images that are worth keeping, in the run. On the screen at once; taken back where the server refuses.
import { latentOf, textOf } from "./latents.js";

/** Stars of a run: {keys, has(key), toggle(key), load()}; changed() is called after each change. */
export function starsOf({ api, run, failed, signal }, changed) {
  let keys = [];
  const path = api.at(run, "stars");
  const taken = (answer) => { if (Array.isArray(answer?.stars)) keys = answer.stars.map(textOf); changed(); };
  const stars = {
    get keys() { return keys; },
    has: (key) => keys.includes(key),
    async load() { try { taken(await api.get(path, { signal })); } catch (error) { failed(error); } },
    async toggle(key) {
      const old = keys;
      const star = !keys.includes(key);
      keys = star ? [...keys, key] : keys.filter((other) => other !== key);
      changed();
      try { taken(await api.post(path, { of: latentOf(key), star })); } catch (error) { keys = old; changed(); failed(error); }
      return star;
    },
  };
  return stars;
}
