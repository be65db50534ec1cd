/** What lies over the cells: lines of latitude and longitude, coasts, the pin and the cursor. */

import { niceTicks } from "../shared/ticks.js";
import { centreOf, near } from "./grid.js";

/** @param {number} value @param {string} positive @param {string} negative */
function degrees(value, positive, negative) {
  const plain = Number(Math.abs(value).toFixed(4));
  return `${plain}°${value === 0 || plain === 180 ? "" : value > 0 ? positive : negative}`;
}

/** Draw what lies over the cells, anew. @param {import("./map.js").MapView} map */
export function drawMarks(map) {
  new Marks(map).all();
}

class Marks {
  /** @param {import("./map.js").MapView} map */
  constructor(map) {
    const { view, width, height, polar, wraps, geographic } = map;
    Object.assign(this, { map, view, width, height, polar, wraps, geographic });
    this.context = map.marks.getContext("2d");
    this.scale = Math.min(2, devicePixelRatio || 1);
    this.style = getComputedStyle(map.frame);
  }

  all() {
    const { context, scale, style, map } = this;
    context.clearRect(0, 0, this.width, this.height);
    if (this.polar) this.#drawPolarGrid(context, scale, style);
    else this.#drawGrid(context, scale, style);
    if (this.geographic) this.#drawCoasts(context, scale, style);
    if (map.pinned) this.#drawPin(context, scale, style);
    if (map.cursor >= 0 && map.field) this.#drawCursor(context, scale);
  }

