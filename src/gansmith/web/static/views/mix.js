// Mix: picked images go into a, b and c; the mean of each and a - b + c at once; the way between them as a strip and a film.
import { fill, h } from "../parts/dom.js";
import { fileName, save } from "../parts/files.js";
import { Gallery } from "../parts/gallery.js";
import { galleryBar } from "../parts/gallery_bar.js";
import { what } from "../parts/glossary.js";
import { icon } from "../parts/icons.js";
import { howOf, latentOf, listText, parseList, textOf } from "../parts/latents.js";
import { asker, baseOf, pool } from "../parts/pool.js";
import { history, Selection } from "../parts/selection.js";
import { starsOf } from "../parts/stars.js";
import { TRAYS, Trays } from "../parts/trays.js";
import { tile } from "../parts/tile.js";
import { Way } from "../parts/way.js";

const WORDS = { a: "begin with", b: "take away", c: "add" };
const SIGNS = { a: "", b: "−", c: "+" };
const EXAMPLE = { a: ["1", "4", "9"], b: ["2", "3", "5"], c: ["7", "8", "6"] };
const named = (key) => (/^\d+$/.test(key) ? `seed ${key}` : key);

class Mix {
  constructor(root, context) {
    const { state, run, api } = context;
    Object.assign(this, { root, context, past: history() });
    const sets = Object.fromEntries(TRAYS.map((name) => [name, parseList(state[name], 100)]));
    if (state.of && !TRAYS.some((name) => sets[name].length)) sets.a = parseList(state.of, 100);
    this.trays = new Trays(sets, { past: this.past, changed: () => this.changed() });
    this.options = { list: state.list || "seeds", from: Number(state.from) || 0, label: state.label || "",
      truncation: state.truncation === undefined ? null : Number(state.truncation), side: Number(state.side) || (innerWidth < 640 ? 72 : 88) };
    this.stars = starsOf(context, () => { if (this.options.list === "stars") this.list(); });
    this.ask = asker(context, () => this.options);
    this.asks = Object.fromEntries([...TRAYS, "result"].map((name) => [name, api.newest()]));
    this.gallery = new Gallery({ run, label: "Images to mix: a, b and c put the active one into a set", side: this.options.side, free: api.free,
      load: (key, signal) => this.ask(key, signal), says: (key) => this.says(key),
      badges: (key) => { const name = this.trays.of(key); return name ? [{ text: name, kind: "accent", title: WORDS[name] }] : []; },
      opened: (key) => this.trays.put(key), scrolled: (key) => this.scrolled(key),
      arrived: (key, image) => this.thumbs?.filter((one) => one.dataset.key === key).forEach((one) => one.show(URL.createObjectURL(image.blob))) });
    this.way = new Way(context, () => this.options);
    this.build();
    this.list(state.from ? String(this.options.from) : null);
    this.stars.load();
    this.changed();
  }

  says(key) { const name = this.trays.of(key); return `${named(key)}${name ? `, in ${name}: ${WORDS[name]}` : ""}`; }

