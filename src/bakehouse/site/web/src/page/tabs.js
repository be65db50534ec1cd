/**
 * Sections under headings become tabs.
 *
 * Without scripts they are read one after the other. The pattern is WAI-ARIA's tabs with automatic activation; the
 * chosen tab is remembered, and one that the address names is opened.
 */

import { element } from "../shared/dom.js";

const REMEMBERED = "bakehouse-tab";

/**
 * @param {HTMLElement} root its children are sections with a heading each; a `role="tablist"` in the markup is only a
 * promise that scripts keep, so it moves to the row of tabs
 */
export function makeTabs(root) {
  const panels = [...root.children].filter((child) => child.querySelector("h2, h3, h4"));
  if (panels.length < 2) return;
  root.removeAttribute("role");
  root.classList.add("tabs");
  const list = element("div", { role: "tablist", class: "tab-list", "aria-label": root.getAttribute("aria-label") ?? "How to open it" });
  root.removeAttribute("aria-label");
  const tabs = panels.map((panel, index) => makeTab(panel, index, root));
  list.append(...tabs);
  root.prepend(list);
  const open = (index, focus = false) => show(tabs, panels, index, focus);
  tabs.forEach((tab, index) => tab.addEventListener("click", () => (open(index), remember(tabs, index))));
  list.addEventListener("keydown", (event) => step(event, tabs, open));
  const named = panels.findIndex((panel) => panel.id === location.hash.slice(1));
  const before = tabs.findIndex((tab) => tab.textContent === recall(tabs));
  open(Math.max(0, named >= 0 ? named : before));
}

function makeTab(panel, index, root) {
  const heading = panel.querySelector("h2, h3, h4");
  panel.id ||= `${root.id || "tab"}-${index}`;
  const tab = element("button", { type: "button", role: "tab", id: `${panel.id}-tab`, "aria-controls": panel.id }, panel.dataset.tab ?? heading.textContent.trim());
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", tab.id);
  panel.tabIndex = 0;
  heading.hidden = true;
  return tab;
}

function show(tabs, panels, chosen, focus) {
  tabs.forEach((tab, index) => {
    tab.setAttribute("aria-selected", String(index === chosen));
    tab.tabIndex = index === chosen ? 0 : -1;
    panels[index].hidden = index !== chosen;
  });
  if (focus) tabs[chosen].focus();
}

function step(event, tabs, open) {
  const now = tabs.indexOf(/** @type {any} */ (event.target));
  const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (next === undefined || now < 0) return;
  event.preventDefault();
  const index = (next + tabs.length) % tabs.length;
  open(index, true);
  remember(tabs, index);
}

/** Storage may be closed to pages; then nothing is remembered. */
function remember(tabs, index) {
  try {
    localStorage.setItem(`${REMEMBERED} ${tabs[0].textContent}`, tabs[index].textContent);
  } catch {
    return;
  }
}

function recall(tabs) {
  try {
    return localStorage.getItem(`${REMEMBERED} ${tabs[0].textContent}`);
  } catch {
    return null;
  }
}
