// Images from outside: a drop zone with a file chooser behind it, and the whole page as a drop zone.
import { h } from "./dom.js";

const IMAGE = /^image\//;

/** First image file of a drop or a paste, or null. */
export function imageOf(data) {
  return [...(data?.files || [])].find((file) => IMAGE.test(file.type)) || null;
}

/** Zone that takes an image by drop, by the file chooser, or by Enter; take(file) is called with it. */
export function dropZone({ words, take, label = "Choose an image" }) {
  const input = h("input", { type: "file", accept: "image/*", "aria-label": label, onchange: () => { if (input.files[0]) take(input.files[0]); input.value = ""; } });
  const zone = h("label", { class: "drop" }, input, words,
    h("span", { class: "button", "aria-hidden": "true" }, label));
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    const file = imageOf(event.dataTransfer);
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    document.documentElement.classList.remove("dropping");
    take(file);
  });
  return zone;
}

/** Whole page as a drop zone, and paste; take(file, name) gets what no zone of a view took: null and the name of a file that is no image. */
export function dropAnywhere(take) {
  const page = document.documentElement;
  const files = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; page.classList.add("dropping"); } });
  addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) page.classList.remove("dropping"); });
  addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    page.classList.remove("dropping");
    if (!files(event)) return;
    event.preventDefault();
    take(imageOf(event.dataTransfer), event.dataTransfer.files[0]?.name);
  });
  addEventListener("paste", (event) => { const file = imageOf(event.clipboardData); if (file) take(file); });
}
