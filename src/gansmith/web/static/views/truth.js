// Truth: the audit's verdicts with their evidence, the ruler, samples beside their nearest training images, the blind test.
import { copyable } from "../parts/command.js";
import { ask } from "../parts/dialog.js";
import { fill, h, sheet } from "../parts/dom.js";
import { empty } from "../parts/empty.js";
import { icon } from "../parts/icons.js";
import { blindLink } from "../parts/blind_link.js";
import { explaining } from "../parts/glossary.js";
import { evaluation, jobOf, jobPanel, startJob, watchJob } from "../parts/jobs.js";
import { pairs } from "../parts/pairs.js";
import { ruler } from "../parts/ruler.js";
import { weightsOffer } from "../parts/weights_offer.js";
import { pathOf, shell, short } from "../parts/words.js";

const QUESTIONS = ["quality", "memorisation", "collapse", "diversity", "artifacts"];
const GET = "gansmith features install mobilenet"; // the one download that the page may start
const KINDS = { good: ["good", "truth"], fair: ["warn", "help"], bad: ["bad", "close"] };

export default {
  name: "truth", title: "Truth", key: "t", ofRun: true,
  async mount(root, context) {
    await sheet(new URL("truth.css", import.meta.url));
    const job = await jobOf(context.run.name, "evaluate", context.signal).catch(() => null);
    const panel = jobPanel(context, { now: evaluation });
    const body = h("div", { class: "stack" });
    const here = { audit: null, look: null, runs: job?.state === "running" };
    const start = h("button", { type: "button", class: "main", hidden: context.readOnly, onclick: () => evaluate(context, panel, here, load, start) }, icon("play"), "Evaluate now");
    const blind = blindLink(context);
    const offer = h("div", { class: "stack" });
    fill(root, h("div", { class: "head" }, h("h2", {}, `Is ${context.run.name} any good?`), h("div", { class: "row" }, blind.element, start)), blind.notice, panel.element, body);
    context.command(evaluateLine(context));
    const load = async () => {
      const audit = await context.api.get(context.api.at(context.run, "audit"), { signal: context.signal }).catch((error) => { if (error.status === 404) return null; throw error; });
      here.audit = audit;
      if (audit) verdicts(body, audit, context, here, start); else if (here.look) look(body, here.look); else if (here.runs) fill(body); else none(body, context);
      if (!here.pairs) here.pairs = pairs(context);
      body.append(offer, here.pairs);
    };
    if (here.runs) { here.look = job.first_look; follow(job, context, panel, here, load, start); }
    await load();
    if (context.run.generates !== false) weightsOffer(context, () => load().catch(context.failed)).then((one) => { here.offer = one; fill(offer, one.element); }, context.failed);
  },
};

const evaluateLine = (context) => `gansmith evaluate ${pathOf(context, context.run)}${context.about.zoo ? ` --against ${shell(context.about.images || "FOLDER")} --out report` : ""}`;

function none(body, context) {
  fill(body, empty("help", "Not evaluated yet", context.about.zoo ? "It is a model that comes with gansmith, and nothing is written to it. On the command line, with the images that it was trained on, and a place for the report:" : context.readOnly ? "This page is read-only; on the command line:" : ["The evaluation compares samples with real images that the run never saw and answers five questions: quality, copies, repeats, variety, traces of the network.", "It takes some minutes. Evaluate now starts it."],
    context.readOnly && copyable(evaluateLine(context))));
}

/** What the first look has said so far, while the whole audit is made. */
function look(body, first) {
  const answers = QUESTIONS.filter((name) => first[name]);
  fill(body, whole(first.overall, null), h("p", { class: "quiet" }, first.overall ? `${first.title}: the whole evaluation goes on, on more of them, and takes the place of this.` : `${first.title}; those to the other questions follow.`), h("div", { class: "truth-cards" }, answers.map((name) => answer(name, first[name]))));
}

/** The verdict in one sentence, and what to do next: a button where this page can start it, else one command. */
function whole(overall, step, context, here, start) {
  if (!overall) return null;
  const [kind, mark] = KINDS[overall.verdict] || ["", "help"];
  const commands = step?.commands || [];
  const gets = commands[0] === GET && !context.readOnly;
  const again = commands.length === 1 && commands[0] === evaluateLine(context) && !context.readOnly;
  return h("section", { class: `card stack truth-whole ${kind}`, "aria-label": "Verdict" }, h("p", { class: "truth-verdict" }, icon(mark, 22), h("strong", {}, overall.sentence)),
    step && h("p", {}, h("strong", {}, "Next: "), `${step.do} `, h("span", { class: "quiet" }, step.why)),
    again ? h("button", { type: "button", onclick: () => start.click() }, "Evaluate again") : gets ? h("button", { type: "button", onclick: () => { if (here.offer?.command) here.offer.start(); else start.click(); } }, icon("download"), "Get it, then evaluate again") : commands.length ? [h("p", { class: "small quiet" }, "This page cannot do that; in a terminal:"), copyable(commands.join(" && "))] : null);
}

