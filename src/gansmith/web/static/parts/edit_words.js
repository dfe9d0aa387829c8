// What Edit says, all of it from one place, so that its words, its pictures and its sliders agree in every state: a seed, a latent
// file, a photograph that is searched for, found, or not found. No DOM in here.
import { isSeed } from "./latents.js";
import { short } from "./words.js";

const MOST = 28;

/** Name of a file that fits into a line: the middle of a long one is left out. */
export const brief = (name) => (name.length <= MOST ? name : `${name.slice(0, 14)}…${name.slice(-13)}`);

/** Name of the file that a latent was searched for; those of before had none. */
export const fromOf = (one) => (!one.from ? one.id : one.from === "photograph" ? `photograph ${one.id.slice(-4)}` : one.from);

/**
 * {state, kind, field, list, before, after, left, right, says, sliders} of what is edited: `key`, its latent file `known` as the
 * run lists it, `chosen` by the person or not, `moved` along directions or not, of a run that `has` directions or not, whose images
 * have `size` pixels (in words); `original`: this page holds the photograph itself; `found` {distance} right after a search;
 * `search` {name, share, distance, seen} under way; `failure` {name, message, refused} of the last one, message null where it was
 * stopped, `refused` where the server would not begin, and says why itself.
 */
export function editWords(now) {
  if (now.search) return searching(now.search, now.has);
  const said = isSeed(now.key) ? ofSeed(now) : ofLatent(now);
  const { failure } = now;
  if (!failure) return said;
  return { ...said, state: failure.message === null ? said.state : "failed", says: `${why(failure)} Still edited: ${said.what}.` };
}

function why({ name, message, refused }) {
  if (message === null) return `The search for ${brief(name)} was stopped.`;
  const end = /[.!?]$/.test(message) ? "" : ".";
  return refused ? `${message}${end}` : `${brief(name)} was not found: ${message}${end}`;
}

function searching({ name, share, distance, seen }, has) {
  const sofar = share === null ? " …" : `: ${Math.round(100 * share)} % done${distance === undefined ? "" : `, distance ${short(distance)}`}.`;
  return { state: "searching", kind: "Photograph", field: brief(name), list: `searching for ${brief(name)} …`, what: brief(name),
    before: "your photograph", after: seen ? "nearest so far" : "nothing found yet", left: "your photograph", right: seen ? "nearest so far" : "nothing yet",
    says: `Looking for the model's image that is nearest to ${brief(name)}${sofar}`, sliders: has ? "The sliders move what the search finds, and come back when it ends." : null };
}

function ofSeed({ key, chosen, moved, has }) {
  const next = has ? "Move a slider and see it change." : "Press Find directions, then move a slider.";
  const says = moved ? `Seed ${key}, moved. A step of a slider is one standard deviation of the latents.`
    : chosen ? `Seed ${key}, as it is. ${next}` : `Nothing is chosen yet, so this is seed ${key}. Choose another, or drop a photograph of your own. ${next}`;
  return { state: "seed", kind: "Seed", field: null, list: null, what: `seed ${key}`, before: "before", after: moved ? "after" : "after: nothing moved yet",
    left: "before", right: "after", says, sliders: null };
}

function ofLatent({ key, known, moved, has, size, original, found }) {
  const name = brief(known ? fromOf(known) : key);
  const own = Boolean(known?.photograph);
  const next = moved ? "" : has ? " Move a slider and see it change." : " Press Find directions, then move a slider.";
  const far = known?.distance === undefined || known?.distance === null ? "" : `, distance ${short(known.distance)}`;
  const kept = own && original ? ` The run keeps ${name} at ${size} pixels, no larger.` : "";
  const result = moved ? "the model's image of it, edited" : "the model's nearest image";
  return { state: own ? "photograph" : "latent", kind: own ? "Photograph" : "Latent", field: name, list: null, what: name,
    before: own ? `your photograph at ${size} pixels` : "before",
    after: own ? result : moved ? "after" : "after: nothing moved yet", left: own ? `your photograph at ${size} pixels` : "before", right: own ? result : "after",
    says: `${found ? "Found" : name}${found ? far : ""}: ${moved ? "the nearest image that the model makes, edited" : `the nearest image that the model makes${found ? "" : far}`}.${kept}${next}`, sliders: null };
}
