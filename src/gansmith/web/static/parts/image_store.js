// Images of a gallery: loaded newest first, a few at once; what leaves the screen is dropped; what came is kept, up to a size.

/**
 * load(key, signal) -> Promise of {url, blob, ...}; arrived(key, image) and failed(key, error) are called once each.
 * most: requests at once; bytes: kept images, least recently wanted let go first through free(url).
 */
export function imageStore({ load, arrived, failed, free = () => {}, most = 4, bytes = 48e6 }) {
  const kept = new Map(); // key -> image, least recently wanted first
  const running = new Map(); // key -> AbortController
  const broken = new Set();
  let wanted = [];
  let size = 0;

  function next() {
    for (const key of wanted) {
      if (running.size >= most) return;
      if (!kept.has(key) && !running.has(key) && !broken.has(key)) begin(key);
    }
  }

  async function begin(key) {
    const control = new AbortController();
    running.set(key, control);
    try {
      const image = await load(key, control.signal);
      if (running.get(key) !== control) { free(image.url); return; }
      keep(key, image);
      arrived(key, image);
    } catch (error) {
      if (running.get(key) !== control || error?.name === "AbortError") return;
      broken.add(key);
      failed(key, error);
    } finally {
      if (running.get(key) === control) { running.delete(key); next(); }
    }
  }

  function keep(key, image) {
    kept.set(key, image);
    size += image.blob?.size ?? 0;
    for (const [old, one] of kept) {
      if (size <= bytes) break;
      if (wanted.includes(old)) continue;
      kept.delete(old);
      size -= one.blob?.size ?? 0;
      free(one.url);
    }
  }

  return {
    /** Exactly these are wanted, the first one most; requests for others end. */
    want(keys) {
      wanted = [...keys];
      const set = new Set(wanted);
      for (const [key, control] of [...running]) if (!set.has(key)) { running.delete(key); control.abort(); }
      for (const key of wanted) {
        const image = kept.get(key);
        if (image) { kept.delete(key); kept.set(key, image); }
      }
      next();
    },
    get: (key) => kept.get(key),
    /** Everything let go: other truncation, another model. */
    clear() {
      for (const control of running.values()) control.abort();
      for (const image of kept.values()) free(image.url);
      running.clear(); kept.clear(); broken.clear();
      wanted = [];
      size = 0;
    },
    get counts() { return { kept: kept.size, running: running.size, bytes: size }; },
  };
}
