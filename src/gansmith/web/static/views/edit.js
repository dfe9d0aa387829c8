// Edit: sliders along the run's named directions, on a seed or a photograph of one's own; before and after, and the film of it.
import { copyable } from "../parts/command.js";
import { fill, h, set, sheet } from "../parts/dom.js";
import { dropZone } from "../parts/drop.js";
import { fileName, save } from "../parts/files.js";
import { frames } from "../parts/frames.js";
import { icon } from "../parts/icons.js";
import { inversion } from "../parts/inversion.js";
import { alongText, latentOf, parseAlong, parseList } from "../parts/latents.js";
import { asker } from "../parts/pool.js";
import { Sliders } from "../parts/sliders.js";
import { short, sides } from "../parts/words.js";
import { wipe } from "../parts/wipe.js";

const named = (key) => (/^\d+$/.test(key) ? `seed ${key}` : key);
const FILM_STEPS = 24;
const REST = 120; // milliseconds without a move before the address says where the sliders are

class Edit {
  constructor(root, context) {
    const { run, state, api } = context;
    Object.assign(this, { root, context, key: parseList(state.of)[0] ?? "0", along: parseAlong(state.along), urls: {}, frames: [] });
    this.ask = frames(api.image);
    this.source = asker(context, () => ({}));
    this.label = state.label || "";
    this.build();
    this.photograph = null;
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
      onchange: () => this.choose(String(Math.max(0, Math.trunc(Number(this.seed.value)) || 0))) });
    const step = (by, words, name) => h("button", { type: "button", class: "icon", "aria-label": words, onclick: () => this.next(by) }, icon(name));
    this.latents = h("select", { "aria-label": "A photograph of before", onchange: () => this.latents.value && this.choose(this.latents.value) });
    this.sliders = new Sliders({ directions: run.directions || [], along: this.along, changed: () => this.changed() });
    this.film = h("button", { type: "button", class: "main", onclick: () => this.play() }, icon("play"), "Play the film");
    this.screen = h("div", { class: "edit-film", style: { "--ratio": width / height } }, h("span", { class: "quiet small" }, "film"));
    this.rate = h("span", { class: "quiet small number" });
    const drop = dropZone({ words: [h("strong", {}, "Your own photograph"), h("span", {}, "drop it here, or paste it")], take: (file) => this.invert(file), label: "Choose a file" });
    fill(this.root, h("div", { class: "edit-body" },
      h("section", { class: "edit-image stack", "aria-label": "The image" }, this.wipe, this.progress,
        h("div", { class: "edit-below" }, this.screen, h("div", { class: "stack" }, this.words,
          h("div", { class: "row" }, this.film,
            h("button", { type: "button", onclick: () => this.image && save(this.image.blob, fileName(run.name, "edited.png")) }, icon("download"), "Image"),
            h("button", { type: "button", onclick: () => this.filmed && save(this.filmed.blob, fileName(run.name, "edit.webp")) }, icon("download"), "Film"), this.rate)))),
      h("div", { class: "stack" },
        h("section", { class: "card stack", "aria-label": "What is edited" }, h("h2", {}, "What is edited"),
          h("div", { class: "edit-source" },
            h("div", { class: "stack" }, h("label", { class: "field" }, "Seed", h("span", { class: "row edit-seed" }, step(-1, "Seed before", "left"), this.seed, step(1, "Next seed", "right"))), this.latents),
            about.read_only ? null : drop)),
        h("section", { class: "card stack", "aria-label": "Directions" }, h("div", { class: "row ends" }, h("h2", {}, "What changes"),
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
      words.textContent = "Looking for directions …";
      try {
        const answer = await api.post(api.at(run, "directions"), { method: "pca" }, { signal: this.context.signal });
        run.directions = answer.directions;
        this.sliders.fill(answer.directions);
        this.moves.hidden = false;
        place.remove();
      } catch (error) { failed(error); words.textContent = error.message; button.disabled = false; }
    };
    const button = h("button", { type: "button", class: "main", onclick: find }, "Find directions");
    const place = h("div", { class: "stack edit-none" }, words, button);
    return place;
  }

  listLatents() {
    const { latents = [] } = this.context.run;
    fill(this.latents, h("option", { value: "" }, latents.length ? "photographs of before" : "no photographs yet"),
      latents.map((one) => h("option", { value: one.id }, one.from || one.id)));
    this.latents.disabled = !latents.length;
    this.latents.value = latents.some((one) => one.id === this.key) ? this.key : "";
  }

  next(by) { this.choose(String(Math.max(0, (/^\d+$/.test(this.key) ? Number(this.key) : 0) + by))); }

  /** Another image to edit; the sliders stay where they are. */
  async choose(key) {
    this.key = key;
    this.gone?.abort();
    if (/^\d+$/.test(key)) this.seed.value = key;
    this.latents.value = (this.context.run.latents || []).some((one) => one.id === key) ? key : "";
    const known = (this.context.run.latents || []).find((one) => one.id === key);
    this.words.textContent = known ? `${known.from || key}: the nearest image that the model makes${known.distance === undefined ? "" : `, distance ${short(known.distance)}`}.` : `${named(key)}; a step is one standard deviation of the latents.`;
    this.changed();
    try {
      const image = await this.source(key, this.context.signal);
      if (this.key === key && this.photograph?.key !== key) this.wipe.before(this.hold("before", image.url));
    } catch (error) { this.context.failed(error); }
  }

  hold(kind, url) { const old = this.urls[kind]; this.urls[kind] = url; if (old) setTimeout(() => this.context.api.free(old), 1000); return url; }

  async changed() {
    const { api, run, failed, command } = this.context;
    this.film.disabled = !this.sliders.along.size;
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keep(), REST);
    const along = Object.fromEntries(this.sliders.along);
    const path = Object.keys(along).length ? "edit" : "render";
    try {
      const image = await this.ask(api.at(run, path), { body: path === "edit" ? { from: latentOf(this.key), along } : { of: latentOf(this.key) } });
      if (!image) return;
      this.image = image;
      this.wipe.after(this.hold("after", image.url));
      command(image.command, image.images);
      this.count();
    } catch (error) { failed(error); }
  }

  keep() { this.context.keep({ of: this.key === "0" ? null : this.key, along: alongText(this.sliders.along) }); }

  /** Images of the last second, while a slider moves. */
  count() {
    const now = performance.now();
    this.frames = [...this.frames.filter((time) => now - time < 1000), now];
    this.root.dataset.frames = String(Number(this.root.dataset.frames || 0) + 1);
    this.rate.textContent = this.frames.length > 4 ? `${this.frames.length} images a second` : "";
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => { this.rate.textContent = ""; }, 1500);
  }

  async play() {
    const { api, run, failed, command, say } = this.context;
    if (!this.sliders.along.size) { say("Move a slider first: the film goes from before to after."); return; }
    this.film.disabled = true;
    try {
      const film = await api.image(api.at(run, "edit"), { body: { from: latentOf(this.key), along: Object.fromEntries(this.sliders.along), film: "webp", steps: FILM_STEPS } });
      this.filmed = film;
      fill(this.screen, h("img", { src: this.hold("film", film.url), alt: "Film from before to after, playing", class: this.pixels ? "pixels" : "" }));
      command(film.command, film.images);
    } catch (error) { failed(error); }
    this.film.disabled = false;
  }

  /** Latent of a photograph, with what was reached so far on show. */
  async invert(file) {
    if (this.context.about.read_only) { this.context.say("This page is read-only: it searches no latents."); return; }
    this.gone?.abort();
    const gone = this.gone = new AbortController();
    this.context.signal.addEventListener("abort", () => gone.abort());
    this.photograph = { key: null };
    this.wipe.before(this.hold("before", URL.createObjectURL(file)));
    this.root.classList.add("photograph");
    this.progress.style.visibility = "visible";
    this.progress.removeAttribute("value");
    this.words.textContent = "Looking for the nearest image that the model makes …";
    this.root.dataset.inverting = "";
    try {
      const done = await inversion(this.context, file, { signal: gone.signal, preview: (seen) => {
        this.progress.value = seen.of ? seen.step / seen.of : 0;
        if (seen.url) this.wipe.after(this.hold("after", seen.url));
        this.words.textContent = `Step ${seen.step} of ${seen.of}${seen.distance === undefined ? "" : `, distance ${short(seen.distance)}`}`;
      } });
      this.photograph.key = done.latent;
      if (done.url) this.wipe.before(this.hold("before", done.url));
      this.context.run.latents = [...(this.context.run.latents || []).filter((one) => one.id !== done.latent), { id: done.latent, distance: done.distance, from: file.name }];
      this.key = done.latent;
      this.sliders.reset();
      this.listLatents();
      this.choose(done.latent);
      this.context.say("Found. Move the sliders: they change your photograph.");
    } catch (error) { if (!gone.signal.aborted) { this.context.failed(error); this.words.textContent = error.message; } }
    delete this.root.dataset.inverting;
    this.progress.style.visibility = "hidden";
  }

  update(state) {
    const key = parseList(state.of)[0] ?? "0";
    this.sliders.replace(parseAlong(state.along));
    if (key !== this.key) this.choose(key);
  }

  unmount() { this.gone?.abort(); clearTimeout(this.quiet); clearTimeout(this.keeping); for (const url of Object.values(this.urls)) this.context.api.free(url); }
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
