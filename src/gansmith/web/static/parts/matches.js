// Two runs against each other: the newest generator of each against the other's discriminator, whenever a model is written.
import { api } from "../api.js";
import { chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { count } from "./words.js";

const REST = 20000; // milliseconds between two matches: the trainings have the machine

/** Section of the matches of these runs: {element, changed(), end()}; changed() is called when a model was written. */
export function matches(runs, context) {
  const path = `/api/compare/${encodeURIComponent(runs.map((run) => run.name).join(","))}`;
  const plot = chart({ label: "Share of right answers of the discriminators, over time", height: 220 });
  const words = h("p", { role: "status" }, "");
  const board = h("div", { class: "runs-board" });
  const box = h("input", { type: "checkbox", checked: !context.readOnly, disabled: context.readOnly });
  const play = h("button", { type: "button", hidden: context.readOnly, onclick: () => match(true) }, "Play now");
  const element = h("section", { class: "card stack", "aria-label": "Against each other" }, h("div", { class: "row ends" }, h("h3", {}, "Against each other's discriminators"),
    h("div", { class: "row" }, !context.readOnly && h("label", { class: "check small" }, box, "whenever a model is written"), play)),
  h("p", { class: "small quiet" }, "Each generator's images are shown to the discriminator that it was not trained with. The fewer are told apart from real ones (50 % is chance), the better."), words, board, plot);
  let last = 0;
  let busy = false;
  async function match(asked) {
    if (busy || (!asked && (!box.checked || performance.now() - last < REST))) return;
    busy = play.disabled = true;
    words.textContent = "Playing: samples of each are drawn and scored …";
    try { show(await api.post(path, {}, { signal: context.signal })); } catch (error) { words.textContent = ""; context.failed(error); }
    last = performance.now();
    busy = play.disabled = false;
  }
  function show(answer) {
    const all = answer.matches;
    const now = all.at(-1);
    context.command(answer.command);
    plot.hidden = all.length < 2;
    if (!now) { words.textContent = context.readOnly ? "No match was recorded yet." : "No match yet: Play now draws samples of both and lets the discriminators judge, in some seconds."; return; }
    const best = now.told_apart.indexOf(Math.min(...now.told_apart));
    const tie = Math.max(...now.told_apart) - Math.min(...now.told_apart) < 0.02;
    words.textContent = `${tie ? "Neither is ahead" : `${now.runs[best]} is ahead`}: ${now.runs.map((name, i) => `${name} is told apart in ${Math.round(100 * now.told_apart[i])} of 100 cases`).join(", ")} (after ${now.images.map(count).join(" and ")} images).`;
    fill(board, h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "discriminator of"), now.runs.map((name) => h("th", {}, `images of ${name}`)))),
      h("tbody", {}, now.runs.map((name, i) => h("tr", { class: "number" }, h("th", { scope: "row" }, name), now.accuracy[i].map((x, j) => h("td", {}, `${Math.round(100 * x)} %`, i === j ? h("span", { class: "quiet small" }, " its own") : "")))))));
    if (all.length > 1) plot.draw(now.runs.map((name, i) => ({ x: all.map((m) => new Date(1000 * m.when)), y: all.map((m) => 100 * m.told_apart[i]), name, mode: "lines+markers", hovertemplate: "%{y:.0f} %" })), { yaxis: { title: { text: "told apart, %" } } });
  }
  plot.hidden = true;
  api.get(path, { signal: context.signal }).then((answer) => { show(answer); }, context.failed);
  return { element, changed: () => match(false), end: () => plot.end() };
}
