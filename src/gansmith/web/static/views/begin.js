// Begin: some of the offered images, what to expect of a training on them, one button; then the training as it goes.
import { copyable } from "../parts/command.js";
import { fill, h, sheet } from "../parts/dom.js";
import { empty } from "../parts/empty.js";
import { icon } from "../parts/icons.js";
import { jobOf, startJob } from "../parts/jobs.js";
import { trainingLive } from "../parts/begin_live.js";
import { count, duration, openWith, shell } from "../parts/words.js";

const TIMES = [["1m", "1 minute"], ["5m", "5 minutes"], ["15m", "15 minutes"], ["1h", "1 hour"], ["4h", "4 hours"], ["8h", "a night (8 hours)"]];

export default {
  name: "begin", title: "Begin", key: "b", ofRun: false,
  async mount(root, context) {
    await sheet(new URL("begin.css", import.meta.url));
    const { api, about, state, signal } = context;
    const job = state.job ? await jobOf(state.job, "train", signal) : null;
    if (job) { trainingLive(root, job, context); return null; }
    if (about.offered === false) { nothing(root, context); return null; }
    const images = await api.get("/api/begin/images", { signal }).catch((error) => { if (error.status !== 400) throw error; return { folder: about.images || "these images", count: 0, sizes: [], images: [] }; });
    if (!signal.aborted) begin(root, images, context);
    return null;
  },
};

/** Why nothing can be started from this page, and the command that opens one from which it can; null where it can. */
function hindered({ about }) {
  const images = shell(about.images || "photos/");
  if (about.zoo) return [`${about.zoo} is a model that comes with gansmith, and nothing is written to it. A training makes a run of its own, in a folder of runs. End this server (Ctrl-C) and type:`, `gansmith explore runs --images ${images}`];
  const folder = about.single ? about.parent : about.folder || "runs";
  const line = `gansmith explore ${shell(folder)} --images ${images}`;
  if (about.read_only) return ["This page was opened with --read-only, so it starts nothing. End this server (Ctrl-C) and type:", line];
  if (about.single) return ["One run is open here, and a training makes a new one beside it, which needs the folder of runs. End this server (Ctrl-C) and type:", line];
  return null;
}

function nothing(root, context) {
  const why = hindered(context);
  const line = why ? why[1] : openWith(context, "photos/");
  context.command(line);
  if (why) fill(root, empty("begin", "Nothing can be started here", why[0], copyable(line), h("p", {}, "with your own folder of images in the place of photos/.")));
  else fill(root, empty("begin", "Which images?", ["A page in a browser may not choose folders of this machine, so the command line does. End the server (Ctrl-C), and name your folder of images:"], copyable(line),
    h("p", {}, "Then this view shows them, says what to expect, and starts the training. No images at hand? Half a minute of training on handwritten digits, which come with gansmith:"), copyable(`gansmith train digits --recipe dcgan_digits --images 20k --out ${shell(`${context.about.folder || "runs"}/digits`)}`)));
}

const timeOf = (state) => (TIMES.some(([value]) => value === state.time) ? state.time : "15m");

