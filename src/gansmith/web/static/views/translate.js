// Translate, for runs of two domains: an image dropped in, its translation and the way back; styles as a row.
import { dropZone } from "../parts/drop.js";
import { fill, h, sheet } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { pathOf } from "../parts/words.js";
import { tile } from "../parts/tile.js";

const STYLES = 6;

export default {
  name: "translate", title: "Translate", key: "l", ofRun: true,
  needs: (run) => (run.translates || run.domains ? null : "It was trained on one set of images. Translation needs a run of two: gansmith train A/ --other B/ trains one (docs/translation.md)."),
  async mount(root, context) {
    await sheet(new URL("translate.css", import.meta.url));
    return translate(root, context);
  },
};

function translate(root, context) {
  const { api, run, state } = context;
  const ways = run.translates || run.domains;
  const other = (to) => (to === "a" ? "b" : "a");
  const styled = run.game === "multimodal";
  let to = ways.includes(state.to) ? state.to : ways.at(-1);
  let file = context.dropped;
  let style = Number(state.style || 0);
  let turn = 0;
  const [source, result, back] = ["your image", "translated", "and back again"].map((label) => tile({ run, label }));
  const place = (element, words) => h("figure", {}, element, h("figcaption", { class: "small quiet" }, words));
  const row = h("div", { class: "translate-row" });
  const words = h("p", { role: "status", class: "quiet" });
  const download = h("a", { class: "button", hidden: true }, icon("download"), "Download");
  const rowSection = styled ? h("section", { class: "stack", hidden: true }, h("h3", {}, "Styles: the same image, drawn otherwise"), row) : null;
  const directions = h("fieldset", { class: "translate-ways" }, h("legend", { class: "hidden" }, "Direction"), ways.map((one) => h("label", { class: "check" },
    h("input", { type: "radio", name: "to", value: one, checked: one === to, onchange: () => { to = one; context.keep({ to }); work(); } }), `${other(one).toUpperCase()} → ${one.toUpperCase()}`)));
  const stage = h("section", { class: "translate-stage", hidden: true, "aria-label": "Translation" }, place(source, "your image"), h("span", { class: "arrow", "aria-hidden": "true" }, icon("right", 28)), place(result, "translated"),
    ...(ways.length > 1 ? [h("span", { class: "arrow", "aria-hidden": "true" }, icon("right", 28)), place(back, "and back again: the nearer to yours, the more was kept")] : []));
  const zone = dropZone({ words: h("span", {}, icon("image", 28), "Drop an image of one of the two domains here"), take });

  function take(taken) { file = taken; work(); }
  async function work() {
    if (!file) return;
    const mine = (turn += 1);
    stage.hidden = false;
    [result, back].forEach((one) => one.wait());
    source.show(URL.createObjectURL(file));
    words.textContent = "Translating …";
    try {
      const answer = await api.image(api.at(run, "translate", { to, ...(styled && { style }) }), { body: file, signal: context.signal });
      if (mine !== turn) return;
      result.show(answer);
      fill(download, icon("download"), "Download");
      download.href = answer.url;
      download.download = `${run.name}-${to}.png`;
      download.hidden = false;
      context.command(answer.command, answer.images);
      words.textContent = `Translated from ${other(to)} to ${to}.`;
      if (ways.length > 1) {
        const again = await api.image(api.at(run, "translate", { to: other(to) }), { body: answer.blob, signal: context.signal });
        if (mine === turn) back.show(again);
      }
      if (styled && mine === turn) await styles(mine);
    } catch (error) {
      [result, back].forEach((one) => one.fail("no translation"));
      words.textContent = "";
      context.failed(error);
    }
  }

  async function styles(mine) {
    const many = Array.from({ length: STYLES }, (_, i) => i);
    const tiles = many.map((i) => tile({ run, label: `style ${i}`, tag: "button", badges: [{ text: `style ${i}` }], "aria-pressed": String(i === style), onclick: () => { style = i; context.keep({ style }); work(); } }));
    fill(row, tiles);
    rowSection.hidden = false;
    for (const i of many) {
      const answer = await api.image(api.at(run, "translate", { to, style: i }), { body: file, signal: context.signal });
      if (mine !== turn) return;
      tiles[i].show(answer);
    }
  }

  fill(root, h("div", { class: "head" }, h("h2", {}, `Translate with ${run.name}`), h("div", { class: "row" }, directions, download)), zone, words, stage, rowSection);
  context.command(`gansmith translate ${pathOf(context, run)} IMAGE --to ${to} --out translated.png`);
  if (file) work();
  return { unmount: () => [source, result, back].forEach((one) => one.free()), take };
}
