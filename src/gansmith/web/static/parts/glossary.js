// Glossary: the page's words of the field, each explained where it stands by a button "?", and all of them in the help.
import { dialog } from "./dialog.js";
import { h } from "./dom.js";

export const GLOSSARY = {
  seed: "A number from which one image follows: the same seed and the same model make the same image. Another number, another image; neighbours in number are not alike.",
  truncation: "How far from the usual images may lie. Off: all that the model can make. Lower: more usual, often cleaner images, and less alike to life's variety.",
  latent: "The list of numbers behind an image, which the model turns into the image. A seed draws one; a photograph's is searched for.",
  direction: "A way to move the latent that changes one thing of the image, such as pose or colour. Found in the model without names: move its slider, see what changes, and name it by the pencil. A step is one standard deviation.",
  "set (a, b, c)": "Images whose mean is taken: the mean of a, less the mean of b, plus the mean of c, gives the result. With a alone the result is a's mean.",
  mean: "The image of the average latent of several images: none of them, but between all of them.",
  plane: "Images are many numbers; the map draws them in two. PCA: the two straight directions along which they differ most. UMAP: bent, so that near images stay near, and far distances mean little.",
  "point (of the map)": "One image, as a network sees it: a training image, one held out, or a sample. What looks alike lies near. Filled: an image of the other kind, real or made, is near. Open: none is.",
  "hole (of the map)": "A place with open points of real images and no samples: what the model does not make. Draw round it to see which images these are. A crowd of crosses is the other way round: samples like nothing real.",
  PCA: "Principal component analysis: the straight directions along which images, as lists of numbers, differ most; the first ones say the most.",
  precision: "The share of samples that lie near a real image: how good the samples are.",
  recall: "The share of real images that have a sample near: how much of the real variety the model makes.",
  "held out": "Real images that training never saw: what the model makes of them, it did not learn by heart.",
  losses: "What each network tries to make small. They work against each other, so both go up and down, and a low loss does not mean good images: look at the sheets. A line that stays at nothing, or climbs without an end, is a bad sign.",
  "told apart": "How often the discriminator gives a real image a higher score than a made one. 50 %: it guesses, and the samples pass for real. Near 100 %: the generator is far behind.",
  variety: "How much the samples differ from each other, beside how much the real images do. Falling to nothing: the model makes one image again and again.",
  "KID, FID": "How far the samples lie from real images, as a network sees them: the lower, the better. 0: as like them as other real images are. Numbers compare only within one run's settings, and small changes are chance.",
  scores: "What the discriminator says of real and of made images: higher is more real. Near each other: it cannot tell them apart. Far apart: it can.",
  "rate and waiting": "How many images a second are trained on, and the share of time spent waiting for images to be read.",
  copy: "A sample that is nearer to a training image than real images are to each other: learned by heart.",
  health: "Which of the two networks is ahead, and known failures. Balanced: neither is ahead for good. It says nothing of how good the images are: look at the sheet, and ask Truth. Nothing is said before five records of the training, good or bad, and balanced not while the samples are all alike.",
  recipe: "A file of all the settings of a training that is known to work.",
  sheet: "One image file with several images side by side.",
  sample: "An image that the model makes.",
};

/** Button "?" beside a word that says what it means; `words` of the glossary, explained together. */
export function what(...words) {
  const said = words.map((word) => GLOSSARY[word]).join(" ");
  return h("button", { type: "button", class: "what", "aria-label": `What is ${words.join(", ")}?`, title: said,
    onclick: () => dialog({ title: words.length > 1 ? "What do these words mean?" : `What is ${words[0]}?`, content: listed(words) }) }, "?");
}

const IN_TEXTS = { PCA: /\bPCA\b|\bpca-\d/, precision: /precision/i, recall: /recall/i, "held out": /held[ -]out/i };

/** Button "?" for those of the hard words that are in the texts; null where there is none. */
export function explaining(...texts) {
  const found = Object.keys(IN_TEXTS).filter((word) => texts.some((text) => IN_TEXTS[word].test(text || "")));
  return found.length ? what(...found) : null;
}

/** An element with a button "?" at its upper right end. */
export const explained = (element, ...words) => h("div", { class: "explained" }, element, what(...words));

/** List of words with what they mean. */
export function listed(words = Object.keys(GLOSSARY)) {
  return h("dl", { class: "glossary" }, words.map((word) => h("div", {}, h("dt", {}, word), h("dd", {}, GLOSSARY[word]))));
}