function verdicts(body, audit, context, here, start) {
  const answers = QUESTIONS.filter((name) => audit[name]);
  const link = h("a", { class: "button", href: context.api.at(context.run, "report/report.html"), target: "_blank", rel: "noopener" }, "The whole report, with its figures (new tab)");
  fill(body, whole(audit.overall, audit.next?.[0], context, here, start), h("div", { class: "truth-cards" }, answers.map((name) => answer(name, audit[name])), audit.quality?.evidence?.numbers?.ruler ? ruler(audit.quality.evidence.numbers) : null),
    next(audit), facts(audit), h("div", { class: "row" }, link));
}

function answer(name, { question, verdict, sentence, evidence }) {
  const [kind, mark] = KINDS[verdict] || ["", "help"];
  const { headline, numbers = {}, details = [], advice = [] } = evidence || {};
  const number = numbers[headline];
  return h("article", { class: "card truth-card", "data-question": name }, h("div", { class: "row ends" }, h("h3", {}, question), h("span", { class: `chip ${kind}` }, icon(mark, 14), verdict)),
    h("p", {}, sentence, " ", explaining(sentence)), number || details.length || advice.length ? h("details", {}, h("summary", {}, "Figures, and how it was found out"), number && h("p", { class: "small quiet number" }, `${number.means}: `, h("strong", {}, short(number.value)), interval(number), " ", explaining(number.means)), h("ul", {}, details.map((line) => h("li", {}, line, " ", explaining(line)))), advice.length ? [h("h4", {}, "What may help"), h("ul", {}, advice.map((line) => h("li", {}, line)))] : []) : null);
}

function interval({ interval: pair, level }) {
  if (!pair || pair.every((x) => x === null)) return "";
  return ` (${short(pair[0])} to ${pair[1] === null ? "more" : short(pair[1])}, ${Math.round(100 * (level || 0.95))} % interval)`;
}

function next(audit) {
  const later = audit.next?.slice(audit.overall ? 1 : 0, 3) || [];
  if (!later.length) return null;
  return h("section", { class: "stack" }, h("h2", {}, audit.overall ? "After that" : "What to do next"), h("ol", { class: "truth-next" }, later.map((step) => h("li", { class: "card stack" }, h("strong", {}, step.do), h("p", { class: "quiet" }, step.why),
    (step.commands || []).map(copyable), step.forecast && h("p", { class: "small quiet" }, step.forecast)))));
}

function facts(audit) {
  const pairsOf = (object) => Object.entries(object || {}).map(([key, value]) => [h("dt", {}, key), h("dd", {}, typeof value === "object" ? Object.values(value).join(", ") : String(value))]);
  return h("details", {}, h("summary", {}, "What was compared, and by which protocol"), h("dl", { class: "truth-facts" }, pairsOf(audit.counts), pairsOf(audit.facts), pairsOf(audit.protocol && { protocol: audit.protocol.text })), (audit.notes || []).map((note) => h("p", { class: "small quiet" }, note, " ", explaining(note))));
}

async function evaluate(context, panel, here, load, start) {
  const replaced = here.audit ? " The report that is there is replaced." : "";
  if (!(await ask(`Evaluate ${context.run.name}?`, `It takes some minutes on this machine, longer for large images. First answers come before its end. It goes on when this page is closed; Stop, on this page, ends it, and nothing of it is kept.${replaced}`, "Evaluate"))) return;
  try {
    here.look = null;
    follow(await startJob({ what: "evaluate", run: context.run.name }), context, panel, here, load, start);
    await load();
  } catch (error) { context.failed(error); }
}

function follow(job, context, panel, here, load, start) {
  start.disabled = true;
  here.runs = true;
  const changed = (now) => {
    panel.update(now);
    const first = JSON.stringify(now.first_look);
    if (!now.first_look || first === JSON.stringify(here.look)) return;
    here.look = now.first_look;
    if (!here.audit) load().catch(context.failed);
  };
  watchJob(job, { signal: context.signal, changed, ended: ({ state }, failed) => {
    start.disabled = false;
    here.runs = false;
    if (state !== "ended") { here.look = null; load().catch(context.failed); }
    if (state === "stopped") context.say("The evaluation was stopped; nothing of it is kept.");
    else if (failed) context.say("The evaluation ended with an error: its last lines say why.", { kind: "error" });
    else { panel.element.hidden = true; context.say("Evaluated."); load().catch(context.failed); }
  } }).catch(context.failed);
}
