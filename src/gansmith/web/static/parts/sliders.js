// Sliders along directions: one each, from -3 to 3 standard deviations; those that are not zero are what is edited.
import { fill, h } from "./dom.js";

const FIRST = 8; // shown before "more"
const MOST = 3;

/** Sliders of directions [{name, ...}]: element, along (a Map of those that are not zero). changed() follows every move. */
export class Sliders {
  constructor({ directions, along, changed }) {
    Object.assign(this, { along: new Map(along), changed, all: false, ranges: new Map(), element: h("div", { class: "sliders" }) });
    this.fill(directions);
  }

  fill(directions) {
    this.directions = directions.map((one) => (typeof one === "string" ? { name: one } : one));
    const shown = this.directions.filter((one, i) => this.all || i < FIRST || this.along.has(one.name));
    this.ranges.clear();
    const more = this.directions.length - shown.length;
    fill(this.element, shown.map((one) => this.slider(one)), more > 0
      ? h("button", { type: "button", class: "plain small", onclick: () => { this.all = true; this.fill(this.directions); this.element.children[shown.length]?.querySelector("input")?.focus(); } }, `${more} more`) : null);
  }

  slider({ name }) {
    const out = h("output", { class: "number small" });
    const range = h("input", { type: "range", min: -MOST, max: MOST, step: 0.1, value: this.along.get(name) ?? 0, "aria-label": name,
      oninput: () => { this.put(name, Number(range.value)); this.changed(); }, ondblclick: () => { range.value = 0; this.put(name, 0); this.changed(); } });
    this.ranges.set(name, { range, out });
    const row = h("label", { class: "slider-row" }, h("span", { class: "slider-name", title: name }, name), range, out);
    this.write(name);
    return row;
  }

  put(name, amount) {
    if (amount === 0) this.along.delete(name); else this.along.set(name, amount);
    this.write(name);
  }

  write(name) {
    const { range, out } = this.ranges.get(name) ?? {};
    if (!range) return;
    const amount = this.along.get(name) ?? 0;
    out.value = amount === 0 ? "0" : `${amount > 0 ? "+" : "−"}${Math.abs(amount).toFixed(1)}`;
    range.setAttribute("aria-valuetext", `${amount} steps`);
  }

  /** All amounts at once. */
  replace(along) {
    this.along = new Map(along);
    for (const [name, { range }] of this.ranges) { range.value = this.along.get(name) ?? 0; this.write(name); }
    this.changed();
  }

  reset() { this.replace(new Map()); }

  chance() { this.replace(new Map(this.directions.slice(0, FIRST).map(({ name }) => [name, Math.round((2 * Math.random() - 1) * 20) / 10]))); }
}
