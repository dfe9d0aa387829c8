// Numbers and times in words: one way of writing them on the whole page.

/** Count with thin groups: 12,345. */
export const count = (n) => Number(n).toLocaleString("en-US");

/** Number of about three digits: 0.123, 4.56, 1,235. */
export function short(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  const size = Math.abs(x);
  if (size >= 1000 || (Number.isInteger(x) && size < 1e15)) return Math.round(x).toLocaleString("en-US");
  return String(Number(x.toPrecision(3)));
}

/** Duration from seconds: 40 s, 12 min, 3 h 20 min, 2 days. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 60 * 36) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 1440)} days`;
}

/** Time that a training has left, and the word after it; before its first record the time given, which begins with the first step. */
export const remaining = ({ left, record }, after = "") => `${duration(left)}${record?.seconds ? after : " from the first step on"}`;

/** Time that has passed, in whole seconds, never rounded up: 40 s, 1 min 34 s, 3 h 20 min. */
export function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  if (whole < 60) return `${whole} s`;
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Height and width of a run's images, whether its size is written as one number or as two. */
export const sides = (run) => (Array.isArray(run.size) ? run.size : [run.size, run.size]);

/** Latent as a short label: seed 12, or the latent's name. */
export const latentName = (latent) => ("seed" in latent ? `seed ${latent.seed}` : latent.latent);

const PLAIN = /^[\p{L}\p{N}@%+=:,./_-]+$/u;
/** Word as a shell takes it. */
export const shell = (word) => (PLAIN.test(word) ? word : `'${String(word).replaceAll("'", "'\\''")}'`);

/** Run as a command line names it; about: answer of /api/about. */
export const pathOf = ({ about }, run) => shell(about.single ? about.folder : `${about.folder || "runs"}/${run.name}`);

/** Command that opens what is open together with images that lie somewhere. */
export const openWith = ({ about }, images = "FOLDER") => `gansmith explore ${shell(about.folder || "runs")} --images ${shell(images)}`;
