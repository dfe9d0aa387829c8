// Files that the page gives away: a download without leaving the page.
import { h } from "./dom.js";

/** Blob or address saved as `name`. */
export function save(content, name) {
  const url = typeof content === "string" ? content : URL.createObjectURL(content);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  if (typeof content !== "string") setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** Name of a file of a run's image: letters, digits, dots and dashes only. */
export const fileName = (...words) => words.join("-").replaceAll(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 120);
