// Offer of a network that judges images better than pixels do: its weights are downloaded by a button, where this page may.
import { copyable } from "./command.js";
import { ask } from "./dialog.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { jobPanel, newestJob, startJob, watchJob } from "./jobs.js";

/** {element, command, start()}: nothing where weights are here; command: of the offer, null without one; arrived(): called once they are. */
export async function weightsOffer(context, arrived) {
  const { api, signal, readOnly } = context;
  const place = h("div", { class: "stack" });
  const one = { element: place, command: null, start: () => download() };
  const panel = jobPanel(context, { now: ({ share }) => ({ share: share ?? null }) });
  const said = h("p", { class: "notice bad", role: "status", hidden: true });
  const { offer } = await api.get("/api/features", { signal });
  if (!offer) return one;
  one.command = offer.command;
  const get = h("button", { type: "button", onclick: () => download() }, icon("download"), `Get it (${offer.megabytes} MB)`);
  const card = h("section", { class: "card stack truth-offer", "aria-label": "A network that judges" },
    h("p", {}, h("strong", {}, "No network here can judge yet whether images look real; you can, by the blind test. "), `One that knows images can be had: ${offer.name}, one file of ${offer.megabytes} MB. Without it an evaluation compares pixels.`),
    readOnly ? copyable(offer.command) : h("div", {}, get));
  fill(place, card, said, panel.element);

  async function download() {
    if (!(await ask(`Download ${offer.name}?`, `${offer.file}, ${offer.megabytes} MB, published by ${offer.source}. It is checked by its sha256 and kept where gansmith keeps weights; nothing else is installed.`, "Download"))) return;
    try { follow(await startJob({ what: "features" })); } catch (error) { context.failed(error); }
  }

  function follow(job) {
    get.disabled = true;
    said.hidden = true;
    watchJob(job, { signal, changed: panel.update, ended: ({ state, problem }) => {
      get.disabled = false;
      if (state === "stopped") context.say("The download was stopped; nothing of it is kept.");
      else if (state === "failed") { said.textContent = problem; said.hidden = false; }
      else { one.command = null; fill(place, h("p", { class: "notice good", role: "status" }, `${offer.name} is here: the next evaluation judges by it.`)); arrived(); }
    } }).catch(context.failed);
  }

  const job = await newestJob(signal);
  if (job?.what === "features" && job.state === "running") follow(job);
  return one;
}
