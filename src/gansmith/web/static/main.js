// The page: `#/VIEW?run=NAME&...` holds the whole state; the router mounts the view it names, and gives it a context.
import { api, dropped } from "./api.js";
import { command, commandBar } from "./parts/command.js";
import { copy, fill, h, sheet } from "./parts/dom.js";
import { dropAnywhere } from "./parts/drop.js";
import { empty } from "./parts/empty.js";
import { icon } from "./parts/icons.js";
import { help, listen, ownKeys } from "./parts/keys.js";
import { chooseRun, fillChooser, nothingYet } from "./parts/chooser.js";
import { say } from "./parts/toast.js";
import { show } from "./parts/show.js";
import { all } from "./views/index.js";

const root = document.getElementById("view");
let views = [];
let about = {};
let current = null; // {view, run, leave(), update}
let turn = 0;
let waitingFile = null;
const lasts = new Map(); // view and run -> the state in which it was last seen, as long as the page is open

/** {view, state} of the address. */
function address() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { name: path || "runs", state: Object.fromEntries(new URLSearchParams(search)) };
}

const hash = (name, state) => `#/${name}${api.query(state)}`;

/** Goes to a view; the state before stays behind the back button. */
function go(name, state = {}) {
  const next = hash(name, state);
  if (next === location.hash) route(); else location.hash = next;
}

/** State of a view of a run, for the next time that it is opened. */
const seen = (view, state) => { if (view.ofRun && state.run) lasts.set(`${view.name} ${state.run}`, { ...state }); };

/** A view whose address says no more than its run is opened as it was left. */
function asLeft(view, state) {
  const last = view.ofRun && !waitingFile && lasts.get(`${view.name} ${state.run}`);
  if (!last || Object.keys(state).length > 1) return;
  Object.assign(state, last);
  history.replaceState(null, "", hash(view.name, state));
}

/** State written into the address without mounting anything again, and without a step for the back button. */
function keep(changes) {
  const { name, state } = address();
  for (const [key, value] of Object.entries(changes)) { if (value === null || value === "") delete state[key]; else state[key] = String(value); }
  history.replaceState(null, "", hash(name, state));
  if (current) Object.assign(current.state, state);
  if (current?.view.name === name) seen(current.view, state);
  nav();
}

function failed(error) {
  if (dropped(error)) return;
  console.warn(error);
  say(error.message || String(error), { kind: "error" });
}

async function route() {
  const mine = (turn += 1);
  const { name, state } = address();
  const view = views.find((v) => v.name === name) || views[0];
  asLeft(view, state);
  if (current?.view === view && current.run?.name === state.run && current.update && !waitingFile) { seen(view, state); current.update(state); nav(); return; }
  current?.leave();
  current = null;
  command(null);
  ownKeys({});
  root.setAttribute("aria-busy", "true");
  try {
    const one = () => (state.run && !state.run.includes(",") ? api.get(api.at(state.run)) : null);
    const styles = Promise.all((view.sheets || []).map(sheet));
    let [runs, run] = await Promise.all([api.get("/api/runs"), one()]);
    if (mine !== turn) return;
    if (view.ofRun && !state.run && runs.length === 1) { state.run = runs[0].name; history.replaceState(null, "", hash(name, state)); asLeft(view, state); run = await one(); }
    await styles;
    if (mine !== turn) return;
    await mount(view, { run, runs, state });
  } catch (error) {
    if (mine === turn && !dropped(error)) fill(root, empty("help", "This could not be opened", error.message, h("a", { class: "button", href: "#/runs" }, "All runs")));
  }
  if (mine === turn) root.removeAttribute("aria-busy");
  nav();
}

