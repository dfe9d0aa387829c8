// Images of a slider that moves: two requests under way, so that one is computed while the other is shown; what waits is replaced
// by what is newer, and what comes after a newer one is not shown. No DOM in here.

/** ask(...args) -> load(...args), or undefined where a newer one took its place. */
export function frames(load, most = 2) {
  let running = 0;
  let waiting = null;
  let count = 0;
  let shown = 0;
  function next() {
    while (running < most && waiting) begin();
  }
  function begin() {
    const { number, args, resolve, reject } = waiting;
    waiting = null;
    running += 1;
    const came = (image) => {
      if (number < shown) resolve(undefined);
      else { shown = number; resolve(image); }
    };
    const failed = (error) => (number < shown || error?.name === "AbortError" ? resolve(undefined) : reject(error));
    load(...args).then(came, failed).finally(() => { running -= 1; next(); });
  }
  return (...args) => new Promise((resolve, reject) => {
    waiting?.resolve(undefined);
    count += 1;
    waiting = { number: count, args, resolve, reject };
    next();
  });
}
