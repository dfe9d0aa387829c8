// Lasso: a line drawn round points by the mouse, a finger or a pen. A press that does not move is a tap on the nearest point.
import { h } from "./dom.js";
import { inside } from "./plane.js";

const STILL = 6; // pixels that a press may move and still be a tap
const NEAR = 24; // pixels between a tap and its point

/**
 * Lasso over `holder`, for presses on what `where` (a selector) finds: places() -> [[x, y], ...] of the points in pixels of the
 * holder; drawn(indices) and tapped(index) are called. Returns {clear(), end()}: clear takes the line away.
 */
export function lasso(holder, { where, places, drawn, tapped }) {
  const line = h("polygon", { points: "" });
  const canvas = h("svg", { class: "lasso" }, line);
  holder.append(canvas);
  const gone = new AbortController();
  let pointer = null;
  let path = [];
  const clear = () => { path = []; line.setAttribute("points", ""); };
  const at = (event) => { const box = holder.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const far = ([x, y], [u, v]) => Math.hypot(x - u, y - v);
  const listen = (name, does, options = {}) => holder.addEventListener(name, does, { ...options, signal: gone.signal });

  // the chart's own presses would cover the page while they last
  for (const name of ["mousedown", "touchstart"]) listen(name, (event) => { if (event.target.closest(where)) event.stopPropagation(); }, { capture: true, passive: true });
  listen("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0 || !event.target.closest(where)) return;
    pointer = event.pointerId;
    clear();
    path = [at(event)];
    holder.setPointerCapture(pointer);
  });
  listen("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const place = at(event);
    if (far(place, path.at(-1)) < 2) return;
    path.push(place);
    if (path.some((one) => far(one, path[0]) > STILL)) line.setAttribute("points", path.map((one) => one.map(Math.round).join(",")).join(" "));
  });
  listen("pointerup", (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    const all = places();
    if (path.some((one) => far(one, path[0]) > STILL)) { drawn(all.flatMap((place, i) => (inside(place, path) ? [i] : []))); return; }
    const [best] = all.map((place, i) => [far(place, path[0]), i]).sort((a, b) => a[0] - b[0]);
    clear();
    if (best && best[0] <= NEAR) tapped(best[1]);
  });
  listen("pointercancel", (event) => { if (event.pointerId === pointer) { pointer = null; clear(); } });
  const watch = new ResizeObserver(clear); // the line is of the size that it was drawn in
  watch.observe(holder);
  return { clear, end: () => { gone.abort(); watch.disconnect(); canvas.remove(); } };
}
