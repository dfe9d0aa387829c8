// Sheets of one or two runs on one slider over the images clock. Every sheet is a place on the slider. While it moves, two requests
// are under way and the newest place waits: the places between are left out. At rest the neighbours are loaded, one after the other;
// an image is shown only when it is decoded; curves and address follow at rest. So hundreds stay smooth.
import { at } from "../api.js";
import { fill, h } from "./dom.js";
import { frames as newestOf } from "./frames.js";
import { icon } from "./icons.js";
import { count } from "./words.js";

const AHEAD = [1, -1, 2, -2, 3, 4, 5, 6]; // neighbours, the nearest first
const KEPT = 80; // decoded images
const REST = 120; // milliseconds without a move

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
  let moves = 0;
  let drawing = 0;
  let resting = 0;

  const range = h("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "Images drawn: which sheet" });
  const label = h("output", { class: "at number" });
  const play = h("button", { type: "button", class: "icon", "aria-label": "Play the sheets", title: "Play (p)" }, icon("play"));
  const newest = h("button", { type: "button", class: "small", onclick: () => go(clock.length - 1) }, "Newest");
  const frames = sides.map((side) => {
    const img = h("img", { alt: "", class: "pixels" });
    const words = h("figcaption", { class: "small quiet number" });
    const figure = h("figure", { class: "runs-sheet" }, sides.length > 1 && h("h3", {}, side.run.name), h("div", { class: "frame" }, img), words);
    return { side, img, words, figure, ask: newestOf(async (i) => ({ i, url: await load(urlOf(side, i)) })) };
  });

  function load(url) {
    const there = kept.get(url);
    if (there) { kept.delete(url); kept.set(url, there); return there; }
    const image = new Image();
    image.src = url;
    const ready = image.decode().then(() => url, () => url);
    kept.set(url, ready);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    return ready;
  }

  const urlOf = (side, i) => at(side.run, `sheets/${side.sheets[i].images}`);

  /** The place that the slider says, at once in words, and its sheets as they come; resolves when they are on show, or a newer place is. */
  async function show() {
    const mine = (moves += 1);
    const images = clock[position] ?? 0;
    range.value = position;
    range.setAttribute("aria-valuetext", `${count(images)} images`);
    label.textContent = `${count(images)} images`;
    clearTimeout(resting);
    resting = setTimeout(() => moved(images, position >= clock.length - 1), mine === 1 ? 0 : REST);
    await Promise.all(frames.map((frame) => place(frame, images)));
    ahead(mine);
  }

  /** Loads the neighbours of the place, as long as nothing moves. */
  async function ahead(mine) {
    for (const by of AHEAD) {
      for (const { side, i } of frames) {
        if (mine !== moves) return;
        if (side.sheets[i + by]) await load(urlOf(side, i + by));
      }
    }
  }

  async function place(frame, images) {
    const { side, img, words, figure } = frame;
    if (!side.sheets.length) { words.textContent = side.run.state === "ended" ? "No sheet was kept. Make shows what the model makes." : "No sheet yet: the first one comes with the first seconds of the training."; return; }
    frame.i = lastUpTo(side.sheets.map((s) => s.images), images);
    const came = await frame.ask(frame.i);
    if (!came || !side.sheets[came.i]) return;
    const { i, url } = came;
    figure.style.setProperty("--ratio", `${side.sheets[i].width} / ${side.sheets[i].height}`);
    if (img.getAttribute("src") !== url) img.src = url;
    img.alt = `samples of ${side.run.name} after ${count(side.sheets[i].images)} images`;
    words.textContent = sides.length > 1 ? `sheet of ${count(side.sheets[i].images)} images` : `sheet ${i + 1} of ${side.sheets.length}`;
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
  range.addEventListener("input", () => { // once for each frame of the screen
    stop();
    position = Number(range.value);
    drawing ||= requestAnimationFrame(() => { drawing = 0; go(position); });
  });

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
  return { element, setSheets, toggle, images: () => clock[position] ?? 0, step: (by) => { stop(); return go(position + by); }, nearest: (images) => { stop(); return go(lastUpTo(clock, images)); }, end: () => { stop(); clearTimeout(resting); cancelAnimationFrame(drawing); } };
}
