// Truth: the audit's verdicts with their evidence, the ruler, samples beside their nearest training images, the blind test.
import { copyable } from "../parts/command.js";
import { ask } from "../parts/dialog.js";
import { fill, h, sheet } from "../parts/dom.js";
import { empty } from "../parts/empty.js";
import { icon } from "../parts/icons.js";
import { jobOf, jobPanel, startJob, watchJob } from "../parts/jobs.js";
import { pairs } from "../parts/pairs.js";
import { ruler } from "../parts/ruler.js";
import { pathOf, shell, short } from "../parts/words.js";

const QUESTIONS = ["quality", "memorisation", "collapse", "diversity", "artifacts"];
const KINDS = { good: ["good", "truth"], fair: ["warn", "help"], bad: ["bad", "close"] };

export default {
  name: "truth", title: "Truth", key: "t", ofRun: true,
  async mount(root, context) {
    await sheet(new URL("truth.css", import.meta.url));
    const job = await jobOf(context.run.name, "evaluate", context.signal).catch(() => null);
    const panel = jobPanel(context);
    const body = h("div", { class: "stack" });
    const start = h("button", { type: "button", class: "main", hidden: context.readOnly, onclick: () => evaluate(context, panel, load, start) }, icon("play"), "Evaluate now");
    const blind = h("a", { class: "button", target: "_blank", rel: "noopener", href: context.api.at(context.run, "blindtest", { looks: 20 }) }, "Blind test: real or made? (new tab)");
    fill(root, h("div", { class: "head" }, h("h2", {}, `Is ${context.run.name} any good?`), h("div", { class: "row" }, blind, start)), panel.element, body);
    context.command(evaluateLine(context));
    const load = async () => {
      const audit = await context.api.get(context.api.at(context.run, "audit"), { signal: context.signal }).catch((error) => { if (error.status === 404) return null; throw error; });
      if (audit) verdicts(body, audit, context); else none(body, context);
      body.append(pairs(context));
    };
    if (job?.state === "running") follow(job, context, panel, load, start);
    await load();
  },
};

const evaluateLine = (context) => `gansmith evaluate ${pathOf(context, context.run)}${context.about.zoo ? ` --against ${shell(context.about.images || "FOLDER")} --out report` : ""}`;

function none(body, context) {
  fill(body, empty("truth", "Not evaluated yet", context.about.zoo ? "It is a model that comes with gansmith, and nothing is written to it. On the command line, with the images that it was trained on, and a place for the report:" : context.readOnly ? "This page is read-only; on the command line:" : ["The evaluation compares samples with real images that the run never saw and answers five questions: quality, copies, repeats, variety, traces of the network.", "It takes about a minute. Evaluate now starts it."],
    context.readOnly && copyable(evaluateLine(context))));
}

function verdicts(body, audit, context) {
  const answers = QUESTIONS.filter((name) => audit[name]);
  const link = h("a", { class: "button", href: context.api.at(context.run, "report/report.html"), target: "_blank", rel: "noopener" }, "The whole report, with its figures (new tab)");
  fill(body, h("div", { class: "truth-cards" }, answers.map((name) => answer(name, audit[name])), audit.quality?.evidence?.numbers?.ruler ? ruler(audit.quality.evidence.numbers) : null),
    next(audit), facts(audit), h("div", { class: "row" }, link));
}

function answer(name, { question, verdict, sentence, evidence }) {
  const [kind, mark] = KINDS[verdict] || ["", "help"];
  const { headline, numbers = {}, details = [], advice = [] } = evidence || {};
  const number = numbers[headline];
  return h("article", { class: "card truth-card", "data-question": name }, h("div", { class: "row ends" }, h("h3", {}, question), h("span", { class: `chip ${kind}` }, icon(mark, 14), verdict)),
    h("p", {}, sentence), number && h("p", { class: "small quiet number" }, `${number.means}: `, h("strong", {}, short(number.value)), interval(number)),
    details.length || advice.length ? h("details", {}, h("summary", {}, "How it was found out"), h("ul", {}, details.map((line) => h("li", {}, line))), advice.length ? [h("h4", {}, "What may help"), h("ul", {}, advice.map((line) => h("li", {}, line)))] : []) : null);
}

function interval({ interval: pair, level }) {
  if (!pair || pair.every((x) => x === null)) return "";
  return ` (${short(pair[0])} to ${pair[1] === null ? "more" : short(pair[1])}, ${Math.round(100 * (level || 0.95))} % interval)`;
}

function next(audit) {
  if (!audit.next?.length) return null;
  return h("section", { class: "stack" }, h("h2", {}, "What to do next"), h("ol", { class: "truth-next" }, audit.next.slice(0, 3).map((step) => h("li", { class: "card stack" }, h("strong", {}, step.do), h("p", { class: "quiet" }, step.why),
    (step.commands || []).map(copyable), step.forecast && h("p", { class: "small quiet" }, step.forecast)))));
}

function facts(audit) {
  const pairsOf = (object) => Object.entries(object || {}).map(([key, value]) => [h("dt", {}, key), h("dd", {}, typeof value === "object" ? Object.values(value).join(", ") : String(value))]);
  return h("details", {}, h("summary", {}, "What was compared, and by which protocol"), h("dl", { class: "truth-facts" }, pairsOf(audit.counts), pairsOf(audit.facts), pairsOf(audit.protocol && { protocol: audit.protocol.text })), (audit.notes || []).map((note) => h("p", { class: "small quiet" }, note)));
}

async function evaluate(context, panel, load, start) {
  if (!(await ask(`Evaluate ${context.run.name}?`, "It takes about a minute on this machine, longer for large images. A report that is there is replaced.", "Evaluate"))) return;
  try {
    follow(await startJob({ what: "evaluate", run: context.run.name }), context, panel, load, start);
  } catch (error) { context.failed(error); }
}

function follow(job, context, panel, load, start) {
  start.disabled = true;
  watchJob(job, { signal: context.signal, changed: panel.update, ended: ({ state }, failed) => {
    start.disabled = false;
    if (state === "stopped") context.say("The evaluation was stopped; nothing of it is kept.");
    else if (failed) context.say("The evaluation ended with an error: its last lines say why.", { kind: "error" });
    else { panel.element.hidden = true; context.say("Evaluated."); load().catch(context.failed); }
  } }).catch(context.failed);
}
