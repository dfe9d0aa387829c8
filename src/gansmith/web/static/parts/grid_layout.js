// Arithmetic of a grid of which only the visible rows exist: columns, rows, where a tile lies, where keys lead. In pixels.

/** Grid of `count` tiles of at least `tile` wide in `width`, `gap` between; ratio = height / width of a tile. */
export function gridOf({ width, tile, gap = 8, count, ratio = 1 }) {
  const columns = Math.max(1, Math.floor((width + gap) / (Math.min(tile, width) + gap)));
  const side = Math.max(1, (width - gap * (columns - 1)) / columns);
  const high = side * ratio;
  const rows = Math.ceil(count / columns);
  return { columns, side, high, gap, rows, count, row: high + gap, height: Math.max(0, rows * (high + gap) - gap) };
}

/** Tiles from `from` up to, not with, `to` that are on the screen of `height` at the scroll `top`, and `spare` rows about it. */
export function visible(grid, { top, height, spare = 1 }) {
  const first = Math.max(0, Math.floor(top / grid.row) - spare);
  const last = Math.min(grid.rows, Math.ceil((top + height) / grid.row) + spare);
  return { from: Math.min(grid.count, first * grid.columns), to: Math.min(grid.count, Math.max(first, last) * grid.columns) };
}

/** {x, y} of a tile's corner. */
export function placeOf(grid, index) {
  return { x: (index % grid.columns) * (grid.side + grid.gap), y: Math.floor(index / grid.columns) * grid.row };
}

/** Index that a key leads to from `index`, or null for a key that leads nowhere; `height` of the screen for whole pages. */
export function leadsTo(grid, index, key, height) {
  const page = Math.max(1, Math.floor(height / grid.row)) * grid.columns;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns, PageUp: -page, PageDown: page };
  if (key === "Home") return 0;
  if (key === "End") return grid.count - 1;
  if (!(key in by)) return null;
  const next = index + by[key];
  if (Math.abs(by[key]) === 1) return Math.max(0, Math.min(grid.count - 1, next));
  if (next < 0) return key === "ArrowUp" ? index : index % grid.columns;
  return next < grid.count ? next : key === "ArrowDown" ? index : grid.count - 1;
}

/** Scroll position nearest to `top` at which the tile is wholly on the screen. */
export function topThatShows(grid, index, { top, height }) {
  const { y } = placeOf(grid, index);
  if (y < top) return y;
  return y + grid.high > top + height ? y + grid.high - height : top;
}
