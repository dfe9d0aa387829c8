// Sets a, b and c of latents that are added up as mean(a) - mean(b) + mean(c). No DOM in here.

export const TRAYS = ["a", "b", "c"];

/** Sets of keys; every change calls changed() and can be undone through `past`. */
export class Trays {
  constructor(sets, { past, changed = () => {} }) {
    this.sets = { a: [], b: [], c: [], ...sets };
    Object.assign(this, { past, changed, current: "a" });
  }

  /** Name of the set that holds `key`, or null. */
  of(key) { return TRAYS.find((name) => this.sets[name].includes(key)) ?? null; }

  /** `key` into a set, out of the one where it was; out of all where it was in that one. */
  put(key, name = this.current) {
    if (key === null || key === undefined) return;
    const was = this.of(key);
    const sets = Object.fromEntries(TRAYS.map((one) => [one, this.sets[one].filter((other) => other !== key)]));
    if (was !== name) sets[name].push(key);
    this.current = name;
    this.replace(sets, was === name ? `${key} out of ${name}` : `${key} into ${name}`);
  }

  replace(sets, words) {
    const old = this.sets;
    this.past.add(words, () => { this.sets = old; this.changed(); });
    this.sets = { a: [...sets.a], b: [...sets.b], c: [...sets.c] };
    this.changed();
  }

  /** Keys of all sets in the order a, b, c. */
  all() { return TRAYS.flatMap((name) => this.sets[name]); }

  /** "a − b + c" of the sets that hold something. */
  formula() {
    const parts = TRAYS.filter((name) => this.sets[name].length).map((name) => `${{ a: "+", b: "−", c: "+" }[name]} ${name}`);
    return parts.join(" ").replace(/^\+ /, "");
  }
}
