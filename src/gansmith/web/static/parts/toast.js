// Messages that come and go: in a live region, so that screen readers say them. They lie on the command bar, which is as
// high as two lines of them, and so never on a view; a longer one is opened by its button.
import { h } from "./dom.js";

const SECONDS = { info: 6, error: 20 };

/**
 * Message shown in place of the one before; kind "info" or "error"; `action: {label, run}` adds a button (such as Undo).
 * It goes after `seconds` (not while the mouse or the focus is on it), by its button, and by Escape.
 */
export function say(message, { kind = "info", action = null, seconds = SECONDS[kind] } = {}) {
  const place = document.getElementById(kind === "error" ? "alerts" : "says");
  let timer = 0;
  const end = () => { clearTimeout(timer); toast.remove(); };
  const wait = () => { clearTimeout(timer); timer = setTimeout(end, 1000 * seconds); };
  const hold = () => clearTimeout(timer);
  const words = h("p", {}, message);
  const more = h("button", { type: "button", "aria-expanded": "false", hidden: true, onclick: () => {
    const whole = toast.classList.toggle("whole");
    more.textContent = whole ? "Less" : "More";
    more.setAttribute("aria-expanded", String(whole));
  } }, "More");
  const toast = h("div", { class: `toast ${kind}`, onmouseenter: hold, onmouseleave: wait, onfocusin: hold, onfocusout: wait }, words,
    action && h("button", { type: "button", onclick: () => { end(); action.run(); } }, action.label), more,
    h("button", { type: "button", "aria-label": "Close the message", onclick: end }, "Close"));
  for (const old of [...place.children]) old.remove();
  place.append(toast);
  more.hidden = words.scrollHeight <= words.clientHeight + 1;
  wait();
  return end;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const old of document.querySelectorAll(".says > .toast")) old.remove();
}, { capture: true });