  #drawGrid(context, scale, style) {
    const { west, east, south, north } = this.view;
    const step = (low, high) => niceTicks(low, high, 5).filter((each) => each > low && each < high);
    const xs = this.geographic && east - west > 150 ? [-180, -120, -60, 0, 60, 120, 180, 240, 300].filter((x) => x > west && x < east) : step(west, east);
    const ys = this.geographic && north - south > 90 ? [-60, -30, 0, 30, 60] : step(south, north);
    context.strokeStyle = style.getPropertyValue("--map-grid");
    context.lineWidth = scale * 0.6;
    context.beginPath();
    for (const x of xs) context.rect(this.map.pixel(x, 0)[0], -1, 0, this.height + 2);
    for (const y of ys) context.rect(-1, this.map.pixel(0, y)[1], this.width + 2, 0);
    context.stroke();
    this.#label(context, scale, style, xs, ys);
  }

  /** Circles of latitude and meridians around the pole. */
  #drawPolarGrid(context, scale, style) {
    const { pole } = this.polar;
    const lats = [15, 30, 45, 60, 70, 80].map((lat) => pole * lat);
    const lons = Array.from({ length: 12 }, (_, i) => -150 + 30 * i);
    const line = (places) => places.forEach(([lon, lat], i) => (i ? context.lineTo(...this.map.pixel(...this.map.spot(lon, lat))) : context.moveTo(...this.map.pixel(...this.map.spot(lon, lat)))));
    context.strokeStyle = style.getPropertyValue("--map-grid");
    context.lineWidth = scale * 0.6;
    context.beginPath();
    for (const lat of lats) line(Array.from({ length: 121 }, (_, i) => [3 * i, lat]));
    for (const lon of lons) line([[lon, pole * (lon % 90 ? 80 : 90)], [lon, 0]]);
    context.stroke();
    const write = this.#writer(context, scale, style);
    context.textAlign = "center";
    for (const lat of lats) write(degrees(lat, "N", "S"), ...this.map.pixel(...this.map.spot(pole > 0 ? 45 : 135, lat)));
    for (const lon of lons) this.#writeMeridian(write, lon, scale);
  }

  /** A meridian's label, where it leaves the view. */
  #writeMeridian(write, lon, scale) {
    const [x, y] = this.map.spot(lon, this.polar.pole * 89);
    const [cx, cy] = this.map.pixel(0, 0);
    const [dx, dy] = [x, -y].map((each) => each / Math.hypot(x, y));
    const until = (from, along, size, margin) => (along > 0 ? (size - margin - from) / along : along < 0 ? (margin - from) / along : Infinity);
    const far = Math.min(until(cx, dx, this.width, 26 * scale), until(cy, dy, this.height, 16 * scale));
    if (far > 40 * scale) write(degrees(lon, "E", "W"), cx + far * dx, cy + far * dy + 4 * scale);
  }

  #label(context, scale, style, xs, ys) {
    const text = (value, positive, negative) => (this.geographic ? degrees(value, positive, negative) : String(Number(value.toPrecision(5))));
    const write = this.#writer(context, scale, style);
    context.textAlign = "center";
    for (const x of xs) write(text(this.geographic ? near(x, 0) : x, "E", "W"), this.map.pixel(x, 0)[0], this.height - 6 * scale);
    context.textAlign = "left";
    for (const y of ys) if (this.map.pixel(0, y)[1] < this.height - 24 * scale && this.map.pixel(0, y)[1] > 20 * scale) write(text(y, "N", "S"), 6 * scale, this.map.pixel(0, y)[1] - 4 * scale);
  }

  /** Writes with a halo, so that it can be read on any colour. */
  #writer(context, scale, style) {
    context.font = `${11 * scale}px ${style.fontFamily}`;
    context.lineJoin = "round";
    return (words, x, y) => {
      context.lineWidth = 3 * scale;
      context.strokeStyle = style.getPropertyValue("--map-halo");
      context.strokeText(words, x, y);
      context.fillStyle = style.getPropertyValue("--map-ink");
      context.fillText(words, x, y);
    };
  }

  #drawCoasts(context, scale, style) {
    const path = this.polar ? this.#polarCoasts() : this.#flatCoasts();
    context.lineJoin = "round";
    for (const [name, width] of [["--map-halo", 2.2], ["--map-coast", 0.9]]) {
      context.strokeStyle = style.getPropertyValue(name);
      context.lineWidth = width * scale;
      context.stroke(path);
    }
  }

  /** Coasts of the half of the globe that is seen, and some more. */
  #polarCoasts() {
    const path = new Path2D();
    for (const line of this.map.lines) {
      let pen = false;
      for (const [lon, lat] of line) {
        const seen = lat * this.polar.pole > -20;
        if (seen) path[pen ? "lineTo" : "moveTo"](...this.map.pixel(...this.map.spot(lon, lat)));
        pen = seen;
      }
    }
    return path;
  }

  #flatCoasts() {
    const path = new Path2D();
    const { west, east } = this.view;
    for (let turn = 360 * Math.ceil((west - 180) / 360); turn - 180 < east; turn += 360) {
      for (const line of this.map.lines) {
        if (line.every(([x]) => x + turn < west) || line.every(([x]) => x + turn > east)) continue;
        line.forEach(([x, y], i) => (i ? path.lineTo(...this.map.pixel(x + turn, y)) : path.moveTo(...this.map.pixel(x + turn, y))));
      }
    }
    return path;
  }

  #drawPin(context, scale, style) {
    const [px, py] = this.map.pixel(...this.map.spot(this.map.pinned.lon, this.map.pinned.lat));
    context.beginPath();
    context.arc(px, py, 6 * scale, 0, 2 * Math.PI);
    context.fillStyle = style.getPropertyValue("--map-pin");
    context.fill();
    for (const [colour, width] of [["#111", 5], ["#fff", 2.5]]) {
      context.lineWidth = width * scale;
      context.strokeStyle = colour;
      context.stroke();
    }
    context.fill();
  }

  #drawCursor(context, scale) {
    const { x, y } = centreOf(this.map.field.grid, this.map.cursor);
    const [px, py] = this.map.pixel(...this.map.spot(x, y));
    for (const [colour, width] of [["#fff", 4], ["#111", 1.8]]) {
      context.beginPath();
      context.arc(px, py, 8 * scale, 0, 2 * Math.PI);
      context.lineWidth = width * scale;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
}
