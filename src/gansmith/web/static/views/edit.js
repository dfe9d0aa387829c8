// Edit: sliders along the run's named directions, on a seed or a photograph of one's own; before and after, and the film of it.
import { copyable } from "../parts/command.js";
import { fill, h, set, sheet } from "../parts/dom.js";
import { dropZone } from "../parts/drop.js";
import { fileName, save } from "../parts/files.js";
import { frames } from "../parts/frames.js";
import { howControls } from "../parts/gallery_bar.js";
import { explained, what } from "../parts/glossary.js";
import { icon } from "../parts/icons.js";
import { inversion } from "../parts/inversion.js";
import { alongText, howOf, latentOf, parseAlong, parseList } from "../parts/latents.js";
import { asker } from "../parts/pool.js";
import { Sliders } from "../parts/sliders.js";
import { duration, short, sides } from "../parts/words.js";
import { wipe } from "../parts/wipe.js";

const named = (key) => (/^\d+$/.test(key) ? `seed ${key}` : key);
const last = new Map(); // run -> what was edited when the view was left
const STATE = ["of", "along", "label", "truncation"];
const FILM_STEPS = 24;
const STRIPES = 400; // milliseconds that an image stays before the strips of the sliders show it
const REST = 120; // milliseconds without a move before the address says where the sliders are

/** Name of the file that a latent was searched for; those of before had none. */
const fromOf = (one) => (!one.from ? one.id : one.from === "photograph" ? `photograph ${one.id.slice(-4)}` : one.from);

class Edit {
  constructor(root, context) {
    const { run, state } = context;
    if (!context.dropped && !STATE.some((name) => name in state) && last.has(run.name)) { // back again: as it was left
      Object.assign(state, last.get(run.name));
      context.keep(state);
    }
    Object.assign(this, { root, context, key: parseList(state.of)[0] ?? "0", along: parseAlong(state.along), urls: {}, frames: [] });
    this.ask = frames((along) => this.look(along));
    this.options = { label: state.label || "", truncation: state.truncation === undefined ? null : Number(state.truncation) };
    this.source = asker(context, () => this.options);
    this.build();
    this.choose(this.key, { along: this.along });
    if (context.dropped) this.invert(context.dropped);
    this.root.dataset.ready = "";
    this.pixels = sides(run)[0] <= 128;
  }

  build() {
    const { run, keys, about } = this.context;
    const [height, width] = sides(run);
    this.wipe = wipe({ names: ["before", "after"], ratio: width / height, pixels: Math.max(height, width) <= 128 });
    this.words = h("p", { class: "quiet edit-words", role: "status" });
    this.moves = h("div", { class: "row" }, h("button", { type: "button", class: "plain", onclick: () => this.sliders.chance() }, "By chance"),
      h("button", { type: "button", class: "plain", onclick: () => this.sliders.reset() }, icon("undo"), "As it was"));
    this.progress = h("progress", { max: 1, value: 0, "aria-label": "Search of the latent", style: { visibility: "hidden" } });
    this.seed = h("input", { type: "number", min: 0, max: 9007199254740991, step: 1, class: "number", "aria-label": "Seed",
      onchange: () => this.seed.value && this.choose(String(Math.max(0, Math.trunc(Number(this.seed.value)) || 0))) });
    this.kind = h("span", {}, "Seed");
    const step = (by, words, name) => h("button", { type: "button", class: "icon", "aria-label": words, onclick: () => this.next(by) }, icon(name));
    this.latents = h("select", { "aria-label": "A photograph of before", onchange: () => this.latents.value && this.choose(this.latents.value) });
    this.sliders = new Sliders({ run, directions: run.directions || [], along: this.along, changed: () => this.changed(),
      look: (name, amount, signal) => this.look({ [name]: amount }, signal), rename: (name, to) => this.rename(name, to) });
    this.film = h("button", { type: "button", class: "main", onclick: () => this.play() }, icon("play"), "Play the film");
    this.saves = h("button", { type: "button", onclick: async () => { const film = await this.play(); if (film) this.saved(film, "edit.webp"); } }, icon("download"), "Film");
    this.screen = h("div", { class: "edit-film", style: { "--ratio": width / height } }, h("span", { class: "quiet small" }, "film"));
    this.rate = h("span", { class: "quiet small number" });
    const drop = dropZone({ words: [h("strong", {}, "Your own photograph"), h("span", {}, "drop it here, or paste it")], take: (file) => this.invert(file), label: "Choose a file" });
    const controls = howControls(run, this.options, (name, value) => this.change(name, value));
    fill(this.root, h("div", { class: "edit-body" },
      h("section", { class: "edit-image stack", "aria-label": "The image" }, h("div", { class: "edit-stage" }, this.wipe), this.progress, this.words,
        h("div", { class: "edit-below" }, this.screen, h("div", { class: "stack" },
          h("div", { class: "row" }, this.film,
            h("button", { type: "button", onclick: () => this.image && this.saved(this.image, "edited.png") }, icon("download"), "Image"),
            this.saves), h("p", { role: "status", class: "edit-rate" }, this.rate)))),
      h("div", { class: "stack" },
        h("section", { class: "card stack", "aria-label": "What is edited" }, h("h2", {}, "What is edited"),
          h("div", { class: "edit-source" },
            h("div", { class: "stack" }, explained(h("label", { class: "field" }, this.kind, h("span", { class: "row edit-seed" }, step(-1, "Seed before", "left"), this.seed, step(1, "Next seed", "right"))), "seed"), this.latents),
            about.read_only ? null : drop),
          controls.length ? h("div", { class: "row edit-how" }, controls) : null),
        h("section", { class: "card stack", "aria-label": "Directions" }, h("div", { class: "row ends" }, h("div", { class: "row" }, h("h2", {}, "What changes"), what("direction", "latent")),
          this.moves), this.sliders.element, this.directions()))));
    this.listLatents();
    keys({ r: ["as it was", () => this.sliders.reset()], p: ["play the film", () => this.play()], "[": ["seed before", () => this.next(-1)], "]": ["next seed", () => this.next(1)] });
  }

