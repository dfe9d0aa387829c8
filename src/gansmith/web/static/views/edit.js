// Edit: sliders along the run's named directions, on a seed or a photograph of one's own; before and after, and the film of it.
import { fill, h } from "../parts/dom.js";
import { EditFilm } from "../parts/edit_film.js";
import { noDirections } from "../parts/edit_none.js";
import { originalOf, Search } from "../parts/edit_search.js";
import { editSource } from "../parts/edit_source.js";
import { editStage } from "../parts/edit_stage.js";
import { editWords } from "../parts/edit_words.js";
import { fileName, save } from "../parts/files.js";
import { frames } from "../parts/frames.js";
import { what } from "../parts/glossary.js";
import { icon } from "../parts/icons.js";
import { alongText, howOf, isSeed, latentOf, parseAlong, parseList } from "../parts/latents.js";
import { asker } from "../parts/pool.js";
import { Sliders } from "../parts/sliders.js";
import { sides } from "../parts/words.js";

const STRIPES = 400; // milliseconds that an image stays before the strips of the sliders show it
const REST = 120; // milliseconds without a move before the address says where the sliders are

class Edit {
  constructor(root, context) {
    const { run, state } = context;
    Object.assign(this, { root, context, key: parseList(state.of)[0] ?? "0", chosen: "of" in state, urls: {}, search: null, failure: null, found: null });
    this.size = [...new Set(sides(run))].join(" × ");
    this.ask = frames((along) => this.look(along));
    this.options = optionsOf(state);
    this.source = asker(context, () => this.options);
    this.build(parseAlong(state.along));
    if (context.dropped) this.invert(context.dropped); else this.choose(this.key);
    this.root.dataset.ready = "";
  }

  build(along) {
    const { run, keys } = this.context;
    this.stage = editStage(run);
    this.says = h("p", { class: "quiet edit-words", role: "status" });
    this.progress = h("progress", { max: 1, "aria-label": "Search of the latent" });
    this.stops = h("div", { class: "edit-search", style: { visibility: "hidden" } }, this.progress, h("button", { type: "button", class: "small", onclick: () => this.stop() }, "Stop the search"));
    this.moves = h("div", { class: "row" }, h("button", { type: "button", class: "plain", onclick: () => this.sliders.chance() }, "By chance"),
      h("button", { type: "button", class: "plain", onclick: () => this.sliders.reset() }, icon("undo"), "As it was"));
    this.sliders = new Sliders({ run, directions: run.directions || [], along, changed: () => { this.failure = null; this.changed(); },
      look: (name, amount, signal) => this.look({ [name]: amount }, signal), rename: (name, to) => this.rename(name, to) });
    this.waits = h("p", { class: "quiet edit-waits" });
    this.film = new EditFilm({ context: this.context, make: (options) => this.look(this.moved(), undefined, options), of: () => JSON.stringify([this.key, this.options, this.moved()]),
      ready: () => this.noFilm(), saved: (image, words) => this.saved(image, words),
      shown: (film) => { this.stage.film(film.url); this.context.command(film.command, film.images); } });
    this.from = editSource(this.context, { options: this.options, size: this.size, choose: (key) => this.choose(key), next: (by) => this.next(by),
      take: (file) => this.invert(file), change: (name, value) => this.change(name, value) });
    const image = h("button", { type: "button", onclick: () => this.image && this.saved(this.image, "edited.png") }, icon("download"), "Image");
    const none = run.directions?.length ? null : noDirections(this.context, () => this.directed());
    this.moves.hidden = Boolean(none);
    fill(this.root, h("div", { class: "edit-body" },
      h("section", { class: "edit-image stack", "aria-label": "The image" }, this.stage.element, h("div", { class: "edit-below" }, this.stage.looks, this.film.says, h("div", { class: "row edit-files" }, this.film.plays, image, this.film.saves)),
        this.says, this.stops),
      h("div", { class: "stack" }, this.from.element,
        h("section", { class: "card stack", "aria-label": "Directions" }, h("div", { class: "row ends" }, h("div", { class: "row" }, h("h2", {}, "What changes"), what("direction", "latent")), this.moves),
          h("div", { class: "edit-sliders" }, this.sliders.element, this.waits), none))));
    keys({ r: ["as it was", () => this.sliders.reset()], p: ["play the film", () => this.film.play()], "[": ["seed before", () => this.next(-1)], "]": ["next seed", () => this.next(1)] });
  }

