/** Boxes to tick, with how many entries each would leave. */

import { element } from "../shared/dom.js";
import { ORDERED } from "./catalog.js";

const SHOWN = 12;

export class Facet {
  /** @param {HTMLFieldSetElement} fieldset */
  constructor(fieldset) {
    this.fieldset = fieldset;
    this.name = fieldset.dataset.facet;
    this.options = fieldset.querySelector(".options") ?? fieldset.appendChild(element("div", { class: "options" }));
    /** @type {Map<string, {input: HTMLInputElement, number: HTMLElement, label: HTMLElement}>} */
    this.boxes = new Map();
  }

  /** One box for each value, most frequent first, or in the order of the values. @param {Map<string, number>} counts of all entries */
  fill(counts) {
    const order = ORDERED[this.name];
    const values = order ? order.filter((value) => counts.has(value)) : [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([value]) => value);
    const labels = values.map((value) => this.#box(value));
    this.options.replaceChildren(...labels.slice(0, SHOWN));
    if (labels.length > SHOWN) {
      const more = element("button", { type: "button", class: "more-options", click: () => (more.remove(), this.options.append(...labels.slice(SHOWN))) }, `${labels.length - SHOWN} more`);
      this.options.append(more);
    }
    this.fieldset.hidden = values.length === 0;
  }

  #box(value) {
    const input = element("input", { type: "checkbox", name: this.name, value });
    const number = element("span", { class: "n" });
    const label = element("label", {}, input, " ", element("span", { class: "option", dir: "auto" }, value), " ", number);
    this.boxes.set(value, { input, number, label });
    return label;
  }

  /** @param {Map<string, number>} counts @param {string[]} chosen */
  show(counts, chosen) {
    for (const [value, { input, number, label }] of this.boxes) {
      const count = counts.get(value) ?? 0;
      input.checked = chosen.includes(value);
      number.textContent = String(count);
      label.classList.toggle("none", count === 0 && !input.checked);
    }
  }

  chosen() {
    return [...this.boxes].filter(([, { input }]) => input.checked).map(([value]) => value);
  }
}
