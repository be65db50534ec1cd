/** A zarr store over HTTP: counted, remembered, and clear about what went wrong. */

import * as zarr from "zarrita";
import { StoreError, whyFetchFailed, whyStatus } from "./trouble.js";

/** @typedef {{requests: number, bytes: number}} Traffic */

/** How many compressed bytes are kept to draw neighbouring moments of one chunk without asking again. */
const KEPT_BYTES = 96e6;

/**
 * Bytes by key, the least recently used dropped first. Speaks zarrita's `ByteCache`.
 */
class Recent {
  #entries = new Map();
  #size = 0;

  has(key) {
    return this.#entries.has(key);
  }

  get(key) {
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key, value) {
    this.#size += value?.length ?? 0;
    this.#entries.set(key, value);
    for (const [oldest, bytes] of this.#entries) {
      if (this.#size <= KEPT_BYTES || oldest === key) break;
      this.#size -= bytes?.length ?? 0;
      this.#entries.delete(oldest);
    }
  }
}

/**
 * Fetch, count, and turn what fails into an error that says what to change.
 * @param {Traffic} traffic @returns {(request: Request) => Promise<Response>}
 */
function fetcher(traffic) {
  return async (request) => {
    traffic.requests += 1;
    const response = await fetch(request).catch(async (error) => {
      if (error?.name === "AbortError") throw error;
      throw await whyFetchFailed(request.url);
    });
    if (response.status === 404) return response;
    if (!response.ok) throw whyStatus(request.url, response.status);
    const body = new Uint8Array(await response.arrayBuffer());
    if (request.method === "HEAD") return response;
    traffic.bytes += body.length;
    return new Response(asAsked(body, request, response.status), { status: 200 });
  };
}

/** A server that ignores `Range` sends the whole object; cut out what was asked for. */
function asAsked(body, request, status) {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("Range") ?? "");
  return range && status === 200 ? body.slice(Number(range[1]), Number(range[2]) + 1) : body;
}

/**
 * numcodecs' shuffle, by the element size that it was written with, which need not be the array's.
 */
class Shuffle {
  kind = "bytes_to_bytes";
  static fromConfig({ elementsize = 4 }) {
    return Object.assign(new Shuffle(), { size: elementsize });
  }
  /** @param {Uint8Array} bytes */
  decode(bytes) {
    const count = Math.floor(bytes.length / this.size);
    const result = bytes.slice();
    for (let byte = 0; byte < this.size; byte++) {
      for (let i = 0; i < count; i++) result[i * this.size + byte] = bytes[byte * count + i];
    }
    return result;
  }
}

/** HDF5's checksum of four bytes behind each chunk. */
class Fletcher32 {
  kind = "bytes_to_bytes";
  static fromConfig() {
    return new Fletcher32();
  }
  decode(bytes) {
    return bytes.subarray(0, bytes.length - 4);
  }
}

// zarrita 0.7 takes shuffle's element size from the data type, and has no fletcher32.
for (const prefix of ["", "numcodecs."]) {
  zarr.registry.set(`${prefix}shuffle`, () => Shuffle);
  zarr.registry.set(`${prefix}fletcher32`, () => Fletcher32);
}

/**
 * Open the root of a store.
 * @param {string} url @param {number} [zarrFormat]
 */
export async function openStore(url, zarrFormat) {
  const traffic = { requests: 0, bytes: 0 };
  const address = new URL(url, document.baseURI);
  const raw = new zarr.FetchStore(address, { fetch: fetcher(traffic) });
  const cached = zarr.withByteCaching(zarr.withRangeCoalescing(raw), { cache: new Recent() });
  const format = zarrFormat === 2 ? "v2" : "v3";
  const store = await zarr.withMaybeConsolidatedMetadata(cached, { format }).catch((error) => {
    // A bucket that hides its listing answers 403 for an object that is not there.
    if (error instanceof StoreError && error.status === 403) return cached;
    throw error;
  });
  return { store, root: zarr.root(store), open: zarrFormat === 2 ? zarr.open.v2 : zarr.open.v3, url: address.href, traffic };
}

/**
 * Open the arrays of a store: all of them if the store lists them, else those that are named.
 * @param {Awaited<ReturnType<typeof openStore>>} opened @param {string[]} names
 * @returns {Promise<Map<string, any>>} zarrita arrays by name
 */
export async function openArrays(opened, names) {
  const listed = opened.store.contents?.().filter(({ kind }) => kind === "array").map(({ path }) => path.slice(1));
  const arrays = new Map();
  const add = async (name, needed) => {
    if (arrays.has(name)) return;
    const array = await opened.open(opened.root.resolve(name), { kind: "array" }).catch((error) => {
      if (needed) throw error;
    });
    if (array) arrays.set(name, array);
  };
  await Promise.all((listed ?? names).map((name) => add(name, !listed)));
  if (!listed) {
    const named = [...arrays.values()].flatMap((array) => [...dimsOf(array), ...coordinatesOf(array)]);
    await Promise.all([...new Set(named)].map((name) => add(name, false)));
    await Promise.all([...arrays.values()].map(boundsOf).filter(Boolean).map((name) => add(name, false)));
  }
  if (arrays.size === 0) throw new StoreError("No array could be opened in this store.", { url: opened.url, fix: "Check that its address is the root of a zarr store." });
  return arrays;
}

/** Names of an array's dimensions, in either format. @returns {string[]} */
export function dimsOf(array) {
  return array.dimensionNames ?? array.attrs._ARRAY_DIMENSIONS ?? array.shape.map((_, i) => `dim_${i}`);
}

/** What CF's `coordinates` and `grid_mapping` attributes name. @returns {string[]} */
export function coordinatesOf(array) {
  const { coordinates, grid_mapping } = array.attrs;
  return `${coordinates ?? ""} ${grid_mapping ?? ""}`.split(/[\s:]+/).filter(Boolean);
}

/** The array that holds the bounds of a coordinate's cells. @returns {string | undefined} */
export function boundsOf(array) {
  return array?.attrs.bounds;
}

/**
 * Read a selection of an array as stored.
 * @param {any} array @param {(number | null | {start: number, stop: number})[]} selection
 */
export async function read(array, selection, options = {}) {
  const wanted = selection.map((part) => (part && typeof part === "object" ? zarr.slice(part.start, part.stop) : part));
  const got = await zarr.get(array, wanted.length ? wanted : null, options);
  if (got === null || typeof got !== "object" || !("data" in got)) return { data: [got], shape: [] };
  return inOrder(got);
}

/** Values in C order, whatever the strides of the result are. */
function inOrder({ data, shape, stride }) {
  const plain = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  if (shape.every((size, axis) => size < 2 || stride[axis] === plain[axis])) return { data: typedOr(data), shape };
  const result = new (data.constructor === Array ? Array : data.constructor)(data.length);
  const index = new Array(shape.length).fill(0);
  for (let i = 0; i < data.length; i++) {
    result[i] = data[index.reduce((sum, at, axis) => sum + at * stride[axis], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return { data: result, shape };
}

/** zarrita's own containers of strings and booleans are iterable, not indexable. */
function typedOr(data) {
  return ArrayBuffer.isView(data) || Array.isArray(data) ? data : Array.from(data);
}
