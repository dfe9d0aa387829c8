// Charts by the script inside the installed plotly package, loaded once when the first chart is asked for: `scatter` as SVG only
// (WebGL ones need eval, which the page's policy forbids), with a text alternative beside each.
import { fill, h, unique } from "./dom.js";

let loading = null;
export const MOST = 5000;

/** plotly's script; rejects with the way out where the package is not installed. */
export function plotly() {
  loading ||= new Promise((resolve, reject) => {
    if (window.Plotly) { resolve(window.Plotly); return; }
    document.head.append(h("script", { src: "/static/plotly.min.js", onload: () => resolve(window.Plotly),
      onerror: () => { loading = null; reject(new Error("Charts need plotly: pip install 'gansmith[explore]'")); } }));
  });
  return loading;
}

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const COLOURS = { light: ["#4f46e5", "#c2410c", "#0f766e", "#a21caf", "#57534e", "#b45309"], dark: ["#a5a0ff", "#fb923c", "#5eead4", "#f0abfc", "#d6d3d1", "#fcd34d"] };
/** Dash patterns that go with the colours, so that a line is known without its colour. */
export const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
export const colours = () => COLOURS[document.documentElement.dataset.theme] || COLOURS.light;

/** Every k-th of a list so that at most `most` are left; the last one stays. */
export function thin(list, most = MOST) {
  if (list.length <= most) return list;
  const step = Math.ceil(list.length / most);
  const kept = list.filter((_, i) => i % step === 0);
  if (kept.at(-1) !== list.at(-1)) kept.push(list.at(-1));
  return kept;
}

/** Layout in the page's colours. */
export function layout(more = {}) {
  const ink = token("--quiet");
  const axis = { gridcolor: token("--line"), zerolinecolor: token("--line"), linecolor: token("--line"), tickfont: { color: ink, size: 12 }, automargin: true, fixedrange: true };
  return { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 8, r: 12, t: 8, b: 8 }, font: { family: "inherit", color: ink },
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { color: token("--ink"), size: 12 } },
    hoverlabel: { bgcolor: token("--card"), bordercolor: token("--line"), font: { color: token("--ink") } },
    dragmode: false, ...more, xaxis: { ...axis, ...more.xaxis }, yaxis: { ...axis, ...more.yaxis } };
}

/**
 * Chart of traces [{x, y, name, ...plotly's}] with its text alternative (`words`, and `table`: {head: [..], rows: [[..]]}). Returns an
 * element with: draw(traces, layoutMore), shapes([...]) (such as a cursor), `plot` (plotly's own element), end().
 */
export function chart({ label, height = 220, words = "", table = null }) {
  const id = unique("chart");
  const plot = h("div", { class: "plot", role: "img", "aria-label": label, "aria-describedby": id });
  const text = h("p", { id, class: "small quiet" }, words);
  const rows = h("div");
  const details = h("details", { hidden: !table }, h("summary", {}, "The numbers as a table"), rows);
  const element = h("figure", { class: "chart", style: { "--chart": `${height}px` } }, plot, text, details);
  let last = null;
  async function draw(traces, more = {}) {
    last = [traces, more];
    if (!window.Plotly) fill(plot, h("p", { class: "quiet small" }, "Loading the chart …"));
    let Plotly;
    try { Plotly = await plotly(); } catch (error) { fill(plot, h("p", { class: "notice" }, error.message)); return; }
    if (!plot.layout) plot.replaceChildren();
    const styled = traces.map((trace, i) => ({ type: "scatter", mode: "lines", line: { color: colours()[i % 6], width: 2, dash: DASHES[i % 6] }, ...trace }));
    await Plotly.react(plot, styled, layout(last[1]), { displayModeBar: false, responsive: true, showTips: false });
  }
  const again = () => { if (last) draw(...last); };
  addEventListener("themechange", again);
  element.draw = draw;
  element.plot = plot;
  element.words = (t) => { text.textContent = t; };
  element.table = (t) => {
    details.hidden = !t;
    if (t) fill(rows, h("table", {}, h("thead", {}, h("tr", {}, t.head.map((c) => h("th", {}, c)))), h("tbody", {}, t.rows.map((r) => h("tr", { class: "number" }, r.map((c) => h("td", {}, c)))))));
  };
  element.shapes = (shapes) => { if (last) { last[1] = { ...last[1], shapes }; if (window.Plotly && plot.layout) window.Plotly.relayout(plot, { shapes }); } };
  element.end = () => { removeEventListener("themechange", again); window.Plotly?.purge(plot); };
  element.table(table);
  return element;
}
