// What a gallery holds: seeds from a base on, the run's stars, or its latent files; and how an image of one is asked for.
import { latentOf } from "./latents.js";

export const MOST = 20000; // seeds in one gallery: the tallest that every browser scrolls

/** Items of a gallery: {count, keyAt(index), indexOf(key)}; list = "seeds", "stars" or "latents". */
export function pool({ list = "seeds", base = 0, stars = [], latents = [] }) {
  if (list === "seeds") {
    const indexOf = (key) => (/^\d+$/.test(key) && Number(key) >= base && Number(key) < base + MOST ? Number(key) - base : -1);
    return { count: MOST, keyAt: (index) => String(base + index), indexOf };
  }
  const keys = list === "stars" ? stars : latents;
  return { count: keys.length, keyAt: (index) => keys[index], indexOf: (key) => keys.indexOf(key) };
}

/** Base of the seeds among which `seed` is. */
export const baseOf = (seed) => Math.floor(seed / MOST) * MOST;

/** ask(key, signal) -> image of a seed or a latent file; options() -> {truncation, label} as they are now. */
export function asker({ api, run }, options = () => ({})) {
  return (key, signal) => {
    const latent = latentOf(key);
    const { truncation, label } = options();
    if ("seed" in latent) return api.image(api.at(run, "image", { seed: latent.seed, truncation, label }), { signal });
    return api.image(api.at(run, "render"), { body: { of: latent, ...(label && { label }) }, signal });
  };
}

/** Range of the truncation slider: psi in W, else where the latents' tails are cut; at `off` nothing is cut. */
export function truncationOf(run) {
  if (run.truncation === false) return null;
  if (run.spaces?.includes("w")) return { min: 0, max: 1, step: 0.05, off: 1 };
  const kind = run.prior?.kind ?? run.prior ?? "normal";
  return kind === "normal" ? { min: 0.1, max: 3, step: 0.1, off: 3 } : null;
}

/** Names of a run's classes: a list as it is, a count as numbers, nothing as []. */
export const classesOf = (run) => (Array.isArray(run.classes) ? run.classes.map(String) : Array.from({ length: run.classes || 0 }, (_, i) => String(i)));
