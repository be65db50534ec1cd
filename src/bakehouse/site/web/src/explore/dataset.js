/** What the arrays of a store are: variables that have a map, their axes, and where their cells lie. */

import { costOf } from "./cost.js";
import { decode, packingOf } from "./decode.js";
import { curvilinear, plane, rectilinear, scattered, unrotate } from "./grid.js";
import { unstereographic } from "./projection.js";
import { boundsOf, coordinatesOf, dimsOf, read } from "./store.js";
import { parseTimeUnits, timeAxis } from "./times.js";

/** @typedef {{name: string, size: number, kind: "time" | "vertical" | "other", label: (index: number) => string, days?: Float64Array, calendar?: string, values?: any[], units?: string}} Axis */
/** @typedef {{name: string, array: any, dims: string[], attrs: Record<string, any>, lon: string | null, lat: string | null, yDim: string, xDim: string | null, mapping: Record<string, any> | null, others: string[]}} Variable */

const DEGREES_NORTH = /^degrees?_?(n|north)$/i;
const DEGREES_EAST = /^degrees?_?(e|east)$/i;

/** @param {any} array */
function isLatitude(array, name) {
  const { standard_name, units } = array.attrs;
  if (standard_name) return standard_name === "latitude";
  return DEGREES_NORTH.test(units ?? "") || (/^(lat|latitude)$/i.test(name) && !units);
}

function isLongitude(array, name) {
  const { standard_name, units } = array.attrs;
  if (standard_name) return standard_name === "longitude";
  return DEGREES_EAST.test(units ?? "") || (/^(lon|longitude)$/i.test(name) && !units);
}

/**
 * Find latitude and longitude of an array: its dimensions' own, those it names, or any that fit.
 * @param {Map<string, any>} arrays
 */
function horizontal(arrays, array) {
  const dims = dimsOf(array);
  const fits = ([name, each]) => each !== array && each.shape.length > 0 && dimsOf(each).every((dim) => dims.includes(dim)) && arrays.has(name);
  const named = new Set([...dims, ...coordinatesOf(array)]);
  const candidates = [...arrays].filter(fits).sort(([a], [b]) => Number(named.has(b)) - Number(named.has(a)));
  const lat = candidates.find(([name, each]) => isLatitude(each, name))?.[0] ?? null;
  const lon = candidates.find(([name, each]) => isLongitude(each, name))?.[0] ?? null;
  return lat && lon ? { lat, lon } : null;
}

function axisDim(arrays, dims, letter, names) {
  return dims.find((dim) => arrays.get(dim)?.attrs.axis === letter || names.includes(arrays.get(dim)?.attrs.standard_name)) ?? null;
}

/** Projections whose latitudes and longitudes this page works out itself. */
const UNPROJECTED = { rotated_latitude_longitude: unrotate, polar_stereographic: unstereographic };

/** The projection of a grid that gives no latitudes and longitudes, if it is one of those known here. */
function mappingOf(arrays, array) {
  const found = coordinatesOf(array).map((name) => arrays.get(name)?.attrs).find((attrs) => attrs?.grid_mapping_name in UNPROJECTED);
  return found ?? null;
}

/**
 * Describe an array as something that can be drawn, if it can.
 * @param {Map<string, any>} arrays @param {string} name @returns {Variable | null}
 */
export function describe(arrays, name) {
  const array = arrays.get(name);
  if (!array || !(array.is("number") || array.is("bigint") || array.is("boolean"))) return null;
  const dims = dimsOf(array);
  const found = horizontal(arrays, array);
  const place = found ? geographic(arrays, dims, found) : planar(arrays, array, dims);
  if (!place) return null;
  const others = dims.filter((dim) => dim !== place.yDim && dim !== place.xDim);
  return { name, array, dims, attrs: array.attrs, ...place, others };
}

function geographic(arrays, dims, { lat, lon }) {
  const [latDims, lonDims] = [dimsOf(arrays.get(lat)), dimsOf(arrays.get(lon))];
  const base = { lat, lon, mapping: null };
  if (latDims.length === 1 && lonDims.length === 1) {
    return { ...base, yDim: latDims[0], xDim: latDims[0] === lonDims[0] ? null : lonDims[0] };
  }
  if (latDims.length !== 2 || latDims.join() !== lonDims.join()) return null;
  return { ...base, yDim: latDims[0], xDim: latDims[1] };
}

function planar(arrays, array, dims) {
  const y = axisDim(arrays, dims, "Y", ["projection_y_coordinate", "grid_latitude"]);
  const x = axisDim(arrays, dims, "X", ["projection_x_coordinate", "grid_longitude"]);
  const names = y && x ? [y, x] : /^(y|lat|j|nj|rlat)$/i.test(dims.at(-2) ?? "") ? dims.slice(-2) : null;
  return names && { lat: null, lon: null, yDim: names[0], xDim: names[1], mapping: mappingOf(arrays, array) };
}

/**
 * All variables that have a map; those that the entry names come first, in its order.
 * @param {Map<string, any>} arrays @param {string[]} named
 */
export function drawable(arrays, named) {
  const supporting = new Set([...arrays.values()].flatMap((array) => [...dimsOf(array), ...coordinatesOf(array), boundsOf(array)]));
  const isData = (name) => named.includes(name) || (!supporting.has(name) && !named.length);
  const names = [...named.filter((name) => arrays.has(name)), ...[...arrays.keys()].filter((name) => !named.includes(name))];
  return names.filter(isData).map((name) => describe(arrays, name)).filter((each) => each !== null);
}

