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
    this.strip = h("div", { class: "way-strip", tabindex: "0", role: "img", "aria-label": "Strip of the way" });
    this.screen = h("div", { class: "way-film", style: { "--ratio": this.ratio } });
    this.plays = h("button", { type: "button", class: "main", onclick: () => this.film() }, icon("play"), "Play the film");
    this.saves = h("button", { type: "button", class: "plain", onclick: () => this.last && save(this.last.blob, fileName(context.run.name, "way.webp")) }, icon("download"), "Film");
    this.stripSaves = h("button", { type: "button", class: "plain", onclick: () => this.stripImage && save(this.stripImage.blob, fileName(context.run.name, "way.png")) }, icon("download"), "Strip");
    const loops = h("label", { class: "check" }, h("input", { type: "checkbox", checked: this.loop, onchange: (event) => this.set({ loop: event.target.checked }) }), "back to the first");
    this.words = h("p", { class: "quiet" });
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
    for (const button of [this.plays, this.stripSaves]) button.disabled = !enough;
    this.saves.disabled = true;
    this.words.textContent = enough ? `Through ${Math.min(keys.length, MOST)} images, in the order a, b, c.` : "Pick two images or more: the way from one to the next appears here.";
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

  async film() {
    if (this.keys.length < 2) return;
    const { api, run, failed, command, say } = this.context;
    this.plays.disabled = true;
    say("Making the film …", { seconds: 2 });
    try {
      const film = await api.image(api.at(run, "interpolate"), { body: { ...this.body(), film: "webp" } });
      this.last = film;
      this.saves.disabled = false;
      fill(this.screen, h("img", { src: this.hold("film", film.url), alt: "Film of the way, playing", class: sides(run)[0] <= 128 ? "pixels" : "" }));
      command(film.command, film.images);
    } catch (error) { failed(error); }
    this.plays.disabled = this.keys.length < 2;
  }

  end() { for (const url of Object.values(this.urls)) this.context.api.free(url); }
}
