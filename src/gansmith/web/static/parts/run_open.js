// One run, or two side by side on one images clock: sheets, curves, and each one's state.
import { curves } from "./curves.js";
import { copyable } from "./command.js";
import { fill, h } from "./dom.js";
import { empty } from "./empty.js";
import { icon } from "./icons.js";
import { workPanel } from "./jobs.js";
import { matches } from "./matches.js";
import { runState } from "./run_state.js";
import { sheetViewer } from "./sheets.js";
import { count, pathOf } from "./words.js";

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
  const facts = runs.map((one) => runState(one, context));
  fill(root, head(runs, context),
    h("div", { class: `runs-open ${second ? "two" : ""}` }, h("div", { class: "stack" }, viewer.element), h("div", { class: "stack" }, h("div", { class: "facts stack" }, facts.map((f) => f.element)), runs.length === 1 ? workPanel(context, job, run.name) : null, lines.element, board?.element, notices(loaded.map((l) => l[1])))));
  const over = () => ({ over: runs.every((one) => one.state === "ended") });
  lines.set(loaded.map((l) => l[1]), over());
  lines.cursor(viewer.images());
  context.command(commandOf(runs, context.about));
  context.keys({ ArrowLeft: ["sheet before", () => viewer.step(-1)], ArrowRight: ["next sheet", () => viewer.step(1)], p: ["play the sheets", viewer.toggle] });
  watch(runs, { context, loaded, viewer, lines, facts, load, board, over, gone: (name) => fill(root, empty("runs", `${name} is no longer there`,
    "Its folder was removed or renamed while this page showed it.", h("a", { class: "button", href: "#/runs" }, "All runs"))) });
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

function notices(records) {
  const said = records.flatMap((r) => r.notices || []).filter((n) => n.sentence).slice(-5);
  return said.length ? h("ul", { class: "runs-notices", "aria-label": "What the checks said" }, said.map((n) => h("li", { class: "notice warn small" }, `After ${count(n.images)} images: ${n.sentence}`, n.command && copyable(n.command)))) : null;
}

function watch(runs, { context, loaded, viewer, lines, facts, load, board, over, gone }) {
  let busy = false;
  const models = [];
  const sign = (one) => `${one.images} ${one.sheet}`;
  const signs = runs.map(sign); // of what is on show
  context.live((change) => {
    const i = runs.findIndex((one) => one.name === change.name);
    if (i < 0) return;
    if (change.gone) { busy = true; viewer.end(); context.command(null); gone(change.name); return; }
    const model = models[i];
    models[i] = change.model;
    facts[i].update(change);
    if (model !== undefined && model !== change.model) board?.changed();
    if (runs.length === 1) context.command(commandOf(runs, context.about));
    follow();
  }, () => runs.map((one) => one.name));
  async function follow() {
    const i = runs.findIndex((one, place) => signs[place] !== sign(one));
    if (busy || i < 0 || context.signal.aborted) return;
    signs[i] = sign(runs[i]);
    busy = true;
    try {
      loaded[i] = await load(runs[i]);
      viewer.setSheets(loaded.map((l) => l[0]));
      lines.set(loaded.map((l) => l[1]), over());
      lines.cursor(viewer.images());
    } catch (error) { context.failed(error); }
    setTimeout(() => { busy = false; follow(); }, 1500);
  }
}
