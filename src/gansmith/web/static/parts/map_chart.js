// Scatter of the map by plotly, as SVG: colour and shape say what a point is, and a filled or open one whether it has a neighbour.
import { colours, layout, plotly } from "./chart.js";
import { lasso } from "./lasso.js";

const GROUPS = [
  { kind: "real", neighbour: true, name: "real, a sample near", symbol: "circle", colour: 2 },
  { kind: "real", neighbour: false, name: "real, missed", symbol: "circle-open", colour: 1 },
  { kind: "held_out", neighbour: true, name: "held out, a sample near", symbol: "square", colour: 2 },
  { kind: "held_out", neighbour: false, name: "held out, missed", symbol: "square-open", colour: 1 },
  { kind: "sample", neighbour: true, name: "sample, a real near", symbol: "diamond", colour: 0 },
  { kind: "sample", neighbour: false, name: "sample, near no real", symbol: "x-thin-open", colour: 3 },
];

function tracesOf(points) {
  const palette = colours();
  const traces = GROUPS.map((group) => ({ ...group, indices: points.flatMap((p, i) => (p.kind === group.kind && Boolean(p.neighbour) === group.neighbour ? [i] : [])) }));
  return traces.filter((group) => group.indices.length).map(({ name, symbol, colour, indices, neighbour }) => ({
    type: "scatter", mode: "markers", name: `${name} (${indices.length})`, x: indices.map((i) => points[i].x), y: indices.map((i) => points[i].y), customdata: indices,
    marker: { symbol, size: neighbour ? 6 : 8, color: palette[colour], opacity: neighbour ? 0.6 : 0.95, line: { width: neighbour ? 0 : 1.6, color: palette[colour] } },
    selected: { marker: { opacity: 1 } }, unselected: { marker: { opacity: 0.12 } }, hoverinfo: "none",
  }));
}

/** Places of the points in pixels of what holds the plot. */
function pixels(plot, points) {
  const { xaxis, yaxis } = plot._fullLayout;
  const [box, holder] = [plot.getBoundingClientRect(), plot.parentElement.getBoundingClientRect()];
  return points.map(({ x, y }) => [box.left - holder.left + xaxis._offset + xaxis.l2p(x), box.top - holder.top + yaxis._offset + yaxis.l2p(y)]);
}

/** Map drawn into `plot`, which gets mark(index), select(indices), unline() (the drawn line goes) and end(). hover(index), region([index, ..]) are called. */
export async function drawMap(plot, points, { hover, region }) {
  const Plotly = await plotly();
  let marked = 0;
  let traces = [];
  const shapeless = { showgrid: false, showline: false, zeroline: false, showticklabels: false, fixedrange: false };
  const at = () => ({ type: "scatter", mode: "markers", x: [points[marked]?.x], y: [points[marked]?.y], showlegend: false, hoverinfo: "skip", selectedpoints: null,
    marker: { symbol: "circle-open", size: 18, color: getComputedStyle(plot).color, line: { width: 3 } }, unselected: { marker: { opacity: 1 } } });
  const draw = () => {
    traces = tracesOf(points);
    return Plotly.react(plot, [...traces, at()], layout({ xaxis: shapeless, yaxis: shapeless, hovermode: "closest" }), { displayModeBar: false, responsive: true, showTips: false });
  };
  plot.end?.();
  await draw();
  plot.removeAllListeners?.();
  plot.on("plotly_hover", ({ points: [point] }) => { if (point?.customdata !== undefined) hover(point.customdata); });
  const line = lasso(plot.parentElement, { where: ".nsewdrag", places: () => pixels(plot, points), drawn: region, tapped: hover });
  addEventListener("themechange", draw);
  plot.mark = (index) => { marked = index; Plotly.restyle(plot, { x: [[points[index].x]], y: [[points[index].y]] }, [traces.length]); };
  plot.select = (indices) => {
    const chosen = new Set(indices);
    const places = traces.map((trace) => (indices.length ? trace.customdata.flatMap((i, place) => (chosen.has(i) ? [place] : [])) : null));
    Plotly.restyle(plot, { selectedpoints: places }, traces.map((_, i) => i));
  };
  plot.unline = line.clear;
  plot.end = () => { line.end(); removeEventListener("themechange", draw); Plotly.purge(plot); };
}