  /** What to do where the run has no directions yet. */
  directions() {
    const { api, run, about, failed } = this.context;
    if (run.directions?.length) return null;
    this.moves.hidden = true;
    const words = h("p", { class: "quiet" }, "A direction changes one thing of the image. This run has none yet.");
    if (about.read_only) return h("div", { class: "stack edit-none" }, words,
      h("p", { class: "quiet" }, "This page is read-only. In a copy of the run that may be written to, this command finds some:"), copyable(`gansmith directions ${run.name} --method pca`));
    const find = async () => {
      set(button, { disabled: true });
      bar.hidden = false;
      words.textContent = "Looking for directions …";
      try {
        await api.events(api.at(run, "directions"), { body: { method: "pca" }, signal: this.context.signal }, (event, data) => {
          if (event === "progress") {
            if (data.share) bar.value = data.share;
            words.textContent = `Looking for directions: what changes the images most${data.left === null ? " …" : `. About ${duration(Math.ceil(data.left))} left.`}`;
          }
          if (event === "done") run.directions = data.directions;
        });
        if (!run.directions?.length) throw new Error("The search ended without directions.");
        place.remove();
        this.moves.hidden = false;
        this.sliders.fill(run.directions);
        this.filmable();
        this.describe();
        this.sliders.focus();
        this.context.say(`${run.directions.length} directions, the strongest first: move a slider.`);
      } catch (error) { failed(error); if (!this.context.signal.aborted) { bar.hidden = true; words.textContent = error.message; button.disabled = false; } }
    };
    const bar = h("progress", { max: 1, "aria-label": "Search for directions", hidden: true });
    const button = h("button", { type: "button", class: "main", onclick: find }, "Find directions");
    const place = h("div", { class: "stack edit-none" }, words, bar, button);
    return place;
  }

