/** Results as cards, from the page's own template. */

import { formatBytes } from "../shared/text.js";

const KINDS = { baked: "Baked", linked: "Linked", virtual: "Virtual" };

/** @param {HTMLTemplateElement} template @param {import("./catalog.js").Entry} entry @param {string} base of relative addresses */
export function makeCard(template, entry, base) {
  const card = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
  const slot = (name) => card.querySelector(`[data-slot="${name}"]`);
  const href = new URL(entry.url, base).href;
  for (const name of ["title", "image-link"]) slot(name)?.setAttribute("href", href);
  const texts = {
    title: entry.title, description: entry.description, kind: KINDS[entry.kind] ?? entry.kind, period: period(entry.period),
    resolution: entry.resolution, size: entry.size_bytes ? formatBytes(entry.size_bytes) : null,
    status: entry.status === "live" ? null : entry.status, license: entry.license, format: entry.format,
  };
  for (const [name, text] of Object.entries(texts)) write(slot(name), text);
  slot("status")?.setAttribute("data-state", entry.status);
  slot("kind")?.setAttribute("data-kind", entry.kind);
  if (entry.thumbnail) slot("thumbnail")?.setAttribute("src", new URL(entry.thumbnail, base).href);
  else slot("thumbnail")?.remove();
  return card;
}

function write(node, text) {
  if (!text) node?.remove();
  else if (node) node.textContent = text;
}

/** Years, or months where the two years are one. */
function period(range) {
  if (!range?.[0]) return null;
  const [start, end] = range.map((each) => (each ?? "").slice(0, 4));
  return start === end || !end ? start : `${start}–${end}`;
}
