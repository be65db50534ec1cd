/** The colour scale: what colours mean, how the map's values spread over them, and the limits to change. */

import { svg } from "../shared/dom.js";
import { colours, histogram, NAMES } from "./colours.js";
import { element } from "../shared/dom.js";

const LABELS = { viridis: "viridis", plasma: "plasma", YlGnBu: "yellow to blue", RdBu_r: "blue to red", twilight: "twilight (cyclic)" };

export class Legend {
  /** @param {(limits: [number, number] | null) => void} onLimits null: back to the entry's @param {() => void} onFit @param {(name: string) => void} onCmap */
  constructor(onLimits, onFit, onCmap) {
    const find = (id) => document.getElementById(id);
    [this.low, this.high, this.cmap, this.bar, this.bars] = ["low", "high", "cmap", "legend-bar", "histogram"].map(find);
    this.cmap.append(...NAMES.map((name) => element("option", { value: name }, LABELS[name])));
    this.cmap.addEventListener("change", () => onCmap(this.cmap.value));
    for (const input of [this.low, this.high]) input.addEventListener("change", () => this.#changed(onLimits));
    find("fit").addEventListener("click", onFit);
    find("reset").addEventListener("click", () => onLimits(null));
  }

  #changed(onLimits) {
    const [low, high] = [this.low.valueAsNumber, this.high.valueAsNumber];
    const valid = low < high;
    for (const input of [this.low, this.high]) input.setCustomValidity(valid ? "" : "“From” has to be less than “To”.");
    if (valid) onLimits([low, high]);
    else this.high.reportValidity();
  }

  /** @param {[number, number]} limits @param {string} cmap @param {ArrayLike<number>} values */
  show(limits, cmap, values) {
    for (const [input, value] of [[this.low, limits[0]], [this.high, limits[1]]]) {
      if (document.activeElement !== input) input.value = String(Number(value.toPrecision(5)));
      input.setCustomValidity("");
    }
    this.cmap.value = cmap;
    this.#paint(cmap);
    this.#spread(limits, values);
  }

  #paint(cmap) {
    const image = new ImageData(256, 1);
    new Uint32Array(image.data.buffer).set(colours(cmap));
    this.bar.getContext("2d").putImageData(image, 0, 0);
  }

  #spread(limits, values) {
    const counts = histogram(values, limits);
    const most = Math.max(1, ...counts);
    const bars = Array.from(counts, (count, i) => svg("rect", { x: i + 0.08, width: 0.84, y: 20 - 20 * Math.sqrt(count / most), height: 20 * Math.sqrt(count / most) }));
    this.bars.replaceChildren(...bars);
  }
}
