/** The map: cells on one canvas, coasts and marks on another, both behind one element that takes pointer and keys. */

import { coastlines } from "../shared/coastlines.js";
import { boxOf, centreOf, near } from "./grid.js";
import { drawMarks } from "./marks.js";
import { flattened, polarFor } from "./projection.js";
import { paint, rasterise } from "./raster.js";
import { aspectOf, bounded, fitView, moved, placeAt, shortening, zoomed } from "./view.js";

/** @typedef {import("./source.js").Field} Field */

const CLOSE = 60;

export class MapView {
  /**
   * @param {HTMLElement} frame holds two canvases
   * @param {{onHover: (cell: number) => void, onPick: (cell: number) => void, onView: (view: any) => void}} listeners
   */
  constructor(frame, listeners) {
    this.frame = frame;
    this.listeners = listeners;
    [this.cells, this.marks] = frame.querySelectorAll("canvas");
    this.field = null;
    this.home = null;
    this.view = null;
    this.cursor = -1;
    this.pinned = null;
    this.lines = [];
    this.plans = new WeakMap();
    new ResizeObserver(() => this.#resize()).observe(frame);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#drawMarks());
    this.#listen();
  }

  /**
   * Show a field; the view stays if the grid does.
   * @param {Field} field @param {import("./grid.js").Grid} whole @param {import("./grid.js").Box | null} view
   */
  show(field, whole, view) {
    if (whole !== this.whole) {
      this.whole = whole;
      this.geographic = whole.kind !== "rectilinear" || whole.geographic;
      this.polar = polarFor(whole);
      this.wraps = this.geographic && !this.polar;
      const box = boxOf(this.#plan(whole));
      this.shrink = this.polar ? 1 : shortening(box, this.geographic);
      const aspect = aspectOf(box, this.shrink);
      this.frame.style.aspectRatio = `1 / ${aspect}`;
      this.home = fitView(box, aspect, this.shrink);
      this.view = this.home;
      this.cursor = -1;
      this.#size();
    }
    if (view) this.view = bounded(fitView(view, this.height / this.width, this.shrink), this.home, this.wraps);
    this.field = field;
    this.raster = null;
    this.#coasts();
  }

  /** A grid as this map lays it out. @param {import("./grid.js").Grid} grid */
  #plan(grid) {
    if (!this.polar) return grid;
    if (!this.plans.has(grid)) this.plans.set(grid, flattened(grid, this.polar));
    return this.plans.get(grid);
  }

  /** Where a place lies on the map, in the turn of longitude nearest to the view. @returns {[number, number]} */
  spot(lon, lat) {
    if (this.polar) return this.polar.forward(lon, lat);
    return [this.wraps ? near(lon, (this.view.west + this.view.east) / 2) : lon, lat];
  }

  /** The place in the middle of the view. @returns {{lon: number, lat: number}} */
  middle() {
    const [x, y] = [(this.view.west + this.view.east) / 2, (this.view.south + this.view.north) / 2];
    return this.polar ? this.polar.inverse(x, y) : { lon: x, lat: y };
  }

  /** How far one cell lies to the right of another and above it. @param {import("./grid.js").Grid} grid @returns {[number, number]} */
  offset(grid, from, to) {
    const [here, there] = [from, to].map((cell) => centreOf(this.#plan(grid), cell));
    return [this.wraps ? near(there.x - here.x, 0) : there.x - here.x, there.y - here.y];
  }

  /** @param {[number, number]} limits @param {Uint32Array} colours */
  colour(limits, colours) {
    this.limits = limits;
    this.colours = colours;
    this.draw();
  }

  draw() {
    if (!this.field || !this.limits || !this.width) return;
    this.raster ??= rasterise(this.#plan(this.field.grid), this.view, this.width, this.height);
    const image = new ImageData(this.width, this.height);
    paint(this.raster, this.field.values, this.limits, this.colours, new Uint32Array(image.data.buffer));
    this.cells.getContext("2d").putImageData(image, 0, 0);
    this.frame.dataset.view = JSON.stringify(this.view);
    this.#drawMarks();
  }

  /** @param {{lat: number, lon: number} | null} place */
  pin(place) {
    this.pinned = place;
    this.#drawMarks();
  }

  /** @param {number} cell @param {boolean} [follow] bring it into view */
  moveCursor(cell, follow = false) {
    this.cursor = cell;
    if (follow && cell >= 0) {
      const centre = centreOf(this.field.grid, cell);
      const [here, y] = this.spot(centre.x, centre.y);
      const inside = here > this.view.west && here < this.view.east && y > this.view.south && y < this.view.north;
      if (!inside) return this.look(moved(this.view, here - (this.view.west + this.view.east) / 2, y - (this.view.south + this.view.north) / 2));
    }
    this.#drawMarks();
  }

  /** @param {import("./grid.js").Box} view */
  look(view) {
    this.view = bounded(view, this.home, this.wraps);
    this.raster = null;
    this.listeners.onView(this.view === this.home ? null : this.view);
    this.#coasts();
    this.draw();
  }

  zoom(factor, about) {
    if (this.view) this.look(zoomed(this.view, factor, about));
  }

  reset() {
    if (this.home) this.look(this.home);
  }

  /** Fit the canvases to the frame, which empties them. @returns {boolean} whether they changed */
  #size() {
    const { clientWidth, clientHeight } = this.frame;
    const scale = Math.min(2, devicePixelRatio || 1);
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (width === this.width && height === this.height) return false;
    [this.width, this.height] = [width, height];
    for (const canvas of [this.cells, this.marks]) [canvas.width, canvas.height] = [this.width, this.height];
    this.raster = null;
    return true;
  }

  #resize() {
    if (this.#size()) this.draw();
  }

  async #coasts() {
    if (!this.geographic) return;
    const name = this.view.east - this.view.west < CLOSE ? "coastlines-50m.json" : "coastlines.json";
    if (this.coast === name) return;
    this.coast = name;
    const lines = await coastlines(name);
    if (this.coast === name) this.lines = lines;
    this.#drawMarks();
  }

  /** Pixel of a spot of the map. */
  pixel(x, y) {
    const { west, east, south, north } = this.view;
    return [((x - west) / (east - west)) * this.width, ((north - y) / (north - south)) * this.height];
  }

  #drawMarks() {
    if (this.view && this.width) drawMarks(this);
  }

  #fractions(event) {
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  /** The cell under a pointer; -1 where there is none. */
  cellAt(event) {
    if (!this.raster) return -1;
    const [x, y] = this.#fractions(event);
    const [column, row] = [Math.floor(x * this.width), Math.floor(y * this.height)];
    return column < 0 || row < 0 || column >= this.width || row >= this.height ? -1 : this.raster[row * this.width + column];
  }

  #listen() {
    let drag = null;
    const { frame } = this;
    frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target !== this.marks) return;
      drag = { x: event.clientX, y: event.clientY, view: this.view, far: false };
    });
    frame.addEventListener("pointermove", (event) => {
      if (!drag) return this.listeners.onHover(event.target === this.marks ? this.cellAt(event) : -1);
      this.#drag(event, drag);
    });
    frame.addEventListener("pointerup", (event) => {
      if (drag && !drag.far) this.listeners.onPick(this.cellAt(event));
      drag = null;
    });
    frame.addEventListener("pointerleave", () => this.listeners.onHover(-1));
    frame.addEventListener("pointercancel", () => (drag = null));
    frame.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  #drag(event, drag) {
    if (!drag.view || (!drag.far && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 5)) return;
    if (!drag.far) this.frame.setPointerCapture(event.pointerId);
    drag.far = true;
    const { west, east, south, north } = drag.view;
    const { clientWidth, clientHeight } = this.frame;
    this.look(moved(drag.view, ((drag.x - event.clientX) / clientWidth) * (east - west), ((event.clientY - drag.y) / clientHeight) * (north - south)));
  }

  /** Pages scroll; a map that has the focus, or a pinch, zooms. */
  #wheel(event) {
    if (!this.view || !(event.ctrlKey || event.metaKey || document.activeElement === this.frame)) return;
    event.preventDefault();
    this.zoom(1.0015 ** event.deltaY, placeAt(this.view, ...this.#fractions(event)));
  }
}
