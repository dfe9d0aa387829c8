// Sheets of one or two runs on one slider over the images clock. Every sheet is a place on the slider; the neighbours of the one on
// show are loaded ahead, and an image is shown only when it is decoded, so hundreds stay smooth.
import { at } from "../api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { count } from "./words.js";

const AHEAD = 6;

/** Index of the last value of a sorted list that is at most x; 0 where none is. */
export function lastUpTo(list, x) {
  let low = 0;
  let high = list.length - 1;
  while (low < high) { const middle = Math.ceil((low + high) / 2); if (list[middle] <= x) low = middle; else high = middle - 1; }
  return low;
}

/** Viewer of `sides` [{run, sheets: [{images, width, height}]}]; moved(images, newest?) is called as the slider moves. */
export function sheetViewer(sides, { moved = () => {}, start = null } = {}) {
  const kept = new Map(); // url -> decoded image, the least recently used let go
  let clock = [];
  let position = 0;
  let playing = null;
  let shown = 0;

  const range = h("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "Images drawn: which sheet" });
  const label = h("output", { class: "at number" });
  const play = h("button", { type: "button", class: "icon", "aria-label": "Play the sheets", title: "Play (p)" }, icon("play"));
  const newest = h("button", { type: "button", class: "small", onclick: () => go(clock.length - 1) }, "Newest");
  const frames = sides.map((side) => {
    const img = h("img", { alt: "", class: "pixels" });
    const words = h("figcaption", { class: "small quiet number" });
    const figure = h("figure", { class: "runs-sheet" }, sides.length > 1 && h("h3", {}, side.run.name), h("div", { class: "frame" }, img), words);
    return { side, img, words, figure };
  });

  function load(url) {
    const there = kept.get(url);
    if (there) { kept.delete(url); kept.set(url, there); return there; }
    const image = new Image();
    image.src = url;
    const ready = image.decode().then(() => image.src, () => image.src);
    kept.set(url, ready);
    if (kept.size > 80) kept.delete(kept.keys().next().value);
    return ready;
  }

  const urlOf = (side, i) => at(side.run, `sheets/${side.sheets[i].images}`);

  async function show() {
    const mine = (shown += 1);
    const images = clock[position] ?? 0;
    range.value = position;
    range.setAttribute("aria-valuetext", `${count(images)} images`);
    label.textContent = `${count(images)} images`;
    moved(images, position >= clock.length - 1);
    await Promise.all(frames.map(async ({ side, img, words, figure }) => {
      if (!side.sheets.length) { words.textContent = side.run.state === "ended" ? "No sheet was kept. Make shows what the model makes." : "No sheet yet: the first one comes with the first seconds of the training."; return; }
      const i = lastUpTo(side.sheets.map((s) => s.images), images);
      const { width, height } = side.sheets[i];
      const url = await load(urlOf(side, i));
      if (mine !== shown) return;
      figure.style.setProperty("--ratio", `${width} / ${height}`);
      img.src = url;
      img.alt = `samples of ${side.run.name} after ${count(side.sheets[i].images)} images`;
      words.textContent = sides.length > 1 ? `sheet of ${count(side.sheets[i].images)} images` : `sheet ${i + 1} of ${side.sheets.length}`;
      for (let k = 1; k <= AHEAD; k += 1) for (const j of [i + k, i - k]) if (side.sheets[j] && (k <= 2 || j > i)) load(urlOf(side, j));
    }));
  }

  function go(i) { position = Math.max(0, Math.min(clock.length - 1, i)); return show(); }
  function stop() { clearTimeout(playing); playing = null; fill(play, icon("play")); play.setAttribute("aria-label", "Play the sheets"); }
  function toggle() {
    if (playing) { stop(); return; }
    if (position >= clock.length - 1) position = -1;
    fill(play, icon("pause"));
    play.setAttribute("aria-label", "Pause");
    const tick = async () => { await go(position + 1); if (!playing) return; if (position >= clock.length - 1) stop(); else playing = setTimeout(tick, 140); };
    playing = setTimeout(tick, 0);
  }
  play.addEventListener("click", toggle);
  range.addEventListener("input", () => { stop(); go(Number(range.value)); });

  function setSheets(list) {
    const follows = !clock.length || position >= clock.length - 1;
    const images = clock[position];
    list.forEach((sheets, i) => { sides[i].sheets = sheets; });
    clock = [...new Set(sides.flatMap((side) => side.sheets.map((s) => s.images)))].sort((a, b) => a - b);
    range.max = Math.max(0, clock.length - 1);
    range.disabled = play.disabled = newest.disabled = clock.length < 2;
    position = follows || images === undefined ? clock.length - 1 : lastUpTo(clock, images);
    return show();
  }
  const element = h("section", { class: "stack", "aria-label": "Sheets of samples" },
    h("div", { class: "runs-sides", style: { "--sides": sides.length } }, frames.map((f) => f.figure)),
    h("div", { class: "runs-slider" }, play, newest, range, label));
  setSheets(sides.map((side) => side.sheets)).then(() => { if (start !== null && clock.length) go(lastUpTo(clock, start)); });
  return { element, setSheets, toggle, images: () => clock[position] ?? 0, step: (by) => { stop(); return go(position + by); }, nearest: (images) => { stop(); return go(lastUpTo(clock, images)); }, end: stop };
}
