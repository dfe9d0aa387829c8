// A training that was just started: what happens now in plain words, its newest sheet, Stop, and the raw log, folded.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { jobPanel, watchJob } from "./jobs.js";
import { count, remaining, short } from "./words.js";

const STEPS = [
  ["start", "Starting", "The programs for networks are loaded: some seconds."],
  ["read", "Reading your images", "Each is opened once, brought to one size, and kept so for the training."],
  ["first", "First steps", "The networks see their first images, and the speed of this machine is measured. The first sheets of samples come now: noise at the very first, coarse blobs soon after."],
  ["train", "Training", "Sheet after sheet is written and appears here. Shapes come in the first minutes, details later."],
];

/** Place in STEPS of a job, by what it says and by what its run has written. */
export function stepOf(job, change) {
  const log = job.log || "";
  if (/^training: /m.test(log)) return 3;
  if ((change && change.sheet !== null && change.sheet !== undefined) || /^(measuring|samples so far|what to expect)/m.test(log)) return 2;
  return log.trim() ? 1 : 0;
}

/** Puts the training into `root`; the page finds it again by the state `job`. */
export function trainingLive(root, job, context) {
  const panel = jobPanel(context, { lastLine: false, now: () => ({ step: STEPS[stepOf(now, change)][1], share: change?.total ? change.images / change.total : null }) });
  const image = h("img", { class: "pixels", alt: "", hidden: true });
  const waiting = h("p", { class: "begin-waiting quiet" }, "The first sheet of samples appears here, once your images are read and the networks are built.");
  const words = h("figcaption", { role: "status" }, "");
  const steps = h("ol", { class: "begin-steps", "aria-label": "What happens now" });
  const open = h("a", { class: "button main", href: `#/runs${context.api.query({ run: job.run })}` }, icon("runs"), "Open the run: curves and every sheet");
  let now = job;
  let change = null;
  let sheetNow = null;

  function update() {
    const at = stepOf(now, change);
    const over = now.state !== "running";
    fill(steps, STEPS.map(([key, title, text], i) => h("li", { "data-step": key, class: i < at || now.state === "ended" ? "past" : i === at && !over ? "now" : "", "aria-current": i === at && !over ? "step" : null },
      h("strong", {}, title), i === at && !over ? h("span", { class: "quiet" }, text) : null)));
    if (change) words.textContent = `${count(change.images)} images drawn${change.rate ? `, ${short(change.rate)} a second` : ""}${change.left && !over ? `; ${remaining(change, " left")}` : ""}.`;
    if (over && !sheetNow) waiting.textContent = "No sheet was written.";
  }

  context.live((changed) => {
    if (changed.name !== job.run) return;
    change = { ...change, ...changed };
    if (now.state === "running") panel.update(now);
    if (change.sheet !== null && change.sheet !== undefined && change.sheet !== sheetNow) {
      sheetNow = change.sheet;
      image.src = context.api.at(job.run, `sheets/${change.sheet}`);
      image.alt = `samples after ${count(change.sheet)} images`;
      image.hidden = false;
      waiting.hidden = true;
    }
    update();
  });
  fill(root, h("div", { class: "head" }, h("h2", {}, `Training ${job.run}`), h("p", {}, "It goes on when this page is closed; Runs finds it again.")), h("section", { class: "begin-live", "aria-label": "Training" },
    h("figure", {}, h("div", { class: "frame" }, waiting, image), words), h("div", { class: "stack" }, h("section", { class: "card stack", "aria-label": "Steps" }, h("h3", {}, "What happens now"), steps), h("div", { class: "row" }, open), panel.element)));
  context.command(job.command);
  update();
  watchJob(job, { signal: context.signal, changed: (one) => { now = one; panel.update(one); update(); }, ended: (_, failed) => {
    if (failed) context.say("The training ended with an error: its last lines say why.", { kind: "error" });
  } }).catch(context.failed);
}
