// Sliders along directions: one each, from -3 to 3 standard deviations, the strongest first, each with what it does to the image.
import { free } from "../api.js";
import { fill, h } from "./dom.js";
import { tile } from "./tile.js";

const FIRST = 3; // shown before "more"
const MOST = 3;
const SHOWN = [-MOST, 0, MOST]; // of a strip
/** Name for people: a direction that nobody named yet is a change. */
const plain = (name) => name.replace(/^(pca|svd)-(\d+)$/, (whole, _, number) => `change ${number} (${whole})`);
/** A name as words that stay whole, also at a hyphen; one that is longer than its line breaks where it must. */
const words = (name) => name.split(" ").map((word, i) => [i ? " " : null, h("span", { class: "slider-word" }, word)]);
const signed = (amount) => (amount === 0 ? "0" : `${amount > 0 ? "+" : "−"}${Math.abs(amount)}`);

/**
 * Sliders of directions [{name, change, ...}]: element, along (a Map of those that are not zero). changed() follows every move;
 * look(name, amount, signal) -> image of the strip; rename(name, to) -> Promise of the directions with the new name, or null
 * where there are no names to give.
 */
export class Sliders {
  constructor({ run, directions, along, changed, look, rename }) {
    Object.assign(this, { run, along: new Map(along), changed, look, rename, all: false, rows: new Map(), element: h("div", { class: "sliders" }) });
    this.fill(directions);
  }

  fill(directions) {
    const strength = (one) => one.change ?? 0;
    this.directions = directions.map((one) => (typeof one === "string" ? { name: one } : one)).sort((a, b) => strength(b) - strength(a));
    const shown = this.directions.filter((one, i) => this.all || i < FIRST || this.along.has(one.name));
    this.end();
    this.rows.clear();
    const more = this.directions.length - shown.length;
    fill(this.element, shown.map((one) => this.slider(one)), more > 0
      ? h("button", { type: "button", class: "plain small", onclick: () => { this.all = true; this.fill(this.directions); this.element.children[shown.length]?.querySelector("input")?.focus(); } }, `${more} more, which change less`) : null);
    this.strips();
  }

  slider({ name }) {
    const out = h("output", { class: "number small" });
    const range = h("input", { type: "range", min: -MOST, max: MOST, step: 0.1, value: this.along.get(name) ?? 0, "aria-label": name,
      oninput: () => { this.put(name, Number(range.value)); this.changed(); }, ondblclick: () => this.move(name, 0) });
    const title = h("button", { type: "button", class: "plain slider-name", title: `${name}: rename`, "aria-label": `Rename ${name}`, onclick: () => this.naming(name) }, h("span", {}, words(plain(name))), h("span", { class: "slider-pen", "aria-hidden": "true" }, "✎"));
    const looks = SHOWN.map((amount) => tile({ run: this.run, tag: "button", label: `${name}: ${amount} steps`, title: `${signed(amount)} steps`, seed: signed(amount),
      onclick: () => this.move(name, amount) }));
    const place = h("span", { class: "slider-title" }, title);
    const row = h("div", { class: "slider-row" }, h("span", { class: "slider-looks" }, looks), place, out, range);
    this.rows.set(name, { range, out, looks, place, title });
    this.write(name);
    return row;
  }

  /** Strips of all rows, asked for once more where `again`: of another image. */
  async strips() {
    this.gone?.abort();
    const gone = this.gone = new AbortController();
    for (const [name, { looks }] of this.rows) {
      for (const [i, amount] of SHOWN.entries()) {
        try {
          const image = await this.look(name, amount, gone.signal);
          if (gone.signal.aborted) return;
          looks[i].show(URL.createObjectURL(image.blob));
        } catch (error) { if (gone.signal.aborted) return; looks[i].fail(""); }
      }
    }
  }

  /** The name as a field: Enter keeps what is written in the run, Escape leaves it. */
  naming(name) {
    if (!this.rename) return;
    const { place, title } = this.rows.get(name);
    const back = () => { fill(place, title); title.focus(); };
    const field = h("input", { type: "text", class: "slider-field", value: name, maxlength: 40, "aria-label": `New name of ${name}`, onkeydown: async (event) => {
      event.stopPropagation();
      if (event.key === "Escape") back();
      if (event.key !== "Enter") return;
      const to = field.value.trim();
      if (!to || to === name) { back(); return; }
      const directions = await this.rename(name, to);
      if (!directions) { field.focus(); return; }
      this.along = new Map([...this.along].map(([one, amount]) => [one === name ? to : one, amount]));
      this.fill(directions);
      this.rows.get(to)?.title.focus();
      this.changed();
    }, onblur: () => { if (field.isConnected) fill(place, title); } });
    fill(place, field);
    field.select();
    field.focus();
  }

  put(name, amount) {
    if (amount === 0) this.along.delete(name); else this.along.set(name, amount);
    this.write(name);
  }

  move(name, amount) {
    this.rows.get(name).range.value = amount;
    this.put(name, amount);
    this.changed();
  }

  write(name) {
    const { range, out } = this.rows.get(name) ?? {};
    if (!range) return;
    const amount = this.along.get(name) ?? 0;
    out.value = amount === 0 ? "0" : `${amount > 0 ? "+" : "−"}${Math.abs(amount).toFixed(1)}`;
    range.setAttribute("aria-valuetext", `${amount} steps`);
  }

  /** All amounts at once; quiet: changed() is not called. */
  replace(along, { quiet = false } = {}) {
    this.along = new Map(along);
    if ([...this.along.keys()].some((name) => !this.rows.has(name) && this.directions.some((one) => one.name === name))) this.fill(this.directions);
    for (const [name, { range }] of this.rows) { range.value = this.along.get(name) ?? 0; this.write(name); }
    if (!quiet) this.changed();
  }

  reset() { this.replace(new Map()); }

  /** Amounts by chance of those that are on show, none of them zero. */
  chance() {
    const amount = () => (Math.random() < 0.5 ? -1 : 1) * (5 + Math.floor(Math.random() * 16)) / 10;
    this.replace(new Map([...this.rows.keys()].map((name) => [name, amount()])));
  }

  focus() { this.rows.values().next().value?.range.focus(); }

  end() {
    this.gone?.abort();
    for (const { looks } of this.rows.values()) for (const one of looks) free(one.querySelector("img").getAttribute("src"));
  }
}
