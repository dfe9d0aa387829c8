// One run, or two side by side on one images clock: sheets, curves, facts, stop and continue.
import { curves } from "./curves.js";
import { copyable } from "./command.js";
import { ask } from "./dialog.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { startJob, workPanel } from "./jobs.js";
import { stateChip } from "./run_card.js";
import { matches } from "./matches.js";
import { sheetViewer } from "./sheets.js";
import { count, duration, pathOf, short, sides as sidesOf } from "./words.js";

/** View of context.run, and of the run `with` beside it; job: the newest of the page. */
export async function openRun(root, context, job) {
  const { api, run, state, signal } = context;
  const second = state.with && state.with !== run.name ? await api.get(api.at(state.with), { signal }) : null;
  const runs = second ? [run, second] : [run];
  const load = (one) => Promise.all([api.get(api.at(one, "sheets"), { signal }), api.get(api.at(one, "records", { most: Math.floor(2000 / runs.length) }), { signal })]);
  const loaded = await Promise.all(runs.map(load));
  const lines = curves(runs.map((r) => r.name), { group: state.curves || "Losses", chosen: (name) => context.keep({ curves: name }), clicked: (images) => viewer.nearest(images) });
  let first = true;
  const viewer = sheetViewer(runs.map((one, i) => ({ run: one, sheets: loaded[i][0] })), { start: state.at ? Number(state.at) : null, moved: (images, newest) => { if (first) first = false; else context.keep({ at: newest ? null : images }); lines.cursor(images); } });
  const board = second && runs.every((one) => one.generates !== false) ? matches(runs, context) : null;
  const facts = runs.map((one) => runFacts(one, context));
  fill(root, head(runs, context),
    h("div", { class: `runs-open ${second ? "two" : ""}` }, h("div", { class: "stack" }, viewer.element), h("div", { class: "stack" }, h("div", { class: "facts stack" }, facts.map((f) => f.element)), runs.length === 1 ? workPanel(context, job, run.name) : null, lines.element, board?.element, notices(loaded.map((l) => l[1])))));
  lines.set(loaded.map((l) => l[1]));
  lines.cursor(viewer.images());
  context.command(commandOf(runs, context.about));
  context.keys({ ArrowLeft: ["sheet before", () => viewer.step(-1)], ArrowRight: ["next sheet", () => viewer.step(1)], p: ["play the sheets", viewer.toggle] });
  watch(runs, { context, loaded, viewer, lines, facts, load, board });
  return () => { viewer.end(); lines.end(); board?.end(); };
}

function commandOf(runs, about) {
  const path = (run) => pathOf({ about }, run);
  if (runs.length > 1) return `gansmith compare ${runs.map(path).join(" ")}`;
  const [run] = runs;
  if (run.state === "training") return `gansmith stop ${path(run)}`;
  return run.state === "stopped" ? `gansmith resume ${path(run)}` : `gansmith sample ${path(run)}`;
}

function head(runs, context) {
  const [run] = runs;
  const others = context.runs.filter((one) => one.name !== run.name);
  const select = h("select", { "aria-label": "Second run, side by side", onchange: () => context.go("runs", { run: run.name, with: select.value }) },
    h("option", { value: "" }, "beside it: none"), others.map((one) => h("option", { value: one.name }, `beside it: ${one.name}`)));
  select.value = runs[1]?.name || "";
  const views = ["make", "mix", "edit"].filter(() => runs.length === 1 && run.generates !== false);
  return h("div", { class: "head" }, h("h2", {}, h("a", { href: "#/runs" }, "Runs"), " / ", runs.map((r) => r.name).join(" and ")),
    h("div", { class: "row" }, views.map((name) => h("a", { class: "button", href: `#/${name}${context.api.query({ run: run.name })}` }, icon(name), name[0].toUpperCase() + name.slice(1))),
      run.domains && h("a", { class: "button", href: `#/translate${context.api.query({ run: run.name })}` }, icon("translate"), "Translate"),
      h("a", { class: "button", href: `#/truth${context.api.query({ run: run.name })}` }, icon("truth"), "Truth"), others.length ? select : null));
}

