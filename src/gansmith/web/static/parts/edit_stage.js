// Stage of an edit: before and after side by side, one of them alone, or both under a wipe; and the film in their place. It is as high
// in each of these, so that nothing below it moves.
import { dialog } from "./dialog.js";
import { fill, h, unique } from "./dom.js";
import { wipe } from "./wipe.js";
import { count, sides } from "./words.js";

const SMALL = 128; // pixels up to which an image is drawn as squares
const LOOKS = [["both", "Both", "Before and after, side by side"], ["before", "Before", "Before, alone"], ["after", "After", "After, alone"], ["wipe", "Wipe", "Both under an edge that moves"]];

/** {element, looks, before(url, {own, original}), after(url), film(url), words(said)}: `looks` is the choice among them. */
export function editStage(run) {
  const [height, width] = sides(run);
  const pixels = Math.max(height, width) <= SMALL;
  const both = wipe({ names: ["before", "after"], ratio: width / height, pixels });
  const figure = (name) => {
    const img = h("img", { alt: "", class: pixels ? "pixels" : "" });
    const words = h("figcaption", { class: "small quiet" });
    return { img, words, element: h("figure", { class: `edit-${name}` }, h("div", { class: "frame" }, img), words) };
  };
  const [before, after, film] = ["before", "after", "film"].map(figure);
  const file = h("img", { alt: "Your photograph", onload: () => { whole.hidden = false; } });
  const whole = h("button", { type: "button", class: "small plain edit-whole", hidden: true, onclick: () => dialog({ wide: true,
    title: `Your photograph at its own size, ${count(file.naturalWidth)} × ${count(file.naturalHeight)}`, content: h("div", { class: "edit-own", tabindex: "0" }, file) }) }, "own size");
  before.img.onerror = () => put(before.img, null); // of a kind that the browser does not draw (TIFF, HEIC)
  before.element.append(whole);
  const element = h("div", { class: "edit-stage", style: { "--ratio": width / height } }, before.element, after.element, both, film.element);
  const name = unique("look");
  const narrow = matchMedia("(max-width: 900px)").matches;
  let look = narrow ? "after" : "both";
  const show = (what) => { element.dataset.show = what; };
  const put = (img, url) => { if (url) { if (img.getAttribute("src") !== url) img.src = url; } else img.removeAttribute("src"); };
  const looks = h("fieldset", { class: "edit-looks" }, h("legend", { class: "hidden" }, "How before and after are shown"), LOOKS.map(([value, words, title]) => h("label", { title },
    h("input", { type: "radio", name, value, checked: value === look, onchange: () => { look = value; show(look); }, onclick: () => show(look) }), h("span", {}, words))));
  show(look);
  return {
    element, looks,
    /** Before, of the model's size, or a photograph that is `own`; `original`: address of its file, to look at beside. */
    before(url, { own = false, original = null } = {}) {
      put(before.img, url);
      before.img.classList.toggle("pixels", pixels && !own);
      put(both.querySelector(".before"), url);
      put(file, original);
      whole.hidden = !original || !file.complete || !file.naturalWidth;
    },
    after(url) { put(after.img, url); put(both.querySelector("img:not(.before)"), url); },
    /** Film in the place of the images, until another look is chosen, or a slider moves; null takes it away. */
    film(url) {
      put(film.img, url);
      film.img.alt = url ? "Film from before to after, playing" : "";
      show(url ? "film" : look);
    },
    /** Side by side, where one of them was alone: a photograph and what is found. */
    pair() {
      if (look !== "before" && look !== "after") return;
      looks.querySelector("[value=both]").checked = true;
      look = "both";
      show(look);
    },
    words(said) {
      fill(before.words, said.before);
      fill(after.words, said.after);
      fill(film.words, "film, from before to after");
      both.querySelector(".left").textContent = said.left;
      both.querySelector(".right").textContent = said.right;
    },
  };
}