function begin(root, images, context) {
  const hinders = hindered(context);
  const time = h("select", {}, TIMES.map(([value, words]) => h("option", { value }, words)));
  time.value = timeOf(context.state);
  const name = h("input", { type: "text", value: context.state.name || "", pattern: "[0-9A-Za-z][0-9A-Za-z_\\-]{0,63}", maxlength: 64, required: true, spellcheck: "false", autocomplete: "off", title: "letters, digits, - and _" });
  const start = h("button", { type: "submit", class: "main begin-start", disabled: true }, icon("play"), "Start training");
  const why = h("p", { class: "small quiet begin-why", role: "status" }, "It can start once your images were measured: some seconds.");
  const expected = h("section", { class: "card stack begin-forecast", "aria-label": "What to expect", "aria-busy": "true" }, h("h3", {}, "What to expect"));
  const place = h("div", { class: "stack", role: "status" }, h("p", { class: "quiet" }, "Each of your images is opened once, and a step of the training is measured. This takes some seconds."), h("progress", { "aria-label": "measuring" }));
  expected.append(place);
  const check = h("section", { class: "begin-check", "aria-label": "Check" });
  const form = h("form", { class: "card stack begin-form", onsubmit: (event) => { event.preventDefault(); go(); } },
    h("div", { class: "row" }, h("label", { class: "field" }, "How long", time), h("label", { class: "field" }, "Name of the run", name)),
    hinders ? [h("p", { class: "notice warn" }, hinders[0]), copyable(hinders[1])] : [start, why, h("p", { class: "small quiet" }, "It runs on this machine, and goes on when this page is closed. It can be stopped and continued at any time.")]);
  let offered = null;
  let asked = false; // the box that leaves them out has the focus again, once the answer is there
  let skip = context.state.skip === "yes"; // images that cannot be read are left out
  const said = () => offered && (name.checkValidity() // a name that is allowed needs no quotes; the folder before it keeps its own
    ? context.command(offered.command.replace(/--time \S+/, `--time ${time.value}`).replace(/[\w-]+('?)$/, `${name.value}$1`))
    : context.command(null, null, "The command appears here once the name is allowed."));
  let going = false;
  /** Whether it can start, and in words why not. */
  function ready() {
    const no = !offered ? "It can start once your images were measured: some seconds." : offered.check.stops ? (offered.check.unreadable && !skip ? "Some images cannot be read: leave them out, below, then it can start." : "It cannot start with these images: the check says why.")
      : !name.value ? "Give the run a name: then it can start." : !name.checkValidity() ? "Only letters, digits, - and _; a letter or digit first." : "";
    why.textContent = no;
    start.disabled = going || Boolean(no);
    return !no;
  }
  name.addEventListener("input", () => { said(); ready(); });
  name.addEventListener("click", () => { if (name.selectionStart === name.selectionEnd) name.select(); }, { once: true }); // what is typed replaces the name that was there
  time.addEventListener("change", () => { context.keep({ time: time.value }); look(); });

  async function look() {
    const wanted = `${time.value} ${skip}`;
    expected.setAttribute("aria-busy", "true");
    try {
      const answer = await context.api.get(`/api/begin?time=${time.value}${skip ? "&skip_unreadable=true" : ""}`, { signal: context.signal });
      if (wanted !== `${time.value} ${skip}`) return;
      if (!offered) name.value ||= answer.offered.name; // once: a name that is deleted later stays deleted
      offered = answer.offered;
      ready();
      forecast(place, offered);
      checked(check, offered.check, { skip, skips: (yes) => { skip = yes; asked = true; context.keep({ skip: yes ? "yes" : null }); look(); } });
      if (asked) check.querySelector("input")?.focus();
      asked = false;
      said();
    } catch (error) { context.failed(error); }
    expected.removeAttribute("aria-busy");
  }

  async function go() {
    if (!ready()) return;
    going = true;
    ready();
    try {
      const job = await startJob({ what: "train", name: name.value, time: time.value, ...(skip && { skip_unreadable: true }) });
      context.keep({ job: job.run });
      trainingLive(root, job, context);
    } catch (error) { context.failed(error); going = false; ready(); }
  }

  fill(root, h("div", { class: "head" }, h("h2", {}, `Train on ${images.folder}`)), strip(images), h("div", { class: "begin-two" }, expected, h("div", { class: "stack" }, form, check)));
  context.command(null);
  look();
}

/** A dozen of the images, how many there are, how large. */
function strip({ folder, count: many, sizes, images }) {
  const figures = images.map((url, i) => h("img", { src: url, alt: `one of the images of ${folder}`, class: Math.max(...sizes[i]) <= 64 ? "pixels" : null }));
  return h("figure", { class: "begin-strip" }, h("div", { class: "begin-images" }, figures),
    h("figcaption", {}, h("strong", { class: "number" }, `${count(many)} images`), many && sizes.length ? `, ${sizesIn(sizes)}.` : ".", images.length && many > images.length ? h("span", { class: "quiet" }, " Some of them are shown.") : ""));
}

/** Sizes [[height, width]] in words: 32 × 32 pixels; from 200 × 150 to 800 × 600 pixels. */
function sizesIn(sizes) {
  const sorted = [...sizes].sort((a, b) => a[0] * a[1] - b[0] * b[1]);
  const words = ([height, width]) => `${count(width)} × ${count(height)}`;
  const [least, most] = [words(sorted[0]), words(sorted.at(-1))];
  return least === most ? `${least} pixels` : `from ${least} to ${most} pixels, as far as these show`;
}

function checked(place, check, { skip, skips }) {
  const { unreadable, broken, stops } = check;
  const it = unreadable === 1 ? "it" : "them";
  const box = h("input", { type: "checkbox", checked: skip, onchange: () => { box.disabled = true; skips(box.checked); } });
  const leaveOut = unreadable ? h("div", { class: `notice stack ${skip ? "warn" : "bad"}` },
    h("p", {}, `${unreadable === 1 ? "One image" : `${count(unreadable)} images`} of ${count(check.count + unreadable)} cannot be read:`),
    h("ul", { class: "small begin-broken" }, broken.map((line) => h("li", {}, line))),
    h("label", { class: "check" }, box, `Train without ${it}`)) : null;
  fill(place, leaveOut, stops && (skip || !unreadable) ? h("p", { class: "notice bad" }, stops) : null, check.notes.map((note) => h("p", { class: "notice warn small" }, note)),
    h("details", {}, h("summary", {}, stops || unreadable ? "All that the check says" : "Every image was opened, and can be trained on"), table(check.lines)));
}

/** Lines of a report, `name   value`, as a list of names and values. */
function table(lines = []) {
  const rows = lines.map((line) => line.split(/\s{2,}/)).map(([key, ...rest]) => (rest.length && key ? [key, rest.join(" ")] : ["", [key, ...rest].join(" ")]));
  return h("dl", { class: "begin-facts" }, rows.filter(([key, value]) => key || value.trim()).map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)]));
}

function forecast(place, { forecast: said, expect }) {
  const rows = [["time", said.seconds && `about ${duration(said.seconds)}`], ["size of a sample", said.size && `${said.size.join(" × ")} pixels`], ["images drawn", said.images && `about ${count(Number(said.images.toPrecision(2)))} by a first measurement; measured again once it trains`], ["recipe", said.recipe]].filter(([, value]) => value);
  if (!rows.length && !expect) { fill(place, h("p", { class: "quiet" }, "Once there are images that can be trained on, this says what such a training makes, and how long it takes.")); return; }
  fill(place, expect && h("figure", { class: "begin-expect" }, h("p", { class: "small" }, expect.other ? `These samples are of another recipe, ${expect.other}; yours is trained by ${said.recipe}, which was not tried on images so like yours:` : "What such a training made of the images most like yours that were tried:"), h("img", { src: expect.image, alt: expect.words }), h("figcaption", { class: "small quiet" }, `${expect.words[0].toUpperCase()}${expect.words.slice(1)}. With your images it may come out better or worse.`)),
    h("dl", { class: "begin-facts" }, rows.map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])), said.lines?.length ? h("details", {}, h("summary", {}, "The plan in full"), table(said.lines)) : null);
}
