// Map: real, held-out and generated images in the plane, by who has a neighbour; a region drawn round points shows what is in it.
import { drawMap } from "../parts/map_chart.js";
import { fill, h } from "../parts/dom.js";
import { explained, what } from "../parts/glossary.js";
import { icon } from "../parts/icons.js";
import { circle, nearestBy, summary } from "../parts/plane.js";
import { tile } from "../parts/tile.js";
import { weightsOffer } from "../parts/weights_offer.js";
import { count, short } from "../parts/words.js";

const KINDS = { real: "training image", held_out: "held-out image", sample: "sample" };
const NEAR = 24; // points of the region that the keys + and - draw
const MOST_SHOWN = 60;
const NARROW = "(max-width: 900px)";

class Plane {
  constructor(root, context) {
    Object.assign(this, { root, context, method: context.state.method || "pca", most: Number(context.state.count) || 1000, active: 0, region: [], near: NEAR });
    this.build();
    this.load();
  }

  build() {
    const { about, keys } = this.context;
    const field = (words, options, value, does) => h("label", { class: "field" }, words, h("select", { onchange: (event) => does(event.target.value) },
      options.map(([v, text]) => h("option", { value: v, selected: String(v) === String(value) }, text))));
    const methods = [["pca", "PCA"], ...(about.can?.umap ? [["umap", "UMAP"]] : [])];
    this.facts = h("p", { class: "quiet", role: "status" }, "Reading the features …");
    this.plot = h("div", { class: "map-plot", role: "application", tabindex: "0", "aria-label": "Images in the plane. Arrow keys walk from point to point, Enter shows the region round it, plus and minus change its size.",
      onkeydown: (event) => this.key(event) });
    this.notes = h("ul", { class: "map-notes quiet small" });
    this.context.command(null, null, "The command that draws this map appears here.");
    this.card = h("aside", { class: "map-card card stack", "aria-live": "polite", "aria-label": "The point" });
    this.shown = h("section", { class: "map-region stack", "aria-label": "The region" });
    const choose = (words, test) => h("button", { type: "button", class: "small", onclick: () => { if (this.points) this.choose(this.points.flatMap((p, i) => (test(p) ? [i] : [])), words); } }, words);
    fill(this.root,
      h("div", { class: "map-head" }, h("div", { class: "row" },
        explained(field("Plane", methods, this.method, (value) => { this.method = value; this.load(); }), "plane"),
        field("Points", [[300, "300"], [1000, "1,000"], [2500, "2,500"], [5000, "5,000"]], this.most, (value) => { this.most = Number(value); this.load(); })), this.facts),
      h("div", { class: "row map-choices" }, h("span", { class: "quiet" }, "Draw round points with the mouse or a finger, or choose: ", what("point (of the map)", "hole (of the map)")),
        choose("Missed: real images without a sample near", (p) => p.kind !== "sample" && !p.neighbour),
        choose("Samples that are near no real image", (p) => p.kind === "sample" && !p.neighbour),
        h("button", { type: "button", class: "small plain", onclick: () => this.choose([], "") }, "Nothing")),
      h("div", { class: "map-body" }, h("div", { class: "map-holder" }, this.plot), h("div", { class: "map-side" }, this.card, this.shown)), this.notes);
    keys({ "+": ["a larger region round the point", () => this.grow(1.6)], "-": ["a smaller region", () => this.grow(1 / 1.6)], Enter: ["show the region round the point", () => this.around()],
      ArrowLeft: ["walk from point to point (in the plane)", () => {}] });
  }

  async load() {
    const { api, run, keep, signal, failed } = this.context;
    keep({ method: this.method === "pca" ? null : this.method, count: this.most === 1000 ? null : this.most });
    this.facts.textContent = "Reading the features; the first time takes a while …";
    this.plot.classList.add("waits");
    try {
      const answer = await api.get(api.at(run, "map", { method: this.method, count: this.most }), { signal });
      this.points = answer.points;
      this.context.command(answer.command);
      this.answer = answer;
      this.pixels = answer.features.startsWith("pixels@");
      if (this.pixels && !this.offer) this.offer = weightsOffer(this.context, () => this.load()).then(({ element }) => this.root.append(element), failed);
      this.plot.classList.remove("waits");
      const least = this.most - this.points.length;
      const near = least !== 0 && Math.abs(least) < 0.02 * this.most ? ` (about ${count(this.most)}: each kind in its share, rounded)` : "";
      const all = answer.total && answer.total > this.points.length ? ` of ${count(answer.total)}, thinned evenly` : "";
      fill(this.facts, `${count(this.points.length)} points${near}${all}. `, h("strong", { title: "share of samples that have a real neighbour" }, `precision ${short(answer.precision)}`), ": samples near a real image · ",
        h("strong", { title: "share of real images that have a sample as a neighbour" }, `recall ${short(answer.recall)}`), ": real images near a sample ", what("precision", "recall", "held out"));
      await drawMap(this.plot, this.points, { hover: (i) => this.show(i), region: (indices) => this.choose(indices, "the region", { drawn: true }) });
      this.show(0);
      this.choose([], "");
      this.root.dataset.ready = "";
      fill(this.notes, (answer.notes || []).map((note) => h("li", {}, `${note[0].toUpperCase()}${note.slice(1)}.`)));
    } catch (error) { failed(error); if (!signal.aborted) this.facts.textContent = error.message; }
  }

