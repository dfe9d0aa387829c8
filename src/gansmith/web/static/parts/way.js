// Way from image to image through the latent space: a strip at once, a film when it is asked for.
import { fill, h } from "./dom.js";
import { fileName, save } from "./files.js";
import { slider } from "./gallery_bar.js";
import { icon } from "./icons.js";
import { howOf, latentOf } from "./latents.js";
import { sides } from "./words.js";

const MOST = 24; // images on the way

/** Section with the way through keys: through(keys), film(), end(). */
export class Way {
  constructor(context, options = () => ({})) {
    Object.assign(this, { context, options, keys: [], steps: Number(context.state.steps) || 8, loop: context.state.loop === "1", ask: context.api.newest(), urls: {} });
    const [height, width] = sides(context.run);
    this.ratio = width / height;
    this.strip = h("div", { class: "way-strip", tabindex: "0", role: "img", "aria-label": "Strip of the way", title: "The images that you picked have a red frame" });
    this.screen = h("div", { class: "way-film", style: { "--ratio": this.ratio } });
    this.plays = h("button", { type: "button", class: "main", onclick: () => this.film() }, icon("play"), "Play the film");
    this.saves = h("button", { type: "button", class: "plain", onclick: async () => { const film = await this.film(); if (film) this.saved(film, "way.webp"); } }, icon("download"), "Film");
    this.stripSaves = h("button", { type: "button", class: "plain", onclick: () => this.stripImage && this.saved(this.stripImage, "way.png") }, icon("download"), "Strip");
    const loops = h("label", { class: "check" }, h("input", { type: "checkbox", checked: this.loop, onchange: (event) => this.set({ loop: event.target.checked }) }), "back to the first");
    this.words = h("p", { class: "quiet way-words", role: "status" });
    this.element = h("section", { class: "way card", "aria-label": "The way between them" },
      h("div", { class: "row ends" }, h("h2", {}, "The way between them"),
        h("div", { class: "row" }, slider({ label: "Steps", min: 2, max: 32, step: 1, value: this.steps, input: (steps) => this.set({ steps }) }), loops)),
      this.words, h("div", { class: "way-body" }, this.screen, this.strip), h("div", { class: "row" }, this.plays, this.stripSaves, this.saves));
    this.through([]);
  }

  set(options) {
    Object.assign(this, options);
    this.context.keep({ steps: this.steps, loop: this.loop ? "1" : null });
    this.through(this.keys);
  }

  body() {
    const keys = this.keys.slice(0, MOST);
    return { through: keys.map(latentOf), steps: this.steps, ...(this.loop && { loop: true }), ...howOf(this.options(), keys, this.context.run) };
  }

  async through(keys) {
    this.keys = keys;
    const enough = keys.length > 1;
    this.last = null;
    this.stripSaves.disabled = !enough;
    this.filmable();
    this.words.textContent = enough ? `Through ${Math.min(keys.length, MOST)} images, in the order a, b, c: those have a red frame.` : "Pick two images or more: the way from one to the next appears here.";
    fill(this.screen, h("span", { class: "quiet small" }, enough ? "film" : ""));
    if (!enough) { fill(this.strip); return; }
    const { api, run, failed } = this.context;
    try {
      const image = await this.ask(api.at(run, "interpolate"), { body: this.body() });
      if (!image || this.keys.length < 2) return;
      this.stripImage = image;
      fill(this.strip, h("img", { src: this.hold("strip", image.url), alt: "", class: sides(run)[0] <= 128 ? "pixels" : "" }));
    } catch (error) { failed(error); }
  }

  /** Address of the newest image of a kind; the one before is let go. */
  hold(kind, url) { this.context.api.free(this.urls[kind]); this.urls[kind] = url; return url; }

  saved(image, words) {
    const name = fileName(this.context.run.name, words);
    save(image.blob, name);
    this.context.say(`${name} is in your downloads.`);
  }

  filmable() { this.plays.disabled = this.saves.disabled = this.keys.length < 2 || Boolean(this.making); }

  async film() {
    if (this.keys.length < 2 || this.making) return null;
    if (this.last) return this.last;
    const { api, run, failed, command } = this.context;
    const { keys } = this;
    this.making = true;
    this.filmable();
    const before = this.words.textContent;
    this.words.textContent = `Making the film: ${this.steps} frames from image to image …`;
    let film = null;
    try {
      film = await api.image(api.at(run, "interpolate"), { body: { ...this.body(), film: "webp" } });
      if (keys === this.keys) this.last = film;
      fill(this.screen, h("img", { src: this.hold("film", film.url), alt: "Film of the way, playing", class: sides(run)[0] <= 128 ? "pixels" : "" }));
      command(film.command, film.images);
    } catch (error) { failed(error); }
    this.making = false;
    if (keys === this.keys) this.words.textContent = before;
    this.filmable();
    return film;
  }

  end() { for (const url of Object.values(this.urls)) this.context.api.free(url); }
}