async function mount(view, { run, runs, state }) {
  const gone = new AbortController();
  const ends = [];
  const place = h("div", { class: "view", "data-view": view.name });
  const context = {
    api, run, runs, about, state, go, keep, say, command, failed, signal: gone.signal, keys: ownKeys, dropped: waitingFile,
    readOnly: Boolean(about.read_only),
    live: (listener, shown) => ends.push(api.live(listener, shown)),
  };
  waitingFile = null;
  let end = null;
  const here = { view, run, runs, state, leave: () => { gone.abort(); ends.forEach((f) => f()); (typeof end === "function" ? end : end?.unmount)?.(); } };
  current = here;
  nav();
  document.title = `${view.title}${run ? ` · ${run.name}` : ""} · gansmith`;
  fillChooser(document.getElementById("chooser"), runs, run, (name) => go(view.ofRun ? view.name : "runs", { run: name }));
  fill(root, h("h1", { class: "hidden" }, view.title), place);
  window.scrollTo(0, 0); // the address keeps what a view shows, not how far the one before was scrolled
  const why = view.ofRun && run && view.needs ? view.needs(run) : null;
  if (view.ofRun && !run) { if (runs.length) chooseRun(place, view, runs, go); else nothingYet(place, context); return; }
  if (why) { fill(place, empty(view.icon || view.name, `${view.title}: not for ${run.name}`, why, h("a", { class: "button", href: "#/runs" }, "All runs"))); return; }
  if (run && !run.digest && !run.domains) context.live((change) => modelCame(run, change));
  seen(view, state);
  const result = await view.mount(place, context);
  if (current !== here) { (typeof result === "function" ? result : result?.unmount)?.(); return; }
  end = result;
  here.update = result?.update;
  here.take = result?.take; // a view that takes a dropped photograph itself
}

/** A run that had no model when it was opened has one now: the views that need one are no longer greyed. */
async function modelCame(run, change) {
  if (change.name !== run.name || change.gone || !change.model || run.digest || current?.run !== run) return;
  try {
    const now = await api.get(api.at(run));
    if (now.digest && current?.run === run) { Object.assign(run, now); nav(); }
  } catch { /* the next change asks again */ }
}

/** Bar of views: links that keep the run. */
function nav() {
  const { name, state } = address();
  const place = document.getElementById("nav");
  const run = current?.run;
  const among = run ? [run] : current?.runs || [];
  const links = views.map((view) => {
    const whys = view.ofRun && view.needs ? among.map(view.needs) : [];
    const why = whys.length && whys.every(Boolean) ? whys[0] : null; // no run that is here, or the one that is open, fits it
    return h("a", { href: hash(view.name, run && view.name !== "begin" ? { run: run.name } : {}), "aria-current": (current?.view.name || name) === view.name ? "page" : null,
      "data-needs": why ? "" : null, title: why || `${view.title} (g ${view.key})` }, icon(view.icon || view.name), view.title);
  });
  const focus = [...place.children].indexOf(document.activeElement);
  fill(place, links);
  if (focus >= 0) links[focus]?.focus();
  place.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Buttons of the bar, keys, and drops anywhere. */
function frame() {
  const button = (id, does) => { const element = document.getElementById(id); fill(element, icon(id)); element.addEventListener("click", does); };
  button("theme", () => say(`${window.switchTheme() === "dark" ? "Dark" : "Light"} colours, remembered here.`, { seconds: 2 }));
  button("help", help);
  button("link", async () => say((await copy(location.href)) ? "Link copied: it restores this state (it holds no token)." : location.href));
  document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); root.focus(); });
  commandBar(document.getElementById("command"));
  listen(views, (name) => go(name, current?.run && name !== "begin" ? { run: current.run.name } : {}));
  dropAnywhere((file, name) => show(file, { name, go, current, photograph: (f, state) => { waitingFile = f; go("edit", state); } }).catch(failed));
}

/** One run is open, and nothing was asked for: its images, or, of a run of one's own, what it wrote. */
async function openOnly() {
  const [run] = await api.get("/api/runs").catch(() => []);
  if (run) history.replaceState(null, "", hash(about.zoo && run.generates !== false ? "make" : "runs", { run: run.name }));
}

async function start() {
  [views, about] = await Promise.all([all(), api.get("/api/about").catch(() => ({}))]);
  frame();
  if (about.single && !location.hash) await openOnly();
  addEventListener("hashchange", route);
  addEventListener("unhandledrejection", (event) => { if (!dropped(event.reason)) failed(event.reason); });
  await route();
  for (const view of views) (view.sheets || []).forEach(sheet); // at hand when another view is opened
}

start().catch(failed);