  words(point) {
    const near = point.kind === "sample" ? "a real image" : "a sample";
    return `${KINDS[point.kind]} ${point.id}: ${point.neighbour ? `has ${near} near` : `no ${near.slice(2)} near`}`;
  }

  show(index, { mark = true } = {}) {
    if (!this.points?.length) return;
    this.active = index;
    const point = this.points[index];
    const image = tile({ run: this.context.run, label: this.words(point) });
    image.show(point.image);
    fill(this.card, image, h("div", {}, h("h2", {}, point.kind === "sample" ? `seed ${point.id}` : KINDS[point.kind]),
      h("p", {}, h("span", { class: `chip ${point.neighbour ? "good" : "warn"}` }, point.neighbour ? "has a neighbour" : "no neighbour")),
      point.kind === "sample" ? h("div", { class: "row" }, h("button", { type: "button", class: "small", onclick: () => this.context.go("edit", { run: this.context.run.name, of: point.id }) }, icon("edit", 15), "Edit"),
        h("button", { type: "button", class: "small", onclick: () => this.context.go("mix", { run: this.context.run.name, a: point.id }) }, icon("mix", 15), "Mix")) : null));
    if (mark) this.plot.mark?.(index);
  }

  key(event) {
    if (!this.points || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = nearestBy(this.points, this.active, event.key);
    if (next === null) return;
    this.show(next);
    event.preventDefault();
    event.stopPropagation();
  }

  around() { if (this.points) this.choose(circle(this.points, this.active, this.near), `the ${this.near} points nearest to ${this.words(this.points[this.active])}`); }

  grow(by) { this.near = Math.max(3, Math.min(400, Math.round(this.near * by))); this.around(); }

  /** Region of points: how many of each kind, and their images, those without a neighbour first. */
  choose(indices, words, { drawn = false } = {}) {
    this.region = indices;
    this.plot.select?.(indices);
    if (!drawn) this.plot.unline?.();
    if (!indices.length) { fill(this.shown, h("p", { class: "quiet" }, drawn ? "No points in there." : "The images of the points that you choose appear here, those that the model misses first.")); return; }
    const { real, samples, missed } = summary(indices.map((i) => this.points[i]));
    const order = [...indices].sort((a, b) => Number(this.points[a].neighbour) - Number(this.points[b].neighbour)).slice(0, MOST_SHOWN);
    if (!indices.includes(this.active)) this.show(order[0]);
    fill(this.shown, h("h2", { role: "status" }, `${count(indices.length)} points: ${count(real)} real, ${count(samples)} samples`),
      h("p", { class: "quiet" }, `${words ? `${words[0].toUpperCase()}${words.slice(1)}. ` : ""}${real ? `${count(missed)} of ${count(real)} real images here have no sample near${this.pixels ? ", by pixels alone, which says little of what the model misses" : ": this is what the model misses"}.` : "No real images here."}`,
        indices.length > MOST_SHOWN ? ` The first ${MOST_SHOWN} are shown.` : ""),
      h("div", { class: "tiles map-tiles" }, order.map((i) => {
        const point = this.points[i];
        const one = tile({ run: this.context.run, tag: "button", label: this.words(point), onclick: () => this.show(i), badges: [{ text: { real: "real", held_out: "held out", sample: "sample" }[point.kind], kind: point.neighbour ? "" : "warn" }] });
        one.querySelector("img").loading = "lazy";
        return one.show(point.image);
      })));
    this.shown.scrollTop = 0;
    if (matchMedia(NARROW).matches) this.shown.scrollIntoView({ block: "start" }); // right below the map, which stays
  }

  unmount() { this.plot.end?.(); }
}

export default {
  sheets: ["map.css"].map((name) => new URL(name, import.meta.url)),
  name: "map", title: "Map", key: "p", ofRun: true,
  needs: (run) => (run.domains || run.generates === false ? "This run has no generator of seeds: the map compares samples with real images." : null),
  async mount(root, context) {
    const view = new Plane(root, context);
    return () => view.unmount();
  },
};
