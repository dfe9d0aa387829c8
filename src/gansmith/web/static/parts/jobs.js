// Work that the server does for the page, one thing at a time: started, watched, found again after a reload.
import { api } from "../api.js";
import { fill, h } from "./dom.js";
import { duration } from "./words.js";

/** The newest job where it is this kind of work on this run, or null. */
export async function jobOf(run, what, signal) {
  const jobs = await api.get("/api/jobs", { signal });
  return jobs.filter((job) => job.run === run && job.what === what).at(-1) || null;
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

/** Panel of a job: what it does, how long it has worked, the last lines that it said. */
export function jobPanel() {
  const title = h("strong", { role: "status" });
  const log = h("pre", { class: "job-log", tabindex: "0", "aria-label": "What it says" });
  const bar = h("progress", { "aria-label": "working" });
  const element = h("section", { class: "card stack", hidden: true, "aria-label": "Work" }, title, bar, log);
  return { element, update(job) {
    element.hidden = false;
    const state = job.state === "running" ? `running for ${duration(job.seconds || 0)}` : job.state === "failed" ? "ended with an error" : "done";
    title.textContent = `${job.what} ${job.run}: ${state}`;
    bar.hidden = job.state !== "running";
    fill(log, job.log || "");
    log.hidden = !job.log;
    log.scrollTop = log.scrollHeight;
  } };
}