function runFacts(run, context) {
  const list = h("dl", { class: "runs-facts" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Share of the training done" });
  const chip = h("span", { role: "status" });
  const button = h("button", { type: "button" });
  const element = h("section", { class: "card stack", "aria-label": `State of ${run.name}` }, h("div", { class: "row ends" }, h("div", { class: "row" }, h("h3", {}, run.name), chip), button), list, bar);
  button.addEventListener("click", () => act(run, context, button, update));
  const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  function update(change) {
    Object.assign(run, change);
    const training = run.state === "training";
    if (!training) delete run.stopping;
    fill(chip, stateChip(run));
    const [height, width] = run.size ? sidesOf(run) : [null, null];
    const health = change.record?.health || run.health || run.record?.health;
    fill(list, fact("images drawn", [count(run.images), run.total ? h("small", { class: "quiet" }, ` of ${count(run.total)}`) : ""]), fact(training ? "rate" : "rate at the end", run.rate ? `${short(run.rate)}/s` : "–"),
      fact("time left", training ? duration(run.left) : "–"), fact("health", health || "–"), height && fact("size", `${width} × ${height}`), fact("recipe", run.recipe || "–"));
    bar.hidden = !run.total;
    bar.value = run.total ? Math.min(1, run.images / run.total) : 0;
    button.hidden = context.readOnly || run.state === "ended";
    button.disabled = Boolean(run.stopping);
    fill(button, icon(training ? "stop" : "play"), run.stopping ? "Stopping …" : training ? "Stop" : "Continue");
  }
  update({});
  return { element, update };
}

async function act(run, context, button, update) {
  const { api } = context;
  const stops = run.state === "training";
  const sure = stops
    ? await ask(`Stop ${run.name}?`, "It ends after this step with everything saved; Continue takes it up again exactly there.", "Stop it", { danger: true })
    : await ask(`Continue ${run.name}?`, `It trains on this machine from ${count(run.images)} images on, exactly as if it had never stopped. It goes on when this page is closed.`, "Continue it");
  if (!sure) return;
  button.disabled = true;
  try {
    if (stops) { await api.post(api.at(run, "stop"), { confirm: true }); update({ stopping: true }); } else await startJob({ what: "resume", run: run.name });
    context.say(stops ? `Asked ${run.name} to stop: it ends within a step.` : `${run.name} goes on: the first new record comes in some seconds.`);
  } catch (error) { context.failed(error); }
  button.disabled = Boolean(run.stopping);
}

function notices(records) {
  const said = records.flatMap((r) => r.notices || []).filter((n) => n.sentence).slice(-5);
  return said.length ? h("ul", { class: "runs-notices", "aria-label": "What the checks said" }, said.map((n) => h("li", { class: "notice warn small" }, `After ${count(n.images)} images: ${n.sentence}`, n.command && copyable(n.command)))) : null;
}

function watch(runs, { context, loaded, viewer, lines, facts, load, board }) {
  let busy = false;
  const models = [];
  const signs = runs.map((one) => `${one.images} ${one.sheet}`);
  context.live(async (change) => {
    const i = runs.findIndex((one) => one.name === change.name);
    if (i < 0 || change.gone) return;
    const model = models[i];
    models[i] = change.model;
    facts[i].update(change);
    if (model !== undefined && model !== change.model) board?.changed();
    if (runs.length === 1) context.command(commandOf(runs, context.about));
    const sign = `${change.images} ${change.sheet}`;
    if (busy || signs[i] === sign) return;
    signs[i] = sign;
    busy = true;
    try {
      loaded[i] = await load(runs[i]);
      viewer.setSheets(loaded.map((l) => l[0]));
      lines.set(loaded.map((l) => l[1]));
      lines.cursor(viewer.images());
    } catch (error) { context.failed(error); }
    setTimeout(() => { busy = false; }, 1500);
  });
}
