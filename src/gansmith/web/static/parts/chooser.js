// Which run: the selector in the bar, the page of tiles where a view needs a run, and what to do where there is none.
import { api } from "../api.js";
import { copyable } from "./command.js";
import { fill, h } from "./dom.js";
import { empty } from "./empty.js";
import { tile } from "./tile.js";
import { count, openWith, shell } from "./words.js";

/** Selector of runs in the bar. */
export function fillChooser(select, runs, run, choose) {
  select.hidden = !runs.length;
  fill(select, !run && h("option", { value: "" }, "choose a run"), runs.map((r) => h("option", { value: r.name }, r.name)));
  select.value = run?.name || "";
  select.onchange = () => { if (select.value) choose(select.value); };
}

/** Address of a run's newest sheet, or null. */
export const sheetOf = (run) => (run.sheet ? (typeof run.sheet === "string" && run.sheet.startsWith("/") ? run.sheet : api.at(run, `sheets/${run.sheet.images ?? run.sheet}`)) : null);

/** Page that asks which run a view is for. */
export function chooseRun(place, view, runs, go) {
  const fits = runs.filter((run) => !view.needs?.(run));
  fill(place, h("div", { class: "head" }, h("h2", {}, `${view.title}: which run?`), !fits.length && h("p", {}, view.needs?.(runs[0]))),
    h("div", { class: "cards" }, runs.map((run) => h("button", { type: "button", class: "card choose", disabled: !fits.includes(run), onclick: () => go(view.name, { run: run.name }) },
      thumbnail(run), h("strong", {}, run.name), h("span", { class: "quiet small number" }, `${count(run.images)} images`)))));
}

/** Small view of a run's newest sheet; without one, of a sample. */
export function thumbnail(run) {
  const url = sheetOf(run) || (run.images && run.generates !== false ? api.at(run, "image", { seed: 0 }) : null);
  const box = tile({ label: `newest samples of ${run.name}`, role: "img", class: "tile thumbnail loading" });
  if (url) box.show(url); else box.fail("no sheet yet");
  return box;
}

/** No runs in the folder: what to do, by what is allowed and offered. */
export function nothingYet(place, { about }) {
  const folder = about.folder || "runs";
  const readOnly = about.read_only;
  fill(place, empty("runs", "No runs here yet", [`The folder ${folder} holds no trained generator.`,
    readOnly ? "This page was opened read-only, so nothing can be started from it." : about.offered ? "A folder of images was offered: begin with it." : "A run is what a training leaves behind. Train one in a terminal (half a minute, digits), and it appears here by itself:"],
  about.offered && !readOnly ? h("a", { class: "button main", href: "#/begin" }, "Begin") : copyable(`gansmith train digits --out ${shell(`${folder}/digits`)}`),
  !about.offered && !readOnly && h("p", {}, "Or offer a folder of your own images to this page:"),
  !about.offered && !readOnly && copyable(openWith({ about }, "photos/"))));
}