  /** Amounts along directions, as a request takes them. */
  moved() { return Object.fromEntries(this.sliders.along); }

  /** Why there is no film yet; "" where there is one to make. */
  noFilm() {
    if (this.search) return "The search goes first.";
    return this.sliders.along.size ? "" : this.sliders.rows.size ? "Film: move a slider first." : "Film: find directions first.";
  }

  /** Image moved along {name: amount}, or as it is where that is 0. */
  look(along, signal, options = {}) {
    const { api, run } = this.context;
    const moved = Object.fromEntries(Object.entries(along).filter(([, amount]) => amount !== 0));
    const body = { ...howOf(this.options, [this.key], run), ...options };
    if (Object.keys(moved).length) return api.image(api.at(run, "edit"), { body: { from: latentOf(this.key), along: moved, ...body }, signal });
    return api.image(api.at(run, "render"), { body: { of: latentOf(this.key), ...body }, signal });
  }

  /** Directions of the run, one of them by another name; null where that was refused, which is said. */
  async rename(name, to) {
    const { api, run, about, say, failed } = this.context;
    const command = `gansmith directions ${run.name} --name ${name}=${to}`;
    if (about.read_only) { say(`This page is read-only: it names no directions. In a copy of the run this does: ${command}`, { kind: "error" }); return null; }
    try {
      run.directions = (await api.post(api.at(run, "directions/names"), { names: { [name]: to } })).directions;
      say(`“${name}” is now called “${to}”, on the command line too.`);
      return run.directions;
    } catch (error) { failed(error); return null; }
  }

  /** Directions were found. */
  directed() {
    const { run, say } = this.context;
    this.moves.hidden = false;
    this.sliders.fill(run.directions);
    this.describe();
    this.sliders.focus();
    say(`${run.directions.length} directions, the strongest first: move a slider.`);
  }

  /** Another class or truncation: of every image here. */
  change(name, value) {
    this.options[name] = value;
    this.context.keep({ [name]: value });
    this.choose(this.key);
  }

  next(by) { this.choose(String(Math.max(0, (isSeed(this.key) ? Number(this.key) : 0) + by))); }

  /** Another image to edit, which ends a search; the sliders stay where they are. */
  async choose(key, { failure = null } = {}) {
    this.search?.end();
    Object.assign(this, { search: null, failure, chosen: this.chosen || key !== this.key, found: this.found?.key === key ? this.found : null, key });
    const { api, run } = this.context;
    const small = this.known()?.photograph ? api.at(run, `latents/${encodeURIComponent(key)}/photograph`) : null;
    this.stage.element.classList.toggle("smooth", Boolean(small)); // beside a photograph squares look coarse
    if (small) this.stage.before(small, { original: originalOf(key)?.url });
    this.stage.film(null);
    this.changed();
    clearTimeout(this.striping);
    this.striping = setTimeout(() => this.sliders.strips(), STRIPES);
    if (small) return;
    try {
      const image = await this.source(key, this.context.signal);
      if (this.key === key && !this.search) this.stage.before(this.hold("before", image.url));
    } catch (error) { this.context.failed(error); }
  }

  /** Latent file that is edited, as the run lists it; undefined for a seed. */
  known() { return (this.context.run.latents || []).find((one) => one.id === this.key); }

  /** Words and what can be used, as the state is. */
  describe() {
    const { search, failure, found, key, chosen, size } = this;
    const said = editWords({ search, failure, found, key, chosen, size, original: Boolean(originalOf(key)), known: this.known(), moved: this.sliders.along.size > 0, has: this.sliders.rows.size > 0 });
    this.root.dataset.state = said.state;
    this.says.textContent = said.says;
    this.stage.words(said);
    this.from.words(said, key);
    this.stops.style.visibility = search ? "visible" : "hidden";
    if (search?.share === null || !search) this.progress.removeAttribute("value"); else this.progress.value = search.share;
    this.sliders.element.inert = Boolean(search);
    this.sliders.element.style.visibility = search ? "hidden" : "visible";
    for (const button of this.moves.children) button.disabled = Boolean(search);
    this.waits.textContent = said.sliders ?? "";
    this.film.update();
  }

