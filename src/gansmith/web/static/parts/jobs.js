// Work that the server does for the page, one thing at a time: started, watched, found again after a reload.
import { api } from "../api.js";
import { fill, h } from "./dom.js";
import { duration } from "./words.js";

/** The newest job where it is this kind of work on this run, or null. */
export async function jobOf(run, what, signal) {
  const { job } = await api.get("/api/jobs", { signal });
  return job && job.run === run && job.what === what ? job : null;
}

/** Job started; rejects with the reason where something else runs. */
export const startJob = async (asked) => (await api.post("/api/jobs", asked)).job;

/** Watches a job until it ends (or `signal` aborts): changed(job) at each look, then ended(job, failed). */
export async function watchJob(job, { signal, changed = () => {}, ended = () => {} }) {
  let now = job;
  for (;;) {
    changed(now);
    if (!now.running) { ended(now, Boolean(now.ended)); return; }
    await new Promise((done) => setTimeout(done, 1500));
    if (signal.aborted) return;
    const next = (await api.get("/api/jobs", { signal })).job;
    now = next && next.begun === job.begun ? next : { ...now, running: false };
  }
}

/** Panel of a job: what it does, how long it has worked, the last lines that it said. */
export function jobPanel() {
  const title = h("strong", { role: "status" });
  const log = h("pre", { class: "job-log", tabindex: "0", "aria-label": "What it says" });
  const bar = h("progress", { "aria-label": "working" });
  const element = h("section", { class: "card stack", hidden: true, "aria-label": "Work" }, title, bar, log);
  return { element, update(job) {
    element.hidden = false;
    const state = job.running ? `running for ${duration(Date.now() / 1000 - job.begun)}` : job.ended ? "ended with an error" : "done";
    title.textContent = `${job.what} ${job.run}: ${state}`;
    bar.hidden = !job.running;
    fill(log, (job.lines || []).join("\n"));
    log.hidden = !job.lines?.length;
    log.scrollTop = log.scrollHeight;
  } };
}
