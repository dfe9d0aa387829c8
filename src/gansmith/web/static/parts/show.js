// An image dropped on the page: one of ours opens where it was made, anything else is a photograph to edit.
import { ApiError, post } from "../api.js";
import { say } from "./toast.js";

const PNG = [0x89, 0x50, 0x4e, 0x47];
const name = (latent) => ("seed" in latent ? String(latent.seed) : latent.latent);

/** Opens what `file` is (null: no image, but a file called `name`): POST /api/show for a PNG; photograph(file, state) for the rest. */
export async function show(file, { name: called, go, current, photograph }) {
  if (!file) { say(`${called || "That"} is not an image that can be read (PNG, JPEG, WebP, GIF, TIFF).`); return; }
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const ours = PNG.every((byte, i) => head[i] === byte) ? await recipe(file) : null;
  if (ours) {
    if (ours.warning) say(ours.warning);
    if (ours.run) { go(ours.latents?.length > 1 ? "mix" : ours.latents?.length ? "edit" : "runs", { run: ours.run, of: (ours.latents || []).map(name).join(",") }); return; }
    say(`Made by gansmith, by a run that is not in this folder. The command that made it: ${ours.command}`, { seconds: 15 });
    return;
  }
  const run = current?.run;
  if (current?.take) { current.take(file); return; }
  if (run && !run.domains) { photograph(file, { run: run.name }); return; }
  say("Open a run first: then a photograph can be dropped in, and Edit searches its latent.");
}

async function recipe(file) {
  try {
    const answer = await post("/api/show", file);
    return answer.command || answer.run ? answer : null;
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 401) return null;
    throw error;
  }
}
