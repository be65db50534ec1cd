/** A small world on which a box can be drawn; the input beside it takes the same by keyboard. */

import { coastlines } from "../shared/coastlines.js";
import { svg } from "../shared/dom.js";
import { parseBox } from "./query.js";

export class Picker {
  /** @param {HTMLInputElement} input west, south, east, north @param {() => void} onChange */
  constructor(input, onChange) {
    this.input = input;
    this.onChange = onChange;
    this.coast = svg("path", { class: "picker-coast" });
    this.boxes = [svg("rect", { class: "picker-box" }), svg("rect", { class: "picker-box" })];
    this.map = svg("svg", { class: "picker", viewBox: "-180 -90 360 180", "aria-hidden": "true" }, svg("rect", { x: -180, y: -90, width: 360, height: 180, class: "picker-sea" }), this.coast, ...this.boxes);
    (input.closest("label") ?? input).before(this.map);
    this.#listen();
  }

  /** Coasts are fetched when the map is first looked at. */
  async draw() {
    if (this.drawn) return;
    this.drawn = true;
    const lines = await coastlines();
    this.coast.setAttribute("d", lines.map((line) => `M${line.map(([x, y]) => `${x.toFixed(1)} ${(-y).toFixed(1)}`).join("L")}`).join(""));
  }

  /** @param {number[] | null} box west may be greater than east */
  show(box) {
    const parts = !box ? [] : box[0] <= box[2] ? [box] : [[box[0], box[1], 180, box[3]], [-180, box[1], box[2], box[3]]];
    this.boxes.forEach((rect, i) => {
      const [west, south, east, north] = parts[i] ?? [0, 0, 0, 0];
      const sides = { x: west, y: -north, width: east - west, height: north - south };
      for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, String(value));
    });
  }

  #place(event) {
    const { left, top, width, height } = this.map.getBoundingClientRect();
    const clamp = (value, most) => Math.round(Math.max(-most, Math.min(most, value)));
    return [clamp(((event.clientX - left) / width) * 360 - 180, 180), clamp(90 - ((event.clientY - top) / height) * 180, 90)];
  }

  #listen() {
    let from = null;
    const between = ([x0, y0], [x1, y1]) => [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
    this.map.addEventListener("pointerdown", (event) => {
      from = this.#place(event);
      this.map.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    this.map.addEventListener("pointermove", (event) => from && this.show(between(from, this.#place(event))));
    this.map.addEventListener("pointerup", (event) => {
      if (!from) return;
      const box = between(from, this.#place(event));
      from = null;
      this.input.value = parseBox(box.join(",")) ? box.join(", ") : "";
      this.onChange();
    });
    this.map.addEventListener("pointercancel", () => ((from = null), this.show(parseBox(this.input.value))));
  }
}
