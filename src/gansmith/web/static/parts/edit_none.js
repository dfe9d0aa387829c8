// Directions of a run that has none yet: found here, with a bar and the time left; on a page that may not write, the command that does.
import { copyable } from "./command.js";
import { h, set } from "./dom.js";
import { duration } from "./words.js";

/** Section; found() is called with the run's new directions in place. */
export function noDirections({ api, run, about, signal, failed }, found) {
  const words = h("p", { class: "quiet edit-none-words", role: "status" }, "A direction changes one thing of the image. This run has none yet.");
  if (about.read_only) return h("div", { class: "stack edit-none" }, words,
    h("p", { class: "quiet" }, "This page is read-only. In a copy of the run that may be written to, this command finds some:"), copyable(`gansmith directions ${run.name} --method pca`));
  const bar = h("progress", { max: 1, "aria-label": "Search for directions", style: { visibility: "hidden" } });
  const button = h("button", { type: "button", class: "main", onclick: find }, "Find directions");
  const place = h("div", { class: "stack edit-none" }, words, bar, button);

  async function find() {
    set(button, { disabled: true });
    bar.style.visibility = "visible";
    words.textContent = "Looking for directions …";
    try {
      await api.events(api.at(run, "directions"), { body: { method: "pca" }, signal }, (event, data) => {
        if (event === "progress") {
          if (data.share) bar.value = data.share;
          words.textContent = `Looking for directions: what changes the images most${data.left === null ? " …" : `. About ${duration(Math.ceil(data.left))} left.`}`;
        }
        if (event === "done") run.directions = data.directions;
      });
      if (!run.directions?.length) throw new Error("The search ended without directions.");
      place.remove();
      found();
    } catch (error) {
      failed(error);
      if (signal.aborted) return;
      bar.style.visibility = "hidden";
      words.textContent = error.message;
      button.disabled = false;
    }
  }
  return place;
}
