// Selection in a gallery: by click, shift-click, arrow keys and space; every change can be undone. No DOM in here.

/** Changes that can be undone: add(words, back) remembers one; undo() calls the last one's `back` and returns its words. */
export function history(most = 200) {
  const past = [];
  return {
    add(words, back) { past.push({ words, back }); if (past.length > most) past.shift(); },
    undo() { const last = past.pop(); last?.back(); return last?.words ?? null; },
    get size() { return past.length; },
  };
}

/**
 * Selection over items 0 .. count() - 1, remembered by key (`keyAt(index)`), in the order in which they were picked.
 * changed() is called after every change of `picked`; past is a `history`.
 */
export class Selection {
  constructor({ keyAt, count, picked = [], past = history(), changed = () => {} }) {
    Object.assign(this, { keyAt, count, past, changed, picked: [...picked], active: 0, anchor: 0, before: null });
  }

  has(key) { return this.picked.includes(key); }

  /** What a click does: toggle one; with shift, all from the last one that was clicked. */
  click(index, { shift = false } = {}) {
    this.active = index;
    if (shift) this.range(index);
    else { this.anchor = index; this.toggle(index); }
  }

  /** The active item by keys: with shift the range from where shift was pressed follows. */
  moveTo(index, { shift = false } = {}) {
    this.active = Math.max(0, Math.min(this.count() - 1, index));
    if (shift) this.range(this.active);
    else { this.anchor = this.active; this.before = null; }
  }

  toggle(index = this.active) {
    const key = this.keyAt(index);
    this.before = null;
    this.set(this.has(key) ? this.picked.filter((other) => other !== key) : [...this.picked, key], `${key}`);
  }

  /** All from the anchor to `index`, beside what was picked before the range began; a shorter range lets go again. */
  range(index) {
    if (!this.before || this.before.anchor !== this.anchor) this.before = { anchor: this.anchor, picked: this.picked };
    const step = index < this.anchor ? -1 : 1;
    const keys = [];
    for (let i = this.anchor; i !== index + step; i += step) keys.push(this.keyAt(i));
    this.set([...new Set([...this.before.picked, ...keys])], `${keys.length}`);
  }

  clear() { this.before = null; if (this.picked.length) this.set([], "nothing"); }

  /** `picked` replaced, as a change that can be undone. */
  set(picked, words = "") {
    const old = this.picked;
    this.past.add(`selection of ${words}`, () => { this.picked = old; this.before = null; this.changed(); });
    this.picked = picked;
    this.changed();
  }
}