/** Read a coordinate as numbers and NaN, or as text. @param {Map<string, any>} arrays @param {string} name */
export async function readCoordinate(arrays, name, zarrFormat) {
  const array = arrays.get(name);
  const { data } = await read(array, array.shape.map(() => null));
  if (!ArrayBuffer.isView(data)) return data;
  return decode(data, packingOf(array.attrs, { zarrFormat, fillValue: array.fillValue, dtype: array.dtype }), array.dtype);
}

/**
 * The moments, levels or members along a dimension.
 * @param {Map<string, any>} arrays @param {string} dim @param {number} size @returns {Promise<Axis>}
 */
export async function axisOf(arrays, dim, size, zarrFormat) {
  const array = arrays.get(dim);
  const bare = { name: dim, size, kind: /** @type {const} */ ("other"), label: (index) => `${index + 1} of ${size}` };
  if (!array || array.shape.length !== 1 || array.shape[0] !== size) return bare;
  if (Math.ceil(size / array.chunks[0]) > 500) return bare;
  const { standard_name, units, axis, positive } = array.attrs;
  const isTime = parseTimeUnits(units, array.attrs.calendar) !== null;
  const { data } = await read(array, [null]);
  if (isTime) {
    const times = timeAxis(data, array.attrs);
    return { name: dim, size, kind: "time", label: times.labels, days: times.days, calendar: times.calendar };
  }
  const values = Array.from(data, (value) => (typeof value === "bigint" ? Number(value) : value));
  const vertical = axis === "Z" || positive || /(altitude|height|depth|pressure|sigma)/.test(standard_name ?? "");
  const unit = typeof values[0] === "number" && units && units !== "1" ? ` ${units}` : "";
  const label = (index) => `${typeof values[index] === "number" ? Number(values[index].toPrecision(7)) : values[index]}${unit}`;
  return { name: dim, size, kind: vertical ? "vertical" : "other", label, values, units };
}

/** Corners are four times as many as cells, and more: those that decode to more than this are not read. */
const BOUNDS_BYTES = 100e6;

/**
 * What a coordinate's `bounds` say, where they are of its shape and not too many.
 * @param {Map<string, any>} arrays @param {string} name
 * @returns {Promise<ArrayLike<number> | null>}
 */
async function boundsAlong(arrays, name, zarrFormat) {
  const [place, bounds] = [arrays.get(name), arrays.get(boundsOf(arrays.get(name)))];
  const fits = bounds && bounds.shape.length === place.shape.length + 1 && place.shape.every((size, axis) => size === bounds.shape[axis]);
  if (!fits || costOf(bounds, bounds.shape.map(() => null)).bytes > BOUNDS_BYTES) return null;
  return readCoordinate(arrays, boundsOf(place), zarrFormat).catch(() => null);
}

/** The corners of cells with places of their own. @returns {Promise<import("./corners.js").Bounds | null>} */
async function cornersOf(arrays, { lon, lat }, zarrFormat) {
  const [lons, lats] = await Promise.all([boundsAlong(arrays, lon, zarrFormat), boundsAlong(arrays, lat, zarrFormat)]);
  const per = arrays.get(boundsOf(arrays.get(lon)))?.shape.at(-1);
  return lons && lats && lons.length === lats.length && per > 2 ? { lon: lons, lat: lats, per } : null;
}

/**
 * Where the cells of a variable lie.
 * @param {Map<string, any>} arrays @param {Variable} variable @returns {Promise<import("./grid.js").Grid>}
 */
export async function gridOf(arrays, variable, zarrFormat) {
  const { lat, lon, yDim, xDim, dims, array, mapping } = variable;
  const size = (dim) => array.shape[dims.indexOf(dim)];
  if (!lat) {
    const along = (dim) => (arrays.has(dim) && arrays.get(dim).shape.length === 1 ? readCoordinate(arrays, dim, zarrFormat) : Float64Array.from({ length: size(dim) }, (_, i) => i));
    const [x, y] = await Promise.all([along(xDim), along(yDim)]);
    return mapping ? unprojected(x, y, mapping, /^km$|kilomet/i.test(arrays.get(xDim)?.attrs.units ?? "") ? 1000 : 1) : plane(x, y);
  }
  const [lons, lats] = await Promise.all([readCoordinate(arrays, lon, zarrFormat), readCoordinate(arrays, lat, zarrFormat)]);
  if (xDim !== null && arrays.get(lat).shape.length === 1) {
    const [west, south] = await Promise.all([boundsAlong(arrays, lon, zarrFormat), boundsAlong(arrays, lat, zarrFormat)]);
    return rectilinear(lons, lats, { lon: west, lat: south });
  }
  const bounds = await cornersOf(arrays, variable, zarrFormat);
  return xDim === null ? scattered(lons, lats, bounds) : curvilinear(lons, lats, size(yDim), size(xDim), bounds);
}

function unprojected(x, y, mapping, metres) {
  const scaled = [x, y].map((each) => (metres === 1 ? each : Float64Array.from(each, (value) => value * metres)));
  const { lon, lat } = UNPROJECTED[mapping.grid_mapping_name](scaled[0], scaled[1], mapping);
  return curvilinear(lon, lat, y.length, x.length);
}
