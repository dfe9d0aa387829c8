// Points in the plane: walking from point to point by keys, the nearest ones, what a region holds. No DOM in here.

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Extent of the points, for equal weights of both axes. */
function spans(points) {
  const span = (name) => { const values = points.map((p) => p[name]); return Math.max(...values) - Math.min(...values) || 1; };
  return { x: span("x"), y: span("y") };
}

/** Index of the point next to `from` where an arrow key points: near, and more ahead than aside; null for other keys. */
export function nearestBy(points, from, key) {
  if (key === "Home") return 0;
  if (key === "End") return points.length - 1;
  if (!(key in WAYS)) return null;
  const [dx, dy] = WAYS[key];
  const size = spans(points);
  let best = from;
  let least = Infinity;
  points.forEach((point, i) => {
    const x = (point.x - points[from].x) / size.x;
    const y = (point.y - points[from].y) / size.y;
    const ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    if (i === from || ahead <= 0 || aside > ahead) return;
    const cost = ahead + 2 * aside;
    if (cost < least) { least = cost; best = i; }
  });
  return best;
}

/** Indices of the `most` points nearest to one, itself first. */
export function circle(points, centre, most) {
  const size = spans(points);
  const far = (point) => ((point.x - points[centre].x) / size.x) ** 2 + ((point.y - points[centre].y) / size.y) ** 2;
  return points.map((point, i) => [far(point), i]).sort((a, b) => a[0] - b[0]).slice(0, most).map(([, i]) => i);
}

/** How many of the points are real, are samples, are real without a sample near. */
export function summary(points) {
  const real = points.filter((point) => point.kind !== "sample");
  return { real: real.length, samples: points.length - real.length, missed: real.filter((point) => !point.neighbour).length };
}

/** Is a place [x, y] inside a closed line [[x, y], ...]? Where it crosses itself, inside is what it goes round an odd number of times. */
export function inside([x, y], line) {
  let odd = false;
  line.forEach(([u, v], i) => {
    const [s, t] = line.at(i - 1);
    if (v > y !== t > y && x < u + ((y - v) / (t - v)) * (s - u)) odd = !odd;
  });
  return odd;
}
