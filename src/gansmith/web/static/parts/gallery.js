// Gallery of which only the rows on the screen exist: thousands of images scroll smoothly, and what left the screen is not loaded.
// It is a list box: one stop for Tab, arrow keys inside, Space picks, Shift extends.
import { h, set, unique } from "./dom.js";
import { gridOf, leadsTo, placeOf, topThatShows, visible } from "./grid_layout.js";
import { imageStore } from "./image_store.js";
import { tile } from "./tile.js";

const REST = 50; // milliseconds without scrolling before images are asked for

/**
 * Gallery of a run's images. items: a `pool`; selection: a `Selection` over it; load(key, signal); side: width of a tile in
 * pixels; says(key) -> words for screen readers; badges(key) -> [{text, kind}]; opened(key) by Enter or double click;
 * active(key) when the active one changes; scrolled(key) with the first whole one on the screen.
 */
export class Gallery {
  constructor({ run, label, load, free, side = 128, says, badges = () => [], opened = () => {}, active = () => {}, scrolled = () => {}, arrived = () => {} }) {
    Object.assign(this, { run, side, says, badges, opened, active, scrolled, tiles: new Map(), items: null, selection: null, id: unique("gallery") });
    this.store = imageStore({ load, free, most: 4,
      arrived: (key, image) => { this.tiles.get(key)?.show(image); arrived(key, image); },
      failed: (key, error) => this.tiles.get(key)?.fail(error.message) });
    this.space = h("div", { class: "space", role: "presentation" });
    this.element = h("div", { class: "gallery", role: "listbox", tabindex: "0", "aria-multiselectable": "true", "aria-label": label,
      onscroll: () => this.soon(), onkeydown: (event) => this.key(event), onclick: (event) => this.click(event),
      ondblclick: (event) => { const key = this.keyOf(event); if (key !== null) this.opened(key); } }, this.space);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.element);
  }

  /** Other items, with their selection; the one of `key` is brought to the top where it is given. */
  fill(items, selection, key = null) {
    for (const one of this.tiles.values()) one.remove();
    this.tiles.clear();
    Object.assign(this, { items, selection });
    this.layout();
    this.element.scrollTop = key === null || items.indexOf(key) < 0 ? 0 : placeOf(this.grid, items.indexOf(key)).y;
    this.render();
  }

  layout() {
    const [height, width] = [this.run.size].flat().length === 2 ? this.run.size : [this.run.size, this.run.size];
    const inside = Math.max(1, this.space.clientWidth);
    this.grid = gridOf({ width: inside, tile: this.side, count: this.items.count, ratio: height / width });
    this.space.style.height = `${this.grid.height}px`;
  }

  resize(side = this.side) {
    if (!this.items) return;
    const first = this.first();
    this.side = side;
    this.layout();
    this.element.scrollTop = placeOf(this.grid, first).y;
    this.render();
  }

  /** Index of the first tile whose row is wholly on the screen. */
  first() {
    return Math.min(this.items.count - 1, Math.max(0, Math.ceil((this.element.scrollTop - 1) / this.grid.row) * this.grid.columns));
  }

  soon() {
    this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.render(); });
  }

  render() {
    if (!this.items) return;
    const view = { top: this.element.scrollTop, height: this.element.clientHeight };
    const { from, to } = visible(this.grid, { ...view, spare: 2 });
    const keys = Array.from({ length: Math.max(0, to - from) }, (_, i) => this.items.keyAt(from + i));
    const wanted = new Set(keys);
    for (const [key, one] of this.tiles) if (!wanted.has(key)) { one.remove(); this.tiles.delete(key); }
    keys.forEach((key, i) => this.place(key, from + i));
    this.marks();
    const screen = visible(this.grid, { ...view, spare: 0 });
    const order = [...keys.slice(screen.from - from, screen.to - from), ...keys.slice(screen.to - from), ...keys.slice(0, screen.from - from)];
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.store.want(order); if (this.items.count) this.scrolled(this.items.keyAt(this.first())); }, this.drawn ? REST : 0);
    this.drawn = true;
  }

  place(key, index) {
    let one = this.tiles.get(key);
    if (!one) {
      one = tile({ run: this.run, label: key, seed: /^\d+$/.test(key) ? key : null, role: "option", id: `${this.id}-${key}`, "data-key": key });
      const image = this.store.get(key);
      if (image) one.show(image);
      this.tiles.set(key, one);
      this.space.append(one);
    }
    const { x, y } = placeOf(this.grid, index);
    Object.assign(one.style, { width: `${this.grid.side}px`, transform: `translate(${x}px, ${y}px)` });
    set(one, { "aria-posinset": index + 1, "aria-setsize": this.items.count });
  }

  /** Selection, active tile and badges written onto the tiles that exist. */
  marks() {
    const active = this.items.count ? this.items.keyAt(this.selection.active) : null;
    for (const [key, one] of this.tiles) {
      set(one, { "aria-selected": String(this.selection.has(key)), "aria-label": this.says(key) });
      one.classList.toggle("active", key === active);
      one.badge(this.badges(key));
    }
    set(this.element, { "aria-activedescendant": this.tiles.has(active) ? `${this.id}-${active}` : null });
  }

  /** All images asked for again, the old ones stay until the new ones come. */
  again() { this.store.clear(); this.drawn = false; this.render(); }

  show(index) {
    const view = { top: this.element.scrollTop, height: this.element.clientHeight };
    this.element.scrollTop = topThatShows(this.grid, index, view);
    this.render();
    this.active(this.items.keyAt(index));
  }

  keyOf(event) { return event.target.closest("[data-key]")?.dataset.key ?? null; }

  click(event) {
    const key = this.keyOf(event);
    if (key === null) return;
    this.selection.click(this.items.indexOf(key), { shift: event.shiftKey });
    this.marks();
    this.active(key);
  }

  key(event) {
    if (!this.items.count || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = leadsTo(this.grid, this.selection.active, event.key, this.element.clientHeight);
    if (next !== null) { this.selection.moveTo(next, { shift: event.shiftKey }); this.show(this.selection.active); }
    else if (event.key === " ") { this.selection.toggle(); this.show(this.selection.active); }
    else if (event.key === "Enter") this.opened(this.items.keyAt(this.selection.active));
    else if (event.key === "Escape") this.selection.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  end() {
    this.observer.disconnect();
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.store.clear();
  }
}