  listLatents() {
    const { latents = [] } = this.context.run;
    fill(this.latents, h("option", { value: "" }, latents.length ? "photographs of before" : "no photographs yet"),
      latents.map((one) => h("option", { value: one.id }, fromOf(one))));
    this.latents.disabled = !latents.length;
    this.latents.value = latents.some((one) => one.id === this.key) ? this.key : "";
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

  /** Another class or truncation: of every image here. */
  change(name, value) {
    this.options[name] = value;
    this.context.keep({ [name]: value });
    this.choose(this.key);
  }

  next(by) { this.choose(String(Math.max(0, (/^\d+$/.test(this.key) ? Number(this.key) : 0) + by))); }

  /** Another image to edit; the sliders stay where they are. */
  async choose(key) {
    this.key = key;
    this.gone?.abort();
    if (this.fresh !== key) this.fresh = null;
    this.latents.value = (this.context.run.latents || []).some((one) => one.id === key) ? key : "";
    const { api, run } = this.context;
    const own = this.known()?.photograph;
    this.root.classList.toggle("photograph", Boolean(own));
    this.changed();
    clearTimeout(this.striping);
    this.striping = setTimeout(() => this.sliders.strips(), STRIPES);
    try {
      const image = await this.source(key, this.context.signal);
      if (this.key === key) this.wipe.before(this.hold("before", own ? api.at(run, `latents/${encodeURIComponent(key)}/photograph`) : image.url));
    } catch (error) { this.context.failed(error); }
  }

  /** Latent file that is edited, as the run lists it; undefined for a seed. */
  known() { return (this.context.run.latents || []).find((one) => one.id === this.key); }

  /** What is edited, and what to do: in words below the image, on its halves, and in the field of the seed. */
  describe() {
    if (this.root.dataset.inverting === "") return;
    const known = this.known();
    const moved = this.sliders.along.size > 0;
    const seed = /^\d+$/.test(this.key);
    this.seed.value = seed ? this.key : "";
    set(this.seed, { placeholder: seed ? null : known ? fromOf(known) : this.key, title: seed ? null : `${known ? fromOf(known) : this.key} is edited; a number here is a seed` });
    this.kind.textContent = seed ? "Seed" : known?.photograph ? "Photograph" : "Latent";
    const small = sides(this.context.run).map(String).filter((side, i, all) => i === 0 || side !== all[0]).join(" × ");
    this.name(known?.photograph ? `your photograph at the model's ${small} pixels` : "before", !known?.photograph ? "after" : moved ? "edited" : "the model's image of it");
    if (seed) { this.words.textContent = `${named(this.key)}; a step is one standard deviation of the latents.`; return; }
    const next = moved ? "" : this.sliders.rows.size ? " Move a slider and see it change." : " Press Find directions, then move a slider and see it change.";
    const far = known?.distance === undefined || known?.distance === null ? "" : `, distance ${short(known.distance)}`;
    const right = moved ? "the model's image of it, edited" : "the nearest image that the model makes";
    const photograph = `left of the line is ${known ? fromOf(known) : this.key} at the model's ${small} pixels, right of it ${right}.`;
    this.words.textContent = `${this.fresh === this.key ? `Done${far}: ` : ""}${known?.photograph ? (this.fresh === this.key ? photograph : `L${photograph.slice(1)}`) : `${known ? fromOf(known) : this.key}: the nearest image that the model makes${this.fresh === this.key ? "" : far}.`}${next}`;
  }

  /** Words on the two halves of the wipe. */
  name(before, after) {
    this.wipe.querySelector(".left").textContent = before;
    this.wipe.querySelector(".right").textContent = after;
  }

  hold(kind, url) { const old = this.urls[kind]; this.urls[kind] = url; if (old) setTimeout(() => this.context.api.free(old), 1000); return url; }

  async changed() {
    const { failed, command } = this.context;
    this.filmable();
    this.describe();
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keep(), REST);
    try {
      const image = await this.ask(Object.fromEntries(this.sliders.along));
      if (!image) return;
      this.image = image;
      this.wipe.after(this.hold("after", image.url));
      command(image.command, image.images);
      this.count();
    } catch (error) { failed(error); }
  }

  keep() { this.context.keep({ of: this.key === "0" ? null : this.key, along: alongText(this.sliders.along) }); this.remember(); }

  remember() {
    const { label, truncation } = this.options;
    const state = { of: this.key, along: alongText(this.sliders.along), label: label || null, truncation };
    last.set(this.context.run.name, Object.fromEntries(Object.entries(state).filter(([, value]) => value !== null)));
  }

  saved(image, words) {
    const name = fileName(this.context.run.name, words);
    save(image.blob, name);
    this.context.say(`${name} is in your downloads.`);
  }

  /** Film and its file: off until a slider is moved, and while one is made. */
  filmable() {
    const { size } = this.sliders.along;
    this.film.disabled = this.saves.disabled = !size || this.making || this.root.dataset.inverting === "";
    this.rate.textContent = this.making ? `Making ${FILM_STEPS} frames …` : size || !this.sliders.rows.size ? "" : "For a film, move a slider first.";
  }

