// Make: samples seed by seed as one scrolls; star, pick, and see each one's nearest training image.
import { fill, h, set } from "../parts/dom.js";
import { save, fileName } from "../parts/files.js";
import { Gallery } from "../parts/gallery.js";
import { galleryBar } from "../parts/gallery_bar.js";
import { icon } from "../parts/icons.js";
import { howOf, isSeed, latentOf, listText, parseList } from "../parts/latents.js";
import { baseOf, asker, pool } from "../parts/pool.js";
import { history, Selection } from "../parts/selection.js";
import { starsOf } from "../parts/stars.js";
import { tile } from "../parts/tile.js";
import { nearestPanel } from "../parts/nearest.js";

const MOST_PICKED = 1000;
const named = (key) => (isSeed(key) ? `seed ${key}` : key);

class Make {
  constructor(root, context) {
    const { state } = context;
    Object.assign(this, { root, context, past: history(), picked: parseList(state.pick || state.of, MOST_PICKED) });
    this.options = { list: state.list || "seeds", from: Number(state.from) || 0, label: state.label || "",
      truncation: state.truncation === undefined ? null : Number(state.truncation), side: Number(state.side) || (innerWidth < 640 ? 72 : 112) };
    const last = this.picked.at(-1); // what was picked last is what the panel shows
    if (!state.from && last !== undefined && isSeed(last)) this.options.from = baseOf(Number(last));
    this.stars = starsOf(context, () => this.starred());
    this.ask = asker(context, () => this.options);
    this.gallery = new Gallery({ run: context.run, label: `Samples of ${context.run.name}`, side: this.options.side, free: context.api.free,
      load: (key, signal) => this.ask(key, signal), says: (key) => this.says(key), badges: (key) => (this.stars.has(key) ? [{ text: "★", title: "starred" }] : []),
      opened: (key) => context.go("edit", { run: context.run.name, of: key, ...this.how() }), active: (key) => this.open(key),
      scrolled: (key) => this.scrolled(key), arrived: (key, image) => this.arrived(key, image) });
    this.build();
    this.list(state.from ? String(this.options.from) : null);
    this.stars.load();
    if (!this.activate(last, { scroll: !state.from })) this.open(last ?? (this.items.count ? this.items.keyAt(this.selection.active) : null));
  }

  /** Image of `key` made the active one, and opened; false where the gallery does not hold it. */
  activate(key, { scroll = true } = {}) {
    const index = key === undefined ? -1 : this.items.indexOf(key);
    if (index < 0) return false;
    this.selection.active = this.selection.anchor = index;
    if (scroll) this.gallery.show(index);
    else { this.gallery.marks(); this.open(key); }
    return true;
  }

  /** Class and truncation, for another view's link. */
  how() { return { label: this.options.label, truncation: this.options.truncation }; }

  says(key) { return `${named(key)}${this.stars.has(key) ? ", starred" : ""}`; }

