// Messages that come and go: in a live region, so that screen readers say them; errors stay until closed.
import { h } from "./dom.js";

/** Message shown; kind "info" or "error"; `action: {label, run}` adds a button (such as Undo). */
export function say(message, { kind = "info", action = null, seconds = 6 } = {}) {
  const place = document.getElementById(kind === "error" ? "alerts" : "says");
  const end = () => toast.remove();
  const toast = h("div", { class: `toast ${kind}` }, h("p", {}, message),
    action && h("button", { type: "button", onclick: () => { end(); action.run(); } }, action.label),
    h("button", { type: "button", "aria-label": "Close the message", onclick: end }, "Close"));
  for (const old of [...place.children]) if (old.firstChild.textContent === message || place.children.length > 2) old.remove();
  place.append(toast);
  if (kind !== "error") setTimeout(end, 1000 * seconds);
  return end;
}