  build() {
    const { run, keys, signal } = this.context;
    this.places = {};
    const trays = TRAYS.map((name) => this.tray(name));
    this.result = tile({ run, label: "Result" });
    this.formula = h("span", { class: "quiet small number" });
    this.saves = h("button", { type: "button", disabled: true, onclick: () => save(this.image.blob, fileName(run.name, "mixed.png")) }, icon("download"), "Download");
    this.saves.setAttribute("aria-label", "Download the result");
    this.resultCard = h("section", { class: "mix-tray mix-result card", "aria-label": "Result" },
      h("div", { class: "mix-name row" }, h("span", { class: "mix-sign", "aria-hidden": "true" }, "="), h("h2", {}, "Result"), this.formula), this.result, this.saves);
    this.undoes = h("button", { type: "button", class: "plain", onclick: () => this.undo() }, icon("undo"), "Undo");
    this.target = h("span");
    this.advice = h("p", { class: "quiet" }, this.target, " ", what("set (a, b, c)", "mean"));
    const example = h("button", { type: "button", class: "plain", onclick: () => this.trays.replace(EXAMPLE, "example") }, "Example");
    const clear = h("button", { type: "button", class: "plain", onclick: () => this.trays.replace({ a: [], b: [], c: [] }, "all") }, "Clear");
    this.films = h("button", { type: "button", class: "plain", title: "The way between the images, as a strip and a film: at the end of this view", onclick: () => this.way.element.scrollIntoView({ block: "center" }) }, "As a film ↓");
    fill(this.root, h("div", { class: "row ends mix-head" }, this.advice, h("div", { class: "row" }, example, clear, this.undoes, this.films)),
      h("div", { class: "mix-sum" }, trays, this.resultCard),
      this.choices(galleryBar(run, this.options, (name, value) => this.change(name, value))), this.gallery.element, this.way.element);
    this.from = this.root.querySelector("input.from");
    const put = (name) => [`put the active image into ${name} (${WORDS[name]}), or take it out`, () => this.trays.put(this.active(), name)];
    keys({ a: put("a"), b: put("b"), c: put("c"), u: ["undo", () => this.undo()], p: ["play the film", () => this.way.film()] });
    document.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== "z" || event.target.closest("input, textarea")) return;
      event.preventDefault();
      this.undo();
    }, { signal });
  }

  /** Controls of the gallery; on a narrow screen behind one line, so that sets, result and images are seen together. */
  choices(bar) {
    if (innerWidth > 640) return bar;
    return h("details", { class: "mix-bar" }, h("summary", {}, "Which images: seeds, stars, class, size"), bar);
  }

  active() { return this.items.count ? this.items.keyAt(this.selection.active) : null; }

  tray(name) {
    const { run } = this.context;
    const thumbs = h("div", { class: "mix-thumbs" });
    const mean = tile({ run, label: `Mean of ${name}` });
    const marks = h("button", { type: "button", class: "mix-name", onclick: () => { this.trays.current = name; this.changed({ ask: false }); } },
      h("span", { class: "mix-sign", "aria-hidden": "true" }, SIGNS[name]), h("strong", {}, name), h("span", { class: "quiet small" }, WORDS[name]), h("span", { class: "mix-goes small" }));
    this.places[name] = { thumbs, mean, marks };
    return h("section", { class: "mix-tray card", "aria-label": `Set ${name}: ${WORDS[name]}` }, marks, mean, thumbs);
  }

  list(key = null) {
    const latents = (this.context.run.latents || []).map((latent) => latent.id);
    this.items = pool({ list: this.options.list, base: baseOf(this.options.from), stars: this.stars.keys, latents });
    this.selection = new Selection({ keyAt: (i) => this.items.keyAt(i), count: () => this.items.count });
    const trays = this.trays;
    // a click and the space bar put the image into the marked set: the gallery's selection is the sets
    this.selection.has = (one) => Boolean(trays.of(one));
    this.selection.toggle = (index = this.selection.active) => trays.put(this.items.keyAt(index));
    this.selection.range = () => {};
    this.selection.click = (index) => { this.selection.active = index; this.selection.toggle(index); };
    this.selection.clear = () => {};
    if (key !== null && this.items.indexOf(key) >= 0) this.selection.active = this.items.indexOf(key);
    this.gallery.fill(this.items, this.selection, key);
    this.gallery.element.dataset.empty = this.items.count ? "" : { stars: "No stars yet: star images in Make.", latents: "No photographs yet: drop one on the page." }[this.options.list];
  }

  change(name, value) {
    this.options[name] = value;
    if (name === "list" || name === "from") this.list(name === "from" ? String(value) : null);
    else if (name === "side") this.gallery.resize(value);
    else { this.gallery.again(); this.changed(); }
    this.context.keep({ [name]: name === "list" && value === "seeds" ? null : value });
  }

  scrolled(key) {
    if (this.options.list !== "seeds") return;
    this.options.from = Number(key);
    if (document.activeElement !== this.from) this.from.value = key;
    this.context.keep({ from: key === "0" ? null : key });
  }

  changed({ ask = true } = {}) {
    const { trays } = this;
    for (const name of TRAYS) {
      const { marks } = this.places[name];
      marks.setAttribute("aria-pressed", String(trays.current === name));
      marks.lastChild.textContent = trays.current === name ? "clicks go here" : "fill this";
    }
    this.target.textContent = `Images that you click go into set ${trays.current}; press ${TRAYS.filter((name) => name !== trays.current).join(" or ")} to fill another.`;
    this.films.disabled = trays.all().length < 2;
    this.gallery.marks();
    if (!ask) return;
    this.undoes.disabled = !this.past.size;
    this.context.keep({ ...Object.fromEntries(TRAYS.map((name) => [name, listText(trays.sets[name])])), of: null });
    this.thumbs = [];
    for (const name of TRAYS) {
      const { length } = trays.sets[name];
      this.places[name].mean.badge(length > 1 ? [{ text: `mean of ${length}`, title: "The average of these images: none of them, but between all of them" }] : []);
      this.fillTray(name);
    }
    this.formula.textContent = trays.formula();
    this.sum();
    this.way.through(trays.all());
  }

  fillTray(name) {
    const keys = this.trays.sets[name];
    fill(this.places[name].thumbs, keys.map((key) => {
      const one = tile({ run: this.context.run, tag: "button", label: `Take ${named(key)} out of ${name}`, seed: /^\d+$/.test(key) ? key : null, "data-key": key,
        title: "Take it out", onclick: () => { this.trays.put(key, name); this.places[name].marks.focus(); } });
      const image = this.gallery.store.get(key);
      if (image) one.show(URL.createObjectURL(image.blob));
      else this.ask(key, this.context.signal).then((answer) => one.show(answer), this.context.failed);
      this.thumbs.push(one);
      return one;
    }), keys.length ? null : h("p", { class: "quiet small" }, name === "a" ? "Click images or press a" : `Optional: mark ${name}, or press ${name}`));
  }

  async sum() {
    const { trays } = this;
    const terms = (names) => names.filter((name) => trays.sets[name].length).map((name) => trays.sets[name].map(latentOf));
    for (const name of TRAYS) if (trays.sets[name].length) this.mixed(name, this.places[name].mean, { plus: terms([name]), minus: [] });
      else blank(this.places[name].mean);
    this.saves.disabled = true;
    if (!trays.sets.a.length && !trays.sets.c.length) { blank(this.result); this.context.command(null); return; }
    const image = await this.mixed("result", this.result, { plus: terms(["a", "c"]), minus: terms(["b"]) });
    if (!image) return;
    this.image = image;
    this.saves.disabled = false;
    this.context.command(image.command, image.images);
  }

  async mixed(name, place, body) {
    const { api, run, failed } = this.context;
    place.classList.remove("blank");
    try {
      const how = howOf(this.options, [...body.plus, ...body.minus].flat().map(textOf), run);
      const image = await this.asks[name](api.at(run, "mix"), { body: { ...body, ...how } });
      if (image) place.show(image);
      return image;
    } catch (error) { place.fail("no image"); failed(error); return undefined; }
  }

  undo() {
    const words = this.past.undo();
    this.undoes.disabled = !this.past.size;
    this.context.say(words ? `Undone: ${words}.` : "Nothing to undo.", { seconds: 2 });
  }

  unmount() { this.gallery.end(); this.way.end(); }
}

/** A tile without an image. */
function blank(place) {
  place.classList.remove("loading");
  place.classList.add("blank");
}

export default {
  sheets: ["../parts/gallery.css", "mix.css", "../parts/way.css"].map((name) => new URL(name, import.meta.url)),
  name: "mix", title: "Mix", key: "x", ofRun: true,
  needs: (run) => (run.domains || run.generates === false ? "This run has no generator of seeds: it has no latents to mix. One of two domains opens in Translate." : null),
  async mount(root, context) {
    const view = new Mix(root, context);
    return () => view.unmount();
  },
};