  build() {
    const { run } = this.context;
    const tool = (name, words, does) => h("button", { type: "button", onclick: does }, icon(name), words);
    this.count = h("strong", { class: "number" });
    this.mixes = tool("mix", "Mix", () => this.context.go("mix", { run: run.name, a: listText(this.selection.picked), ...this.how() }));
    this.sheets = tool("download", "Sheet", () => this.sheet());
    this.sheets.title = "One image file with all picked images side by side";
    this.clears = h("button", { type: "button", class: "plain", onclick: () => this.selection.clear() }, "Clear");
    this.undoes = h("button", { type: "button", class: "plain", onclick: () => this.undo() }, icon("undo"), "Undo");
    const zip = fileName("stars", `${run.name}.zip`);
    this.zips = h("a", { class: "button", href: this.context.api.at(run, "stars.zip"), download: zip, title: "A zip of all starred images, a PNG each",
      onclick: () => this.context.say(`${zip} goes to your downloads, ${this.stars.keys.length} starred ${this.stars.keys.length === 1 ? "image" : "images"}.`) }, icon("download"), "Stars");
    this.picks = h("div", { class: "make-picks row", role: "group", "aria-label": "Picked images" }, this.mixes, this.sheets, this.clears, this.undoes, this.zips, this.count);
    this.panel = h("aside", { class: "make-panel card stack", "aria-label": "The active image" });
    fill(this.root, galleryBar(run, this.options, (name, value) => this.change(name, value)),
      h("div", { class: "make-body" }, this.gallery.element, this.panel), this.picks);
    this.from = this.root.querySelector("input.from");
    this.context.keys({ s: ["star the active image", () => this.star()], u: ["undo", () => this.undo()], n: ["nearest training image", () => this.near?.find()],
      e: ["edit the active image", () => this.key && this.gallery.opened(this.key)], d: ["download the active image", () => this.download()],
      " ": ["pick or let go (in the gallery)", () => {}], ArrowLeft: ["move (with Shift: pick a range)", () => {}] });
    document.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== "z" || event.target.closest("input, textarea")) return;
      event.preventDefault();
      this.undo();
    }, { signal: this.context.signal });
  }

  /** Items as the options say, the selection goes on. */
  list(key = null) {
    const latents = (this.context.run.latents || []).map((latent) => latent.id);
    this.items = pool({ list: this.options.list, base: baseOf(this.options.from), stars: this.stars.keys, latents });
    const picked = this.selection?.picked ?? this.picked;
    this.selection = new Selection({ keyAt: (i) => this.items.keyAt(i), count: () => this.items.count, picked, past: this.past, changed: () => this.changed() });
    if (key !== null && this.items.indexOf(key) >= 0) this.selection.moveTo(this.items.indexOf(key));
    this.gallery.fill(this.items, this.selection, key);
    this.gallery.element.dataset.empty = this.items.count ? "" : { stars: "No stars yet: press the star beside an image, or s.", latents: "No photographs yet: drop one on the page." }[this.options.list];
    this.changed();
  }

  change(name, value) {
    this.options[name] = value;
    if (name === "list" || name === "from") this.list(name === "from" ? String(value) : null);
    else if (name === "side") this.gallery.resize(value);
    else { this.gallery.again(); this.open(this.key); }
    this.context.keep({ [name]: name === "list" && value === "seeds" ? null : value });
    if (name === "from" && this.options.list === "seeds") this.open(String(value));
  }

  changed() {
    const { picked } = this.selection;
    fill(this.count, picked.length ? `${picked.length} picked` : "Click images to see and pick them");
    for (const button of [this.mixes, this.sheets, this.clears]) button.disabled = !picked.length;
    this.undoes.disabled = !this.past.size;
    this.context.keep({ pick: listText(picked.slice(0, 200)), of: null });
    this.gallery.marks();
  }

  starred() {
    if (this.options.list === "stars") this.list();
    else this.gallery.marks();
    this.starring?.();
    set(this.zips, { "aria-disabled": this.stars.keys.length ? null : "true", tabindex: this.stars.keys.length ? null : "-1" });
    this.zips.lastChild.textContent = this.stars.keys.length ? `Stars (${this.stars.keys.length})` : "Stars";
  }

  async star(key = this.key) {
    if (!key) return;
    if (this.context.about.read_only) { this.context.say("Stars are kept in the run, and this page is read-only."); return; }
    const star = !this.stars.has(key);
    this.past.add(`${star ? "star" : "no star"} of ${named(key)}`, () => this.stars.toggle(key)); // at once, as the star itself
    this.undoes.disabled = false;
    await this.stars.toggle(key);
    this.context.say(star ? `${named(key)} starred.` : `${named(key)} is no star any more.`, { seconds: 2 });
  }

  undo() {
    const words = this.past.undo();
    this.undoes.disabled = !this.past.size;
    this.context.say(words ? `Undone: ${words}.` : "Nothing to undo.", { seconds: 2 });
  }

  scrolled(key) {
    if (this.options.list !== "seeds" || key === String(this.options.from)) return;
    this.options.from = Number(key);
    if (document.activeElement !== this.from) this.from.value = key;
    this.context.keep({ from: key === "0" ? null : key });
  }

  arrived(key, image) {
    if (key === this.key) this.big(image);
    if (this.digest && image.digest && this.digest !== image.digest) {
      this.digest = image.digest;
      this.context.say(`The model was trained on: images now come from ${image.images?.toLocaleString("en-US")} images.`);
      this.gallery.again();
    }
    this.digest ||= image.digest;
  }

  /** Panel of an image: itself, what can be done with it, its nearest training image. */
  open(key) {
    this.key = key;
    if (key === null) { fill(this.panel, h("p", { class: "quiet" }, "Choose an image: it opens here.")); return; }
    const { run, go } = this.context;
    this.shown = tile({ run, label: named(key) });
    const starring = h("button", { type: "button", class: "icon", onclick: () => this.star(key) }, icon("star"));
    this.starring = () => set(starring, { "aria-pressed": String(this.stars.has(key)), "aria-label": this.stars.has(key) ? "Starred: take the star away" : "Star", title: "Star (s)" });
    this.starring();
    this.near?.end();
    this.near = nearestPanel(this.context, key, this.options);
    fill(this.panel, h("div", { class: "row ends" }, h("h2", { class: "number" }, named(key)), starring), this.shown,
      h("div", { class: "row" }, h("button", { type: "button", onclick: () => go("edit", { run: run.name, of: key, ...this.how() }) }, icon("edit"), "Edit"),
        h("button", { type: "button", onclick: () => go("mix", { run: run.name, a: key, ...this.how() }) }, icon("mix"), "Mix"),
        h("button", { type: "button", class: "icon", "aria-label": "Download this image", title: "Download (d)", onclick: () => this.download() }, icon("download"))),
      this.near.element);
    const image = this.gallery.store.get(key);
    if (image) this.big(image);
    else if (this.items.indexOf(key) < 0 || !this.gallery.tiles.has(key)) this.ask(key, this.context.signal).then((one) => this.key === key && this.big(one), this.context.failed);
  }

  big(image) {
    this.image = image;
    this.shown.show(URL.createObjectURL(image.blob));
    this.context.command(image.command, image.images);
  }

  download() { if (this.image) this.saved(this.image.blob, `${named(this.key)}.png`); }

  saved(blob, words) {
    const name = fileName(this.context.run.name, words);
    save(blob, name);
    this.context.say(`${name} is in your downloads.`);
  }

  async sheet() {
    const { api, run, failed, command } = this.context;
    const body = { of: this.selection.picked.map(latentOf), ...howOf(this.options, this.selection.picked, run) };
    try {
      const image = await api.image(api.at(run, "sheet"), { body });
      command(image.command, image.images);
      this.saved(image.blob, "sheet.png");
      api.free(image.url);
    } catch (error) { failed(error); }
  }

  update(state) {
    const picked = parseList(state.pick || state.of, MOST_PICKED);
    if (listText(picked) === listText(this.selection.picked)) return;
    this.selection.set(picked, "the link");
    this.activate(picked.at(-1));
  }

  unmount() { this.near?.end(); this.gallery.end(); }
}

export default {
  sheets: ["../parts/gallery.css", "make.css"].map((name) => new URL(name, import.meta.url)),
  name: "make", title: "Make", key: "m", ofRun: true,
  needs: (run) => (run.domains || run.generates === false ? "This run has no generator of seeds: it makes none from a seed. One of two domains opens in Translate." : null),
  async mount(root, context) {
    const view = new Make(root, context);
    return { unmount: () => view.unmount(), update: (state) => view.update(state) };
  },
};