  /** Images of the last second, while a slider moves. */
  count() {
    const now = performance.now();
    this.frames = [...this.frames.filter((time) => now - time < 1000), now];
    this.root.dataset.frames = String(Number(this.root.dataset.frames || 0) + 1);
    if (this.frames.length > 4 && !this.making) this.rate.textContent = `${this.frames.length} images a second`;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.filmable(), 1500);
  }

  async play() {
    const { failed, command, say } = this.context;
    if (!this.sliders.along.size) { say("Move a slider first: the film goes from before to after."); return null; }
    if (this.making) return null;
    const of = JSON.stringify([this.key, this.options, [...this.sliders.along]]);
    if (this.filmed?.of === of) return this.filmed;
    this.making = true;
    this.filmable();
    try {
      const film = await this.look(Object.fromEntries(this.sliders.along), undefined, { film: "webp", steps: FILM_STEPS });
      this.filmed = { blob: film.blob, of };
      fill(this.screen, h("img", { src: this.hold("film", film.url), alt: "Film from before to after, playing", class: this.pixels ? "pixels" : "" }));
      command(film.command, film.images);
    } catch (error) { failed(error); this.filmed = null; }
    this.making = false;
    this.filmable();
    return this.filmed;
  }

  /** Latent of a photograph, with what was reached so far on show. */
  async invert(file) {
    if (this.context.about.read_only) { this.context.say("This page is read-only: it searches no latents."); return; }
    this.gone?.abort();
    const gone = this.gone = new AbortController();
    this.context.signal.addEventListener("abort", () => gone.abort());
    this.name("your photograph", "nearest so far");
    this.kind.textContent = "Photograph";
    this.seed.value = "";
    set(this.seed, { placeholder: file.name });
    this.sliders.element.inert = true; // they are of the image that is searched for
    this.root.dataset.inverting = "";
    this.filmable();
    this.wipe.before(this.hold("before", URL.createObjectURL(file)));
    this.root.classList.add("photograph");
    this.progress.style.visibility = "visible";
    this.progress.removeAttribute("value");
    this.words.textContent = "Step 1 of 2: looking for the image of the model that is nearest to your photograph …";
    try {
      const done = await inversion(this.context, file, { label: this.options.label, signal: gone.signal, preview: (seen) => {
        this.progress.value = seen.of ? seen.step / seen.of : 0;
        if (seen.url) this.wipe.after(this.hold("after", seen.url));
        this.words.textContent = `Step 1 of 2: looking for the model's nearest image, ${Math.round((100 * seen.step) / Math.max(1, seen.of))} % done${seen.distance === undefined ? "" : `, distance ${short(seen.distance)}`}.`;
      } });
      this.fresh = done.latent;
      this.context.run.latents = [...(this.context.run.latents || []).filter((one) => one.id !== done.latent), { id: done.latent, distance: done.distance, from: done.from || file.name, photograph: true }];
      this.key = done.latent;
      delete this.root.dataset.inverting;
      this.sliders.element.inert = false;
      this.sliders.reset();
      this.listLatents();
      this.choose(done.latent);
      const next = this.sliders.rows.size ? "move a slider" : "press Find directions";
      if (this.sliders.rows.size) this.sliders.focus(); else this.root.querySelector(".edit-none button")?.focus();
      this.context.say(`Your photograph was found in the model. Now ${next}.`);
    } catch (error) { if (!gone.signal.aborted) { this.context.failed(error); this.words.textContent = error.message; } }
    if (gone !== this.gone) return; // another photograph is searched for
    this.sliders.element.inert = false;
    delete this.root.dataset.inverting;
    this.filmable();
    this.progress.style.visibility = "hidden";
  }

  update(state) {
    const key = parseList(state.of)[0] ?? "0";
    const options = { label: state.label || "", truncation: state.truncation === undefined ? null : Number(state.truncation) };
    const same = options.label === this.options.label && options.truncation === this.options.truncation;
    this.options = options;
    this.sliders.replace(parseAlong(state.along));
    if (key !== this.key || !same) this.choose(key);
  }

  unmount() { this.remember(); this.gone?.abort(); this.sliders.end(); clearTimeout(this.striping); clearTimeout(this.quiet); clearTimeout(this.keeping); for (const url of Object.values(this.urls)) this.context.api.free(url); }
}

export default {
  name: "edit", title: "Edit", key: "e", ofRun: true,
  needs: (run) => (run.domains || run.generates === false ? "This run has no generator of seeds: it has no directions. One of two domains opens in Translate." : null),
  async mount(root, context) {
    await sheet(new URL("edit.css", import.meta.url));
    const view = new Edit(root, context);
    return { unmount: () => view.unmount(), update: (state) => view.update(state) };
  },
};
