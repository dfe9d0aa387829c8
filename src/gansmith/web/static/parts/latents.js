// Latents as text: a seed as its number, a latent file as its name; lists with commas, as the address and commands write them.

/** "7" -> {seed: 7}; anything else -> {latent: text}. */
export const latentOf = (text) => (/^\d+$/.test(text) ? { seed: Number(text) } : { latent: text });

/**
 * {label, truncation} of `options` as a request takes them, for images of `keys`. Truncation is of what seeds draw: a latent file
 * takes none, but in a space W.
 */
export function howOf({ label, truncation }, keys, run) {
  const cut = truncation !== null && truncation !== undefined && (run.spaces?.includes("w") ? keys.some(isSeed) : keys.every(isSeed));
  return { ...(label && { label }), ...(cut && { truncation }) };
}

/** Is the text a seed, and no latent file? */
export const isSeed = (text) => /^\d+$/.test(text);

/** {seed: 7} -> "7"; {latent: "me"} -> "me". */
export const textOf = (latent) => String(latent.seed ?? latent.latent);

/** "1,4-6,me" -> ["1", "4", "5", "6", "me"], each once, at most `most`. */
export function parseList(text, most = 1000) {
  const texts = [];
  for (const part of String(text || "").split(",").map((word) => word.trim()).filter(Boolean)) {
    const range = /^(\d+)-(\d+)$/.exec(part);
    if (!range) texts.push(/^\d+$/.test(part) ? String(BigInt(part)) : part);
    else for (let seed = Number(range[1]); seed <= Number(range[2]) && texts.length < most; seed += 1) texts.push(String(seed));
  }
  return [...new Set(texts)].slice(0, most);
}

/** ["1", "2", "3", "9"] -> "1-3,9", in their order; null where there are none. */
export function listText(texts) {
  const parts = [];
  for (const text of texts) {
    const last = parts.at(-1);
    if (last && /^\d+$/.test(text) && last.end !== null && Number(text) === last.end + 1) last.end += 1;
    else parts.push({ begin: text, end: /^\d+$/.test(text) ? Number(text) : null });
  }
  const words = parts.map(({ begin, end }) => {
    if (end === null || end === Number(begin)) return begin;
    return end === Number(begin) + 1 ? `${begin},${end}` : `${begin}-${end}`;
  });
  return words.length ? words.join(",") : null;
}

/** "smile:1.5,3:-1" -> Map {"smile" => 1.5, "3" => -1}; names may hold a colon. */
export function parseAlong(text) {
  const along = new Map();
  for (const part of String(text || "").split(",")) {
    const colon = part.lastIndexOf(":");
    const amount = Number(part.slice(colon + 1));
    if (colon > 0 && Number.isFinite(amount) && amount !== 0) along.set(decodeURIComponent(part.slice(0, colon)), amount);
  }
  return along;
}

/** Map of amounts -> "smile:1.5,3:-1"; null where all are zero. A comma in a name is escaped. */
export function alongText(along) {
  const name = (word) => word.replaceAll("%", "%25").replaceAll(",", "%2C");
  const parts = [...along].filter(([, amount]) => amount !== 0).map(([word, amount]) => `${name(word)}:${Number(amount.toFixed(2))}`);
  return parts.length ? parts.join(",") : null;
}
