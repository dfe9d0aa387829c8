// Dialogs on the element of that name: focus stays inside, Escape closes, focus goes back to where it was.
import { h, unique } from "./dom.js";

/** Dialog with a title and content; `buttons: [{label, kind, value}]`. Resolves to the value of the button, or null. */
export function dialog({ title, content, buttons = [{ label: "Close", value: null }], wide = false }) {
  const id = unique("dialog");
  return new Promise((resolve) => {
    let value = null;
    const bar = h("div", { class: "row ends" }, buttons.map((button, i) => h("button", {
      type: "button", class: button.kind || "", autofocus: button.focus || (i === 0 && !buttons.some((b) => b.focus)),
      onclick: () => { value = button.value; box.close(); },
    }, button.label)));
    const box = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": id },
      h("div", { class: "inside" }, h("h2", { id }, title), typeof content === "string" ? h("p", {}, content) : content, bar));
    box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
    box.addEventListener("close", () => { box.remove(); resolve(value); });
    document.body.append(box);
    box.showModal();
    box.scrollTop = 0; // the focus on the button of a long one scrolls it to its end
  });
}

/** Question before something that cannot be undone, or costs time; resolves to true or false. The safe answer has the focus. */
export async function ask(title, content, yes, { danger = false } = {}) {
  const answer = await dialog({ title, content, buttons: [
    { label: "Cancel", value: false, focus: true }, { label: yes, value: true, kind: danger ? "danger" : "main" }] });
  return answer === true;
}
