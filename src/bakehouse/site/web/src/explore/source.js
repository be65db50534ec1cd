/** One store as the page uses it: fields, series, and what they cost. */

import { costOf } from "./cost.js";
import { axisOf, drawable, gridOf } from "./dataset.js";
import { decode, packingOf } from "./decode.js";
import { centreOf, near } from "./grid.js";
import { locate } from "./raster.js";
import { openArrays, openStore, read } from "./store.js";

/** @typedef {import("./dataset.js").Variable} Variable */
/** @typedef {import("./grid.js").Grid} Grid */
/** @typedef {{x0: number, x1: number, y0: number, y1: number}} Window elements, ends excluded */
/** @typedef {{grid: Grid, values: Float32Array | Float64Array, window: Window}} Field */

export class Source {
  /** @param {any} opened @param {Map<string, any>} arrays @param {number} zarrFormat @param {Variable[]} variables @param {number} ratio */
  constructor(opened, arrays, zarrFormat, variables, ratio) {
    Object.assign(this, { opened, arrays, zarrFormat, variables, ratio });
    this.memory = new Map();
  }

  /** @param {{url: string, zarr_format?: number, variables: {name: string}[], ratio?: number}} place */
  static async open({ url, zarr_format, variables, ratio }) {
    const opened = await openStore(url, zarr_format);
    const names = variables.map(({ name }) => name);
    const arrays = await openArrays(opened, names);
    return new Source(opened, arrays, zarr_format ?? 3, drawable(arrays, names), ratio ?? 1);
  }

  get traffic() {
    return { ...this.opened.traffic };
  }

