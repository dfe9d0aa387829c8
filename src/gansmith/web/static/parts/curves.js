// Curves of one or two runs on the images clock, a group at a time, with a cursor at the record nearest to the sheet on show.
import { chart, colours, DASHES } from "./chart.js";
import { fill, h, unique } from "./dom.js";
import { what } from "./glossary.js";
import { lastUpTo } from "./sheets.js";
import { count, short } from "./words.js";
const GROUPS = [
  ["Losses", (name) => /loss$/.test(name)],
  ["Told apart", (name) => /accuracy|held_real|told_apart/.test(name)],
  ["Variety", (name) => /spread|recall|diversity/.test(name)],
  ["Metrics", (name) => /kid|fid|precision|density|coverage|ruler|distance/.test(name)],
  ["Scores", (name) => /score/.test(name)],
  ["Rate", (name) => /images_per_second|waiting|memory/.test(name)],
  ["Other", () => true],
];
/** Words of the glossary that say what the curves of a group are. */
const MEANS = { Losses: ["losses"], "Told apart": ["told apart"], Variety: ["variety"], Metrics: ["KID, FID", "precision", "recall"], Scores: ["scores"], Rate: ["rate and waiting"] };
const SKIP = new Set(["step", "images", "seconds", "health"]);
/** Group of a column by its name. */
export const groupOf = (name) => GROUPS.find(([, fits]) => fits(name))[0];
const plain = (name) => name.replaceAll("_", " ").replaceAll("/", " · ");
/** Curves: {element, set(list of records answers, one a run), cursor(images), end()}; chosen(group) tells the tab. */
export function curves(names, { group = "Losses", chosen = () => {}, clicked = () => {} } = {}) {
  const tabs = h("fieldset", { class: "runs-tabs" });
  const plot = chart({ label: "Curves over the images clock", height: 300 });
  const at = h("p", { class: "small number", role: "status" });
  const means = h("span", { class: "runs-means" });
  const element = h("section", { class: "stack", "aria-label": "Curves" }, h("div", { class: "runs-curves" }, tabs, means), plot, at);
  const radio = unique("curves");
  let all = [];
  let ended = false;
  let now = group;
  let clock = null;
  let place = null;
  function columns() {
    return all.flatMap((records, run) => Object.entries(records.columns || {}).filter(([name, values]) => !SKIP.has(name) && values.some((v) => typeof v === "number"))
      .map(([name, values]) => ({ run, name, values, images: records.images })));
  }
  function draw() {
    const list = columns();
    const groups = GROUPS.map(([name]) => name).filter((name) => list.some((c) => groupOf(c.name) === name));
    if (!groups.includes(now) && groups.length) [now] = groups;
    if (tabs.children.length !== groups.length + 1) {
      fill(tabs, h("legend", { class: "hidden" }, "Which curves"), groups.map((name) => h("label", {}, h("input", { type: "radio", name: radio, value: name, checked: name === now,
        onchange: () => { now = name; chosen(name); draw(); if (place !== null) cursor(place); } }), h("span", {}, name))));
    }
    const explained = groups.length ? now : "";
    if (means.dataset.of !== explained) { means.dataset.of = explained; fill(means, MEANS[explained] ? what(...MEANS[explained]) : null); }
    const mine = list.filter((c) => groupOf(c.name) === now);
    element.classList.toggle("runs-none", ended && !mine.length);
    if (ended && !mine.length) { words(mine); return; }
    const order = [...new Set(mine.map((c) => c.name))];
    plot.draw(mine.map((c) => {
      const kept = c.images.map((x, i) => [x, c.values[i]]).filter(([, y]) => typeof y === "number");
      const which = all.length > 1 ? c.run : order.indexOf(c.name);
      const dash = all.length > 1 ? order.indexOf(c.name) : which;
      return { x: kept.map((p) => p[0]), y: kept.map((p) => p[1]), name: all.length > 1 ? `${plain(c.name)} (${names[c.run]})` : plain(c.name),
        mode: kept.length < 3 ? "markers" : "lines", line: { color: colours()[which % 6], width: 2, dash: DASHES[dash % 6] }, hovertemplate: "%{y:.4g}" };
    }), { hovermode: "x unified", xaxis: { title: { text: "images" }, rangemode: "tozero", hoverformat: ",d" }, shapes: shapes() });
    words(mine);
  }
  function shapes() {
    return clock === null ? [] : [{ type: "line", x0: clock, x1: clock, yref: "paper", y0: 0, y1: 1, line: { color: colours()[0], width: 1.5, dash: "dot" } }];
  }
  function words(mine) {
    const shown = all.map((r) => (r.count > r.shown ? `${count(r.shown)} of ${count(r.count)} records are drawn, evenly.` : "")).filter(Boolean)[0] || "";
    plot.words(mine.length ? shown : ended ? "No curves: the numbers of its training are not kept here, the model alone is." : "No numbers yet: the first record comes with the first seconds of the training.");
    const rows = mine.map((c) => { const v = c.values.filter((x) => typeof x === "number"); return [plain(c.name) + (all.length > 1 ? ` (${names[c.run]})` : ""), short(v[0]), short(v.reduce((a, b) => Math.min(a, b))), short(v.reduce((a, b) => Math.max(a, b))), short(v.at(-1))]; });
    plot.table(mine.length ? { head: ["", "first", "lowest", "highest", "last"], rows } : null);
  }
  function cursor(images) {
    place = images;
    let nearest = null;
    const parts = all.map((records, run) => {
      if (!records.images?.length) return null;
      const inGroup = Object.entries(records.columns).filter(([name]) => groupOf(name) === now);
      const places = records.images.map((_, i) => i).filter((i) => inGroup.some(([, v]) => typeof v[i] === "number"));
      if (!places.length) return null;
      const clocks = places.map((i) => records.images[i]);
      const i = lastUpTo(clocks, images);
      const nearer = i + 1 < clocks.length && clocks[i + 1] - images < images - clocks[i] ? i + 1 : i;
      const near = places[nearer];
      const mark = records.images[near];
      if (Math.abs(mark - images) < Math.abs((nearest ?? Infinity) - images)) nearest = mark;
      const some = inGroup.filter(([, v]) => typeof v[near] === "number").slice(0, 4).map(([name, v]) => `${plain(name)} ${short(v[near])}`);
      return `${all.length > 1 ? `${names[run]}: ` : ""}record at ${count(mark)} images${some.length ? `: ${some.join(", ")}` : ""}`;
    }).filter(Boolean);
    clock = nearest;
    at.textContent = parts.join(" · ");
    plot.shapes(shapes());
  }
  return { element, cursor, end: () => plot.end(), set(list, { over = false } = {}) {
    all = list;
    ended = over;
    draw();
    if (plot.plot.dataset.listens !== "yes") {
      plot.plot.dataset.listens = "yes";
      setTimeout(() => plot.plot.on?.("plotly_click", (event) => clicked(event.points[0].x)), 1500);
    }
  } };
}
