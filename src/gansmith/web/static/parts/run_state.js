// State of a run, live: images drawn, rate, time left, health; Stop and Continue, which ask first. A number that is not steady
// yet is being measured, and says so.
import { ask } from "./dialog.js";
import { fill, h } from "./dom.js";
import { what } from "./glossary.js";
import { icon } from "./icons.js";
import { startJob } from "./jobs.js";
import { stateChip } from "./run_card.js";
import { count, remaining, short, sides } from "./words.js";

/** {element, update(change)} of a run. */
export function runState(run, context) {
  const facts = {};
  const fact = (name, ...more) => {
    const [dt, dd] = [h("dt", {}, name, ...more), h("dd", {})];
    facts[name] = { dt, dd };
    return h("div", { class: name === "health" ? "runs-health" : null }, dt, dd);
  };
  const list = h("dl", { class: "runs-facts" }, fact("images drawn"), fact("rate"), fact("time left"), fact("size"), fact("recipe"), fact("health", " ", what("health")));
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Share of the training done" });
  const chip = h("span", { role: "status" });
  const button = h("button", { type: "button" });
  const element = h("section", { class: "card stack", "aria-label": `State of ${run.name}` }, h("div", { class: "row ends" }, h("div", { class: "row" }, h("h3", {}, run.name), chip), button), list, bar);
  button.addEventListener("click", () => act(run, context, button, update));
  const write = (name, ...content) => fill(facts[name].dd, content);
  function update(change) {
    Object.assign(run, change);
    const training = run.state === "training";
    if (!training) delete run.stopping;
    fill(chip, stateChip(run));
    const measured = (value, words) => (value === null || value === undefined ? (training ? "measuring" : "–") : words(value));
    write("images drawn", count(run.images), run.total ? h("small", { class: "quiet" }, ` of ${count(run.total)}`) : "");
    facts.rate.dt.firstChild.textContent = training ? "rate" : "rate at the end";
    write("rate", measured(run.rate, (rate) => `${short(rate)}/s`));
    write("time left", training ? measured(run.left, () => remaining(run)) : "–");
    write("size", run.size ? [...sides(run)].reverse().join(" × ") : "–");
    write("recipe", run.recipe || "–");
    write("health", run.health || (training ? "too early to say" : "–"));
    bar.style.visibility = run.total ? "visible" : "hidden"; // its place stays
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
