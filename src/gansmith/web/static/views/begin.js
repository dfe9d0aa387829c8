// Begin: the offered folder of images: what the check says, what to expect, start; the first sheet appears live.
import { copyable } from "../parts/command.js";
import { fill, h, sheet } from "../parts/dom.js";
import { empty } from "../parts/empty.js";
import { icon } from "../parts/icons.js";
import { jobOf, jobPanel, startJob, watchJob } from "../parts/jobs.js";
import { count, duration } from "../parts/words.js";

const TIMES = [["1m", "1 minute"], ["5m", "5 minutes"], ["15m", "15 minutes"], ["1h", "1 hour"], ["4h", "4 hours"], ["8h", "a night (8 hours)"]];

export default {
  name: "begin", title: "Begin", key: "b", ofRun: false,
  async mount(root, context) {
    await sheet(new URL("begin.css", import.meta.url));
    const { api, about, state, signal } = context;
    if (about.offered === false) return nothing(root, context);
    fill(root, h("p", { role: "status", class: "notice" }, "Reading the folder of images: each file is opened once and a step is measured, which takes a moment."));
    const answer = await api.get(`/api/begin?time=${timeOf(state)}`, { signal });
    if (signal.aborted) return null;
    if (!answer.offered) return nothing(root, context);
    begin(root, answer.offered, context);
    const job = state.job ? await jobOf(state.job, "train", signal) : null;
    if (job) live(root, job, context);
    return null;
  },
};

function nothing(root, context) {
  const folder = context.about.folder || "runs";
  const line = `gansmith explore ${folder} --images photos/`;
  context.command(line);
  if (context.readOnly) fill(root, empty("begin", "Nothing can be started here", "This page was opened read-only. Open it without --read-only, and with a folder of images, to train from it:", copyable(line)));
  else fill(root, empty("begin", "Which images?", ["A page in a browser may not choose folders of this machine, so the command line does. End the server (Ctrl-C), and name your folder of images:"], copyable(line),
    h("p", {}, "Then this view checks it, says what to expect, and starts the training. No images at hand? Half a minute of training on handwritten digits, which come with gansmith:"), copyable(`gansmith train digits --recipe dcgan_digits --images 20k --out ${folder}/digits`)));
  return null;
}

function begin(root, first, context) {
  const { check } = first;
  const name = h("input", { type: "text", value: context.state.name || first.name || "mine", pattern: "[0-9A-Za-z][0-9A-Za-z_\\-]{0,63}", maxlength: 64, spellcheck: "false", autocomplete: "off", title: "letters, digits, - and _" });
  const time = h("select", {}, TIMES.map(([value, words]) => h("option", { value }, words)));
  time.value = timeOf(context.state);
  const start = h("button", { type: "submit", class: "main", disabled: Boolean(check.stops) || context.readOnly }, icon("play"), "Start training");
  const expected = h("div", { class: "stack begin-forecast", role: "status" });
  const form = h("form", { class: "row begin-form", onsubmit: (event) => { event.preventDefault(); go(); } },
    h("label", { class: "field" }, "Name of the run", name), h("label", { class: "field" }, "How long", time), start);
  let offered = first;
  const said = () => context.command(offered.command.replace(/--time \S+/, `--time ${time.value}`).replace(/(--out .*?)[^/\s]+$/, `$1${name.value}`));
  name.addEventListener("input", said);
  time.addEventListener("change", async () => {
    context.keep({ time: time.value });
    said();
    expected.classList.add("busy");
    try {
      const wanted = time.value;
      const answer = await context.api.get(`/api/begin?time=${wanted}`, { signal: context.signal });
      if (wanted !== time.value) return;
      offered = answer.offered;
      forecast(expected, offered);
      said();
    } catch (error) { context.failed(error); }
    expected.classList.remove("busy");
  });
  async function go() {
    start.disabled = true;
    try {
      const job = await startJob({ what: "train", name: name.value, time: time.value });
      context.keep({ job: job.run });
      live(root, job, context);
    } catch (error) { context.failed(error); start.disabled = false; }
  }
  fill(root, h("div", { class: "head" }, h("h2", {}, `Train on ${first.folder}`), h("p", {}, "The training runs on this machine and goes on when this page is closed; Runs finds it again.")), form,
    h("div", { class: "begin-two" },
      h("section", { class: "card stack", "aria-label": "Check" }, h("div", { class: "row ends" }, h("h3", {}, "What is in it"), check.stops ? h("span", { class: "chip bad" }, icon("close", 14), "cannot be trained on") : h("span", { class: "chip good" }, icon("truth", 14), "ready to train on")),
        h("p", {}, h("strong", { class: "number" }, count(check.count)), " images"), check.stops && h("p", { class: "notice bad" }, check.stops),
        check.notes.map((note) => h("p", { class: "notice warn small" }, note)),
        h("details", { open: !check.stops && !check.notes.length }, h("summary", {}, "All that the check says"), table(check.lines))),
      h("section", { class: "card stack", "aria-label": "Forecast" }, h("h3", {}, "What to expect"), expected)));
  said();
  forecast(expected, offered);
}