  #once(key, make) {
    if (!this.memory.has(key)) this.memory.set(key, make().catch((error) => { this.memory.delete(key); throw error; }));
    return this.memory.get(key);
  }

  /** @param {string} name */
  variable(name) {
    return this.variables.find((each) => each.name === name) ?? null;
  }

  /** @param {Variable} variable @returns {Promise<Grid>} */
  grid(variable) {
    const key = `grid ${[variable.lat, variable.lon, variable.yDim, variable.xDim].join(" ")}`;
    return this.#once(key, () => gridOf(this.arrays, variable, this.zarrFormat));
  }

  /** @param {Variable} variable @param {string} dim */
  axis(variable, dim) {
    return this.#once(`axis ${dim}`, () => axisOf(this.arrays, dim, variable.array.shape[variable.dims.indexOf(dim)], this.zarrFormat));
  }

  /** @param {Variable} variable @param {Record<string, number>} at @param {Window} window */
  #selection(variable, at, window) {
    return variable.dims.map((dim) => {
      if (dim === variable.yDim) return { start: window.y0, stop: window.y1 };
      if (dim === variable.xDim) return { start: window.x0, stop: window.x1 };
      return at[dim];
    });
  }

  /** All of a map. @param {Variable} variable @returns {Window} */
  whole(variable) {
    const size = (dim) => (dim === null ? 1 : variable.array.shape[variable.dims.indexOf(dim)]);
    return { x0: 0, x1: size(variable.xDim), y0: 0, y1: size(variable.yDim) };
  }

  /** @param {Variable} variable @param {Record<string, number>} at @param {Window} window */
  fieldCost(variable, at, window) {
    return costOf(variable.array, this.#selection(variable, at, window), this.ratio);
  }

  /** @param {Variable} variable @param {string} dim @param {Record<string, number>} at @param {number} iy @param {number} ix */
  seriesCost(variable, dim, at, iy, ix) {
    return costOf(variable.array, this.#seriesSelection(variable, dim, at, iy, ix), this.ratio);
  }

  #seriesSelection(variable, dim, at, iy, ix) {
    const point = { ...at, [variable.yDim]: iy, ...(variable.xDim === null ? {} : { [variable.xDim]: ix }), [dim]: null };
    return variable.dims.map((each) => point[each]);
  }

  async #decoded(variable, selection, signal) {
    const { array, attrs } = variable;
    const { data, shape } = await read(array, selection, { signal });
    const packing = packingOf(attrs, { zarrFormat: this.zarrFormat, fillValue: array.fillValue, dtype: array.dtype });
    return { values: decode(data, packing, array.dtype), shape };
  }

  /** @param {Variable} variable @param {Record<string, number>} at @param {Window} window @param {AbortSignal} [signal] @returns {Promise<Field>} */
  async field(variable, at, window, signal) {
    const [grid, { values }] = await Promise.all([this.grid(variable), this.#decoded(variable, this.#selection(variable, at, window), signal)]);
    const { dims, yDim, xDim } = variable;
    const turned = xDim !== null && dims.indexOf(xDim) < dims.indexOf(yDim);
    const upright = turned ? transpose(values, window.x1 - window.x0, window.y1 - window.y0) : values;
    return { grid: cut(grid, window), values: upright, window };
  }

  /** @returns {Promise<Float32Array | Float64Array>} */
  async series(variable, dim, at, iy, ix, signal) {
    return (await this.#decoded(variable, this.#seriesSelection(variable, dim, at, iy, ix), signal)).values;
  }
}

function transpose(values, rows, columns) {
  const result = new /** @type {any} */ (values.constructor)(values.length);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column];
  return result;
}

/** The part of a grid in a window; only rectilinear grids are cut. @param {Grid} grid @param {Window} window @returns {Grid} */
function cut(grid, { x0, x1, y0, y1 }) {
  if (grid.kind !== "rectilinear" || (x1 - x0 === grid.x.length && y1 - y0 === grid.y.length)) return grid;
  return { ...grid, x: grid.x.slice(x0, x1), y: grid.y.slice(y0, y1), xEdges: grid.xEdges.slice(x0, x1 + 1), yEdges: grid.yEdges.slice(y0, y1 + 1) };
}

/**
 * The cells of a rectilinear grid that a view shows; all columns where the view crosses the grid's seam.
 * @param {Grid} grid @param {import("./grid.js").Box} view @param {Window} whole @returns {Window}
 */
export function windowOf(grid, view, whole) {
  if (grid.kind !== "rectilinear") return whole;
  const [x0, x1] = between(grid.xEdges, ...seamless(grid, view));
  const [y0, y1] = between(grid.yEdges, view.south, view.north);
  return { x0, x1, y0, y1 };
}

function seamless(grid, { west, east }) {
  if (!grid.geographic) return [west, east];
  const [low, high] = [Math.min(grid.xEdges[0], grid.xEdges.at(-1)), Math.max(grid.xEdges[0], grid.xEdges.at(-1))];
  const from = west - 360 * Math.floor((west - low) / 360);
  return from + (east - west) > high && from < high && high - low > 359 ? [low, high] : [from > high ? from - 360 : from, from > high ? from - 360 + (east - west) : from + (east - west)];
}

function between(all, low, high) {
  const n = all.length - 1;
  const [least, most] = [Math.min(all[0], all[n]), Math.max(all[0], all[n])];
  const ends = [Math.max(low, least), Math.min(high, most)].map((value) => locate(all, Math.min(most, Math.max(least, value))));
  return [Math.min(...ends), Math.max(...ends) + 1];
}

/**
 * Indices in the array of a cell of a field.
 * @param {Field} field @param {number} cell
 */
export function indicesOf(field, cell) {
  const width = field.window.x1 - field.window.x0;
  return { iy: field.window.y0 + Math.floor(cell / width), ix: field.window.x0 + (cell % width) };
}

/** Where a cell is, longitudes within ±180. @param {Field} field @param {number} cell */
export function placeOf(field, cell) {
  const { x, y } = centreOf(field.grid, cell);
  const plain = field.grid.kind === "rectilinear" && !field.grid.geographic;
  return { lat: y, lon: plain ? x : near(x, 0) };
}
