// Icons as SVG elements, 24 x 24, drawn with the current colour.
import { h } from "./dom.js";

const PATHS = {
  runs: "M4 19V5M4 19h16M8 15l3-5 3 3 5-7", begin: "M12 5v14M5 12h14", make: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  mix: "M9 15a5 5 0 1 1 0-10 5 5 0 0 1 0 10zM15 19a5 5 0 1 1 0-10 5 5 0 0 1 0 10z", edit: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  map: "M6 8a1 1 0 1 0 0-.01M17 6a1 1 0 1 0 0-.01M11 13a1 1 0 1 0 0-.01M18 17a1 1 0 1 0 0-.01M6 18a1 1 0 1 0 0-.01",
  translate: "M4 8h13l-3-3M20 16H7l3 3", truth: "M5 12l4 4 10-10", link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  theme: "M12 4a8 8 0 1 0 8 8 6 6 0 0 1-8-8z", help: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 18h.01", copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  star: "M12 4l2.5 5 5.5.8-4 3.9.9 5.5L12 16.6l-4.9 2.6.9-5.5-4-3.9 5.5-.8z", download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  play: "M8 5l11 7-11 7z", pause: "M8 5v14M16 5v14", stop: "M6 6h12v12H6z", undo: "M8 5L4 9l4 4M4 9h10a5 5 0 0 1 0 10h-3", close: "M6 6l12 12M18 6L6 18",
  left: "M15 5l-7 7 7 7", right: "M9 5l7 7-7 7", search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4", image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4",
};

/** Icon `name` (hidden from screen readers: the control it stands in has the words). */
export function icon(name, size = 18) {
  return h("svg", { viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor", "stroke-width": 2,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }, h("path", { d: PATHS[name] || "" }));
}
