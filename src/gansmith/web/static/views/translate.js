// Translate, for runs of two domains: an image dropped in, its translation and the way back; styles as a row.
import { dropZone } from "../parts/drop.js";
import { fill, h, set } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { pathOf, shell } from "../parts/words.js";
import { tile } from "../parts/tile.js";

const STYLES = 6;

export default {
  sheets: ["translate.css"].map((name) => new URL(name, import.meta.url)),
  name: "translate", title: "Translate", key: "l", ofRun: true,
  needs: (run) => (run.translates || run.domains ? null : "It was trained on one set of images. Translation needs a run of two: gansmith train A/ --other B/ trains one (docs/translation.md)."),
  async mount(root, context) {
    return translate(root, context);
  },
};

function translate(root, context) {
  const { api, run, state } = context;
  const ways = [...(run.translates || run.domains)].sort().reverse(); // to b first: from a, as it is read
  const other = (to) => (to === "a" ? "b" : "a");
  let to = ways.includes(state.to) ? state.to : ways[0];
  let file = context.dropped;
  let style = Number(state.style || 0);
  let turn = 0;
  const [source, result, back] = ["your image", "translated", "and back again"].map((label) => tile({ run, label }));
  const place = (element, words) => h("figure", {}, element, h("figcaption", { class: "small quiet" }, words));
  const words = h("p", { role: "status", class: "quiet translate-says" });
  const download = h("a", { class: "button", hidden: true }, icon("download"), "Download");
  const row = run.styles ? stylesRow(run, { chosen: style, pick: (i) => { style = i; context.keep({ style }); work(); } }) : null;
  const directions = h("fieldset", { class: "translate-ways" }, h("legend", { class: "hidden" }, "Direction"), ways.map((one) => h("label", { class: "check" },
    h("input", { type: "radio", name: "to", value: one, checked: one === to, onchange: () => { to = one; context.keep({ to }); row?.clear(); work(); } }), `${other(one).toUpperCase()} → ${one.toUpperCase()}`)));
  const kept = run.styles ? "and back again, in another style: the shapes should be yours" : "and back again: the nearer to yours, the more was kept";
  const stage = h("section", { class: "translate-stage", hidden: true, "aria-label": "Translation" }, place(source, "your image"), h("span", { class: "arrow", "aria-hidden": "true" }, icon("right", 28)), place(result, "translated"),
    ...(ways.length > 1 ? [h("span", { class: "arrow", "aria-hidden": "true" }, icon("right", 28)), place(back, kept)] : []));
  const zone = dropZone({ words: h("span", {}, icon("image", 28), "Drop an image of one of the two domains here"), take });
  const asked = (i) => api.image(api.at(run, "translate", { to, ...(run.styles && { style: i }) }), { body: file, signal: context.signal });
  const named = (line) => line.replace(" IN ", ` ${shell(file.name)} `);

  function take(taken) { file = taken; row?.clear(); source.show(URL.createObjectURL(file)); work(); }
  async function work() {
    if (!file) return;
    const mine = (turn += 1);
    stage.hidden = false;
    [result, back].forEach((one) => one.wait());
    words.textContent = "Translating …";
    try {
      const answer = await asked(style);
      if (mine !== turn) return;
      result.show(answer);
      set(download, { href: answer.url, download: `${run.name}-${to}${run.styles ? `-${style}` : ""}.png` });
      download.hidden = false;
      context.command(named(answer.command), answer.images);
      words.textContent = `Translated from ${other(to)} to ${to}${run.styles ? `, style ${style}` : ""}.`;
      if (ways.length > 1) {
        const again = await api.image(api.at(run, "translate", { to: other(to) }), { body: answer.blob, signal: context.signal });
        if (mine === turn) back.show(again);
      }
      if (mine === turn) await row?.fill(asked, () => mine === turn);
    } catch (error) {
      if (mine !== turn || api.dropped(error)) return;
      [result, back].forEach((one) => one.fail("no translation"));
      words.textContent = "";
      context.failed(error);
    }
  }

  fill(root, h("div", { class: "head" }, h("h2", {}, `Translate with ${run.name}`), h("div", { class: "row" }, directions, download)), zone, words, stage, row?.element);
  context.command(`gansmith translate ${pathOf(context, run)} IMAGE --to ${to} --out translated.png`);
  if (file) take(file);
  return { unmount: () => { [source, result, back].forEach((one) => one.free()); row?.free(); }, take };
}

/** Row of an image's translations in several styles, one of them picked: {element, fill(load, current), clear(), free()}. */
function stylesRow(run, { chosen, pick }) {
  const tiles = Array.from({ length: Math.max(STYLES, Math.min(chosen, 999) + 1) }, (_, i) => tile({ run, label: `style ${i}`, tag: "button", badges: [{ text: `style ${i}` }], "aria-pressed": String(i === chosen), onclick: () => {
    tiles.forEach((one, k) => one.setAttribute("aria-pressed", String(k === i)));
    pick(i);
  } }));
  const element = h("section", { class: "stack translate-styles", hidden: true, "aria-label": "Styles" }, h("h3", {}, "Styles: the same image, drawn otherwise"), h("div", { class: "translate-row" }, tiles));
  let filled = new Set();
  return {
    element,
    clear() { filled = new Set(); tiles.forEach((one) => one.wait()); },
    free() { tiles.forEach((one) => one.free()); },
    async fill(load, current) {
      element.hidden = false;
      const now = filled;
      for (const [i, one] of tiles.entries()) {
        if (now.has(i)) continue;
        const answer = await load(i);
        if (!current() || now !== filled) return;
        one.show(answer);
        now.add(i);
      }
    },
  };
}
