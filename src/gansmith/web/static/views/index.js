// The views in the order of the bar; one module each.
const NAMES = ["runs", "begin", "make", "mix", "edit", "map", "translate", "truth"];

/** View modules that are there, loaded at once. */
export async function all() {
  const modules = await Promise.all(NAMES.map((name) => import(`./${name}.js`).catch((error) => { console.error(error); return null; })));
  return modules.filter(Boolean).map((module) => module.default);
}
