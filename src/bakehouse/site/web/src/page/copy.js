/** A button on each snippet that copies it, and says so. */

import { element } from "../shared/dom.js";

const SHOWN_MS = 2000;

/** @param {HTMLPreElement} snippet */
export function addCopyButtons(snippet) {
  const button = element("button", { type: "button", class: "copy", "data-copy": true }, "Copy");
  const said = element("span", { class: "visually-hidden", role: "status" });
  button.addEventListener("click", async () => {
    const done = await copy(snippet);
    button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    said.textContent = done ? "Copied to the clipboard" : "The text is selected; copy it with Ctrl+C";
    button.classList.toggle("done", done);
    setTimeout(() => ((button.textContent = "Copy"), (said.textContent = ""), button.classList.remove("done")), SHOWN_MS);
  });
  const frame = element("div", { class: "snippet-frame" });
  snippet.replaceWith(frame);
  frame.append(snippet, button, said);
}

/** Copy, or select where the clipboard is closed to pages (plain http). @returns {Promise<boolean>} */
async function copy(snippet) {
  try {
    await navigator.clipboard.writeText(snippet.textContent.trimEnd() + "\n");
    return true;
  } catch {
    getSelection().selectAllChildren(snippet);
    return false;
  }
}
