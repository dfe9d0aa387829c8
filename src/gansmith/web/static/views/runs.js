// Runs: every run of the folder, live; one opened: its curves, its sheets on one slider, stop and continue; two side by side.
import { nothingYet } from "../parts/chooser.js";
import { fill, h } from "../parts/dom.js";
import { card } from "../parts/run_card.js";
import { newestJob, workPanel } from "../parts/jobs.js";
import { openRun } from "../parts/run_open.js";

export default {
  sheets: ["runs.css"].map((name) => new URL(name, import.meta.url)),
  name: "runs", title: "Runs", key: "r", ofRun: false,
  async mount(root, context) {
    const job = await newestJob(context.signal);
    return context.run ? openRun(root, context, job) : list(root, context, job);
  },
};

function list(root, context, job) {
  const { about, runs } = context;
  const cards = new Map();
  const grid = h("ul", { class: "runs-grid", "aria-label": "Runs" });
  const pair = new Set();
  const both = h("button", { type: "button", disabled: true, onclick: () => { const [run, second] = pair; context.go("runs", { run, with: second }); } }, "Open two side by side");
  const picked = (run, on) => {
    if (on) pair.add(run.name); else pair.delete(run.name);
    both.disabled = pair.size !== 2;
    for (const [name, one] of cards) one.allowPick(pair.size < 2 || pair.has(name));
  };
  const add = (run) => {
    const one = card(run, { open: () => context.go("runs", { run: run.name }), pick: (on) => picked(run, on), context });
    cards.set(run.name, one);
    return one.element;
  };
  const words = h("p", {});
  const head = () => {
    const training = [...cards.values()].filter((c) => c.run.state === "training").length;
    words.textContent = `${cards.size} ${cards.size === 1 ? "run" : "runs"} in ${about.folder ? about.folder.replace(/\/*$/, "/") : "this folder"}${training ? `, ${training} in training` : ""}. Open one for its curves and every sheet it has written.`;
  };
  context.live(async (change) => {
    const one = cards.get(change.name);
    if (change.gone) { one?.element.remove(); cards.delete(change.name); head(); return; }
    if (one) one.update(change);
    else if (!cards.size) context.go("runs", {});
    else { try { grid.append(add(await context.api.get(context.api.at(change.name)))); } catch (error) { context.failed(error); } }
    head();
  }, () => [...cards.keys()]);
  if (!runs.length) { nothingYet(root, context); return; }
  fill(grid, runs.map(add));
  head();
  fill(root, h("div", { class: "head" }, h("h2", {}, "Runs"), h("div", { class: "row" }, both,
    !context.readOnly && h("a", { class: "button main", href: "#/begin" }, "Begin a new one")), words), workPanel(context, job), grid);
  context.command(about.folder ? `gansmith explore ${about.folder}` : null);
}