const timeOf = (state) => (TIMES.some(([value]) => value === state.time) ? state.time : "15m");

/** Lines of a report, `name   value`, as a list of names and values. */
function table(lines = []) {
  const rows = lines.map((line) => line.split(/\s{2,}/)).map(([key, ...rest]) => (rest.length && key ? [key, rest.join(" ")] : ["", [key, ...rest].join(" ")]));
  return h("dl", { class: "begin-facts" }, rows.filter(([key, value]) => key || value.trim()).map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)]));
}

function forecast(place, { forecast: said, expect }) {
  const rows = [["recipe", said.recipe], ["size", said.size && `${said.size.join(" × ")} pixels`], ["images drawn", said.images && `up to ${count(said.images)}`], ["time", said.seconds && `about ${duration(said.seconds)}`]].filter(([, value]) => value);
  fill(place, expect && h("figure", { class: "begin-expect" }, h("img", { src: expect.image, alt: expect.words }), h("figcaption", { class: "small quiet" }, `${expect.words[0].toUpperCase()}${expect.words.slice(1)}. Yours are other images: better or worse is possible.`)),
    h("dl", { class: "begin-facts" }, rows.map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])), said.lines?.length ? h("details", {}, h("summary", {}, "The plan in full"), table(said.lines)) : null);
}

function live(root, job, context) {
  const panel = jobPanel();
  const image = h("img", { class: "pixels", alt: "" });
  const words = h("figcaption", { role: "status" }, "The first sheet appears here within half a minute.");
  const open = h("a", { class: "button main", href: `#/runs${context.api.query({ run: job.run })}` }, "Open the run");
  let sheetNow = null;
  fill(root, h("div", { class: "head" }, h("h2", {}, `Training ${job.run}`)), h("section", { class: "begin-live", "aria-label": "Training" },
    h("figure", {}, h("div", { class: "frame" }, image), words), h("div", { class: "stack" }, panel.element, h("div", { class: "row" }, open))));
  context.command(job.command);
  context.live((change) => {
    if (change.name !== job.run) return;
    if (change.sheet !== null && change.sheet !== undefined && change.sheet !== sheetNow) {
      sheetNow = change.sheet;
      image.src = context.api.at(job.run, `sheets/${change.sheet}`);
      image.alt = `samples after ${count(change.sheet)} images`;
    }
    words.textContent = `${count(change.images)} images drawn${change.left ? `, ${duration(change.left)} left` : ""}.`;
  });
  watchJob(job, { signal: context.signal, changed: panel.update, ended: (_, failed) => { if (failed) context.say("The training ended with an error: its last lines say why.", { kind: "error" }); } }).catch(context.failed);
}
