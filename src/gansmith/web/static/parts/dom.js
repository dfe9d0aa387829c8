// DOM elements from plain calls: h("button", {class: "main", onclick: f}, "Start"). Text is always a text node, never markup.

const SVG = new Set(["svg", "path", "circle", "rect", "line", "polyline", "polygon", "g", "text", "title"]);

/** Element `tag` with attributes, listeners (`on...`), `style` ({property: value}, through the CSSOM) and children. */
export function h(tag, properties = {}, ...children) {
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  set(element, properties);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Attributes, listeners and style of an element that exists; null or false removes an attribute. */
export function set(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [property, v] of Object.entries(value)) element.style.setProperty(property, v);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden" || name === "indeterminate") element[name] = value;
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
}

/** Content of `element` replaced by `children`. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const sheets = new Map(); // address -> Promise of its load

/** Style sheet beside a view, linked once: `sheet(new URL("make.css", import.meta.url))`. */
export function sheet(url) {
  const address = String(url);
  if (!sheets.has(address)) sheets.set(address, new Promise((done) => { document.head.append(h("link", { rel: "stylesheet", href: address, onload: done, onerror: done })); }));
  return sheets.get(address);
}

let count = 0;
/** Identifier that no other element has, for aria-labelledby and the like. */
export const unique = (word = "id") => `${word}-${(count += 1)}`;

/** Clipboard, with a way out where the browser refuses (a page by http from another host has no clipboard). */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "hidden", "aria-hidden": "true", value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