  hold(kind, url) { const old = this.urls[kind]; this.urls[kind] = url; if (old) setTimeout(() => this.context.api.free(old), 1000); return url; }

  /** The image as the sliders have it now. */
  async changed() {
    const { failed, command } = this.context;
    const { key } = this;
    this.describe();
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keep(), REST);
    try {
      const image = await this.ask(this.moved());
      if (!image || this.search || key !== this.key) return; // what came is of something else
      this.image = image;
      this.stage.after(this.hold("after", image.url));
      if (this.film.film?.of !== this.film.of()) this.stage.film(null);
      command(image.command, image.images);
      this.root.dataset.frames = String(Number(this.root.dataset.frames || 0) + 1);
      this.film.count();
    } catch (error) { failed(error); }
  }

  keep() { this.context.keep({ of: this.key === "0" ? null : this.key, along: alongText(this.sliders.along) }); }

  saved(image, words) {
    const name = fileName(this.context.run.name, words);
    save(image.blob, name);
    this.context.say(`${name} is in your downloads.`);
  }

  /** Latent of a photograph, with what was reached so far on show. */
  async invert(file) {
    const { run, about, say } = this.context;
    if (about.read_only) { say("This page is read-only: it searches no latents."); return; }
    this.search?.end();
    const search = new Search(this.context, file, { label: this.options.label, changed: () => { if (this.search === search) { this.stage.after(search.seen); this.describe(); } } });
    Object.assign(this, { search, failure: null });
    clearTimeout(this.striping);
    this.stage.film(null);
    this.stage.pair();
    this.stage.element.classList.add("smooth");
    this.stage.before(search.url, { own: true, original: search.url });
    this.stage.after(null);
    this.context.command(null, null, "The command that finds the photograph appears here.");
    this.describe();
    try {
      const latent = await search.run();
      if (this.search !== search) return; // something else is edited by now
      run.latents = [latent, ...(run.latents || []).filter((one) => one.id !== latent.id)];
      Object.assign(this, { search: null, found: { key: latent.id }, chosen: true, key: latent.id });
      this.sliders.replace(new Map(), { quiet: true });
      this.choose(latent.id);
      if (this.sliders.rows.size) this.sliders.focus(); else this.root.querySelector(".edit-none button")?.focus();
      say(`Your photograph was found in the model. Now ${this.sliders.rows.size ? "move a slider" : "press Find directions"}.`);
    } catch (error) {
      if (this.search !== search || this.context.signal.aborted) return;
      this.choose(this.key, { failure: { name: search.name, message: error.message, refused: error.status >= 400 && error.status < 500 } });
      this.says.scrollIntoView({ block: "nearest" });
    }
  }

  /** The search is ended; what was edited before is edited again. */
  stop() {
    const { name } = this.search;
    this.choose(this.key, { failure: { name, message: null } });
  }

  update(state) {
    const key = parseList(state.of)[0] ?? "0";
    const options = optionsOf(state);
    const same = options.label === this.options.label && options.truncation === this.options.truncation;
    Object.assign(this.options, options);
    if (key !== this.key || !same) { this.sliders.replace(parseAlong(state.along), { quiet: true }); this.choose(key); } else this.sliders.replace(parseAlong(state.along));
  }

  unmount() {
    this.search?.end();
    this.sliders.end();
    this.film.end();
    clearTimeout(this.striping);
    clearTimeout(this.keeping);
    for (const url of Object.values(this.urls)) this.context.api.free(url);
  }
}

const optionsOf = (state) => ({ label: state.label || "", truncation: state.truncation === undefined ? null : Number(state.truncation) });

export default {
  sheets: ["edit.css"].map((name) => new URL(name, import.meta.url)),
  name: "edit", title: "Edit", key: "e", ofRun: true,
  needs: (run) => (run.domains || run.generates === false ? "This run has no generator of seeds: it has no directions. One of two domains opens in Translate." : null),
  async mount(root, context) {
    const view = new Edit(root, context);
    return { unmount: () => view.unmount(), update: (state) => view.update(state), take: (file) => view.invert(file) };
  },
};
