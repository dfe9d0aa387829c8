// Work that the server does for the page, one thing at a time: started, watched, stopped, found again after a reload.
import { api } from "../api.js";
import { ask } from "./dialog.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { duration, elapsed } from "./words.js";

const WORK = { train: "Training", resume: "Training", evaluate: "Evaluating", encoder: "Training the encoder of", features: "Downloading the weights of" };
const SAVED = "It ends after this step with everything saved; Continue takes it up again exactly there.";
const LOST = {
  train: SAVED, resume: SAVED,
  evaluate: "What it has worked out so far is dropped. A report that was there before stays.",
  encoder: "What the encoder has learned so far is dropped. The run itself is not touched.",
  features: "What has come so far is dropped; it can be downloaded again at any time.",
};
const ENDS = { ended: "done", stopped: "stopped", failed: "ended with an error" };

/** The newest job of the page, or null; it may have ended. */
export const newestJob = async (signal) => (await api.get("/api/jobs", { signal })).at(-1) || null;

/** The newest job where it is this kind of work on this run, or null. */
export async function jobOf(run, what, signal) {
  const job = await newestJob(signal);
  return job && job.run === run && job.what === what ? job : null;
}

/** Job started; rejects with the reason where something else runs. */
export const startJob = (asked) => api.post("/api/jobs", asked);

/** Watches a job until it ends (or `signal` aborts): changed(job) at each look, then ended(job, failed). */
export async function watchJob(job, { signal, changed = () => {}, ended = () => {} }) {
  let now = job;
  for (;;) {
    changed(now);
    if (now.state !== "running") { ended(now, now.state === "failed"); return; }
    await new Promise((done) => setTimeout(done, 1500));
    if (signal.aborted) return;
    const jobs = await api.get("/api/jobs", { signal });
    now = jobs.find((one) => one.id === job.id) || { ...now, state: "ended" };
  }
}

/** Button that stops a job, after a question; update(job) hides it once that has ended. */
function stopButton(context, changed) {
  let job = null;
  let stopping = null; // id of the job that was asked to stop
  const button = h("button", { type: "button", hidden: true, onclick: async () => {
    const { id, what, run } = job;
    if (!(await ask(`Stop ${WORK[what].toLowerCase()} ${run}?`, LOST[what], "Stop it", { danger: true }))) return;
    button.disabled = true;
    try {
      await api.post(`/api/jobs/${id}/stop`, { confirm: true });
      stopping = id;
      changed(job);
      context.say("Asked to stop: it ends within seconds.");
    } catch (error) { context.failed(error); button.disabled = false; }
  } }, icon("stop"), "Stop");
  return { element: button, update(now) {
    if (now.id !== job?.id) button.disabled = false;
    job = now;
    button.hidden = now.state !== "running" || context.readOnly;
    const asked = stopping === now.id || now.stopping;
    button.disabled ||= Boolean(asked);
    fill(button, icon("stop"), asked ? "Stopping …" : "Stop");
    return asked;
  } };
}

/** Panel of a job: what it does, how long it has worked, Stop, and what it said, folded but for an error, and for the last line with `lastLine`.
 * now(job): {step, words, share, line} of one that runs: words in the place of what it does, or of the whole line; how much is done (null: not known); the last line. */
export function jobPanel(context, { lastLine = true, now = () => ({}) } = {}) {
  const title = h("strong", { role: "status" });
  const last = h("p", { class: "small quiet job-last" });
  const log = h("pre", { class: "job-log", tabindex: "0", "aria-label": "What it says" });
  const folded = h("details", { hidden: true }, h("summary", {}, "All that it says"), log);
  const bar = h("progress", { max: 1, "aria-label": "working" });
  const stop = stopButton(context, (job) => update(job));
  const element = h("section", { class: "card stack job", hidden: true, "aria-label": "Work" }, h("div", { class: "row ends" }, title, stop.element), bar, last, folded);
  function update(job) {
    element.hidden = false;
    const runs = job.state === "running";
    const { step = null, words = null, share = null, line = null } = runs ? now(job) : {};
    const asked = stop.update(job);
    const what = `${WORK[job.what] || job.what} ${job.run}`;
    title.textContent = !runs ? `${what}: ${ENDS[job.state]}` : asked ? `Stopping ${job.run} …` : words || (step ? `${step}: ${elapsed(job.seconds)}` : `${what}: for ${elapsed(job.seconds)}`);
    bar.hidden = !runs;
    if (share === null) bar.removeAttribute("value"); else bar.value = Math.max(0, Math.min(1, share));
    last.textContent = line ?? (lastLine || !runs ? (job.log || "").trim().split("\n").at(-1) : "");
    last.hidden = !last.textContent;
    const bottom = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    fill(log, job.log || "");
    if (bottom) log.scrollTop = log.scrollHeight;
    folded.hidden = !job.log;
    if (job.state === "failed") folded.open = true;
  }
  return { element, update };
}

/** What an evaluation says of itself: the same share in the bar and in the words, the time left once it is known. */
export function evaluation({ run, share, left, step, seconds }) {
  const known = share === null || share === undefined ? "" : `: ${Math.round(100 * share)} %`;
  const rest = left === null || left === undefined ? "" : `, about ${duration(Math.max(1, left))} left`;
  return { words: `Evaluating ${run}${known} after ${elapsed(seconds)}${rest}`, share: share ?? null, line: step ? `${step[0].toUpperCase()}${step.slice(1)}` : "Starting: what computes images is loaded" };
}

/** Panel of a job that runs, on any run, or on `run` alone (whose training has a Stop of its own); null for none. */
export function workPanel(context, job, run = null) {
  if (job?.state !== "running" || (run && (job.run !== run || ["train", "resume"].includes(job.what)))) return null;
  const panel = jobPanel(context, job.what === "evaluate" ? { now: evaluation } : {});
  watchJob(job, { signal: context.signal, changed: panel.update }).catch(context.failed);
  return panel.element;
}
