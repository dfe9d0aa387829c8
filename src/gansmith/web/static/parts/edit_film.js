// Film of an edit, from before to after: made when it is asked for, once for the same edit; its file; and what is said below them.
import { h } from "./dom.js";
import { icon } from "./icons.js";

const FRAMES = 24;
const SECOND = 1000; // milliseconds over which images are counted

/** Buttons and words: element, play(), update(), count(). make(options) -> image; ready() says why there is no film yet, or "". */
export class EditFilm {
  constructor({ context, make, of, ready, shown, saved }) {
    Object.assign(this, { context, make, of, ready, shown, saved, times: [], film: null, making: false });
    this.plays = h("button", { type: "button", class: "main", onclick: () => this.play() }, icon("play"), "Play the film");
    this.saves = h("button", { type: "button", onclick: async () => { const film = await this.play(); if (film) this.saved(film, "edit.webp"); } }, icon("download"), "Film");
    this.words = h("span", { class: "quiet small number" });
    this.says = h("p", { role: "status", class: "edit-rate" }, this.words);
  }

  /** Off until a slider is moved, while a photograph is searched for, and while a film is made. */
  update() {
    const why = this.ready();
    this.plays.disabled = this.saves.disabled = Boolean(why) || this.making;
    this.words.textContent = this.making ? `Making ${FRAMES} frames …` : why || "";
  }

  async play() {
    const why = this.ready();
    if (why) { this.context.say(why); return null; }
    if (this.making) return null;
    const of = this.of();
    if (this.film?.of !== of) {
      this.making = true;
      this.update();
      try {
        const film = await this.make({ film: "webp", steps: FRAMES });
        this.context.api.free(this.film?.url);
        this.film = { blob: film.blob, url: film.url, command: film.command, images: film.images, of };
      } catch (error) { this.context.failed(error); }
      this.making = false;
      this.update();
    }
    if (this.film?.of !== of || of !== this.of()) return null; // it failed, or a slider has moved on
    this.shown(this.film);
    return this.film;
  }

  /** One more image of a slider that moves: how many came in the last second. */
  count() {
    const now = performance.now();
    this.times = [...this.times.filter((time) => now - time < SECOND), now];
    if (this.times.length > 4 && !this.making) this.words.textContent = `${this.times.length} images a second`;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.update(), 1500);
  }

  end() { clearTimeout(this.quiet); this.context.api.free(this.film?.url); }
}
