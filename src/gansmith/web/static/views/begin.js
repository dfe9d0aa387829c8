// Begin: the offered folder of images: what the check says, what to expect, start; the first sheet appears live.
import { copyable } from "../parts/command.js";
import { fill, h, sheet } from "../parts/dom.js";
import { empty } from "../parts/empty.js";
import { icon } from "../parts/icons.js";
import { jobPanel, watchJob } from "../parts/jobs.js";
import { count, duration } from "../parts/words.js";

const TIMES = [["", "as the forecast says"], ["3m", "3 minutes"], ["15m", "15 minutes"], ["1h", "1 hour"], ["8h", "a night (8 hours)"]];

export default {
  name: "begin", title: "Begin", key: "b", ofRun: false,
  async mount(root, context) {
    await sheet(new URL("begin.css", import.meta.url));
    fill(root, h("p", { role: "status", class: "notice" }, "Reading the folder of images: its files are counted and opened, which takes a moment."));
    const { offered } = context.about.offered === false ? { offered: null } : await context.api.get("/api/begin", { signal: context.signal });
    if (context.signal.aborted) return null;
    return offered ? begin(root, offered, context) : nothing(root, context);
  },
};

function nothing(root, context) {
  const folder = context.about.folder || "runs";
  const line = `gansmith explore ${folder} --images photos/`;
  context.command(line);
  if (context.readOnly) fill(root, empty("begin", "Nothing can be started here", "This page was opened read-only. Open it without --read-only, and with a folder of images, to train from it.", copyable(line)));
  else fill(root, empty("begin", "Which images?", ["A page in a browser may not choose folders of this machine, so the command line does. End the server (Ctrl-C), and name your folder of images:", "Then this view checks it, says what to expect and how long it takes, and starts the training."], copyable(line),
    h("p", {}, "No images at hand? Half a minute of training on handwritten digits, which come with gansmith:"), copyable(`gansmith train digits --recipe dcgan_digits --images 20k --out ${folder}/digits`)));
}

function begin(root, offered, context) {
  const { check = {}, forecast = {}, expect } = offered;
  const name = h("input", { type: "text", value: offered.name || "mine", pattern: "[A-Za-z0-9._-]+", maxlength: 80, spellcheck: "false", autocomplete: "off" });
  const time = h("select", {}, TIMES.map(([value, words]) => h("option", { value }, words)));
  const start = h("button", { type: "submit", class: "main", disabled: Boolean(check.stops) || context.readOnly }, icon("play"), "Start training");
  const stage = h("div", { class: "stack" });
  const said = () => context.command(commandOf(offered, name.value, time.value));
  const form = h("form", { class: "row begin-form", onsubmit: (event) => { event.preventDefault(); go(); } },
    h("label", { class: "field" }, "Name of the run", name), h("label", { class: "field" }, "How long", time), start);
  name.addEventListener("input", said);
  time.addEventListener("change", said);
  async function go() {
    start.disabled = true;
    try {
      const job = await context.api.post("/api/jobs", { what: "train", name: name.value, ...(time.value && { time: time.value }) });
      context.keep({ job: job.id });
      form.hidden = true;
      live(stage, job, context);
    } catch (error) { context.failed(error); start.disabled = false; }
  }
  const facts = [...(check.lines || [])];
  fill(root, h("div", { class: "head" }, h("h2", {}, `Begin with ${offered.folder}`)), stage, h("div", { class: "begin-two" },
    h("section", { class: "card stack", "aria-label": "Check" }, h("h3", {}, "What is in it"),
      check.stops ? h("p", { class: "notice bad" }, `Training would stop: ${check.stops}`) : h("p", {}, h("span", { class: "chip good" }, icon("truth", 14), "ready to train on")),
      facts.length ? h("ul", { class: "begin-lines" }, facts.map((line) => h("li", {}, line))) : null, (check.notes || []).map((note) => h("p", { class: "notice warn small" }, note)),
      offered.thumbnails?.length ? h("div", { class: "begin-thumbs" }, offered.thumbnails.map((url) => h("img", { src: url, alt: "", loading: "lazy" }))) : null),
    h("section", { class: "card stack", "aria-label": "Forecast" }, h("h3", {}, "What to expect"),
      h("dl", { class: "begin-facts" }, [["recipe", forecast.recipe], ["size", forecast.size && `${[forecast.size].flat().join(" × ")} pixels`], ["images drawn", forecast.images && count(forecast.images)], ["time", forecast.seconds && `about ${duration(forecast.seconds)}`]]
        .filter(([, value]) => value).map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])),
      forecast.words && h("p", { class: "small quiet" }, forecast.words),
      expect ? h("figure", { class: "begin-expect" }, h("img", { src: expect.image || expect, alt: expect.words || "samples of other images by the same recipe" }), h("figcaption", { class: "small quiet" }, expect.words || "What the same recipe made of other images. Yours are other images: better or worse is possible.")) : null)), form,
  h("p", { class: "quiet small" }, "The training runs on this machine and goes on when this page is closed; Runs finds it again."));
  said();
  if (context.state.job) resume(context, stage, form);
  return null;
}

function commandOf(offered, name, time) {
  const line = offered.command || `gansmith train ${offered.folder} --out runs/${name}`;
  const named = line.replace(/(--out \S*\/)\S+/, `$1${name}`);
  return time ? `${named.replace(/ --time \S+/, "")} --time ${time}` : named;
}

async function resume(context, stage, form) {
  const jobs = await context.api.get("/api/jobs");
  const job = jobs.find((one) => String(one.id) === context.state.job);
  if (job) { form.hidden = true; live(stage, job, context); }
}

function live(stage, job, context) {
  const panel = jobPanel();
  const image = h("img", { class: "pixels", alt: "" });
  const words = h("figcaption", { role: "status" }, "The first sheet appears here within half a minute.");
  const open = h("a", { class: "button main", href: `#/runs${context.api.query({ run: job.run })}` }, "Open the run");
  fill(stage, h("section", { class: "card begin-live", "aria-label": "Training" }, h("figure", {}, h("div", { class: "frame" }, image), words), h("div", { class: "stack" }, panel.element, h("div", { class: "row" }, open))));
  context.live((change) => {
    if (change.name !== job.run) return;
    if (change.sheet !== null && change.sheet !== undefined) {
      image.src = context.api.at(job.run, `sheets/${change.sheet}`);
      image.alt = `samples after ${count(change.sheet)} images`;
    }
    words.textContent = `${count(change.images)} images drawn${change.left ? `, ${duration(change.left)} left` : ""}.`;
  });
  watchJob(job, { signal: context.signal, changed: panel.update, ended: (now) => { if (now.state === "failed") context.say("The training ended with an error: its last lines say why.", { kind: "error" }); } }).catch(context.failed);
}
