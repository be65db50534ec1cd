/** CF packing: what is stored, to values and NaN, as xarray decodes it. */

/** @typedef {{fills: number[], scale: number, offset: number, unsigned: boolean}} Packing */

/**
 * xarray writes `_FillValue` of a float array into zarr v3 as base64 of eight little-endian bytes.
 * @param {unknown} value @returns {number | null}
 */
export function fillNumber(value) {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return fillNumber(value[0]);
  if (typeof value !== "string") return Number(value);
  if (/^[A-Za-z0-9+/]{11}=$/.test(value)) {
    const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
    return new DataView(bytes.buffer).getFloat64(0, true);
  }
  const named = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity };
  return value in named ? named[value] : Number(value);
}

/**
 * How an array is packed. A v2 array's `fill_value` marks missing values; a v3 array's does not.
 * @param {Record<string, unknown>} attrs @param {{zarrFormat: number, fillValue?: unknown, dtype: string}} array @returns {Packing}
 */
export function packingOf(attrs, array) {
  const missing = Array.isArray(attrs.missing_value) ? attrs.missing_value : [attrs.missing_value];
  const stated = [attrs._FillValue, ...missing, array.zarrFormat === 2 ? array.fillValue : null];
  const round = array.dtype === "float32" ? Math.fround : (value) => value;
  const numbers = stated.map(fillNumber).filter((value) => value !== null && !Number.isNaN(value)).map(round);
  return {
    fills: [...new Set(numbers)],
    scale: Number(attrs.scale_factor ?? 1),
    offset: Number(attrs.add_offset ?? 0),
    unsigned: attrs._Unsigned === "true" && /^int/.test(array.dtype),
  };
}

const UNSIGNED = { int8: Uint8Array, int16: Uint16Array, int32: Uint32Array };

/**
 * Decode stored values. The result keeps single precision where nothing more was stored.
 * @param {ArrayLike<number | bigint | boolean>} stored @param {Packing} packing @param {string} dtype
 * @returns {Float32Array | Float64Array}
 */
export function decode(stored, packing, dtype) {
  const packed = packing.scale !== 1 || packing.offset !== 0;
  const single = !packed && /^(float32|float16|u?int(8|16)|bool)$/.test(dtype);
  const values = new (single ? Float32Array : Float64Array)(stored.length);
  const Unsigned = packing.unsigned ? UNSIGNED[dtype] : undefined;
  const source = Unsigned ? new Unsigned(/** @type {any} */ (stored).buffer, /** @type {any} */ (stored).byteOffset, stored.length) : stored;
  const fills = Unsigned ? packing.fills.map((fill) => Unsigned.of(fill)[0]) : packing.fills;
  for (let i = 0; i < values.length; i++) {
    const raw = Number(source[i]);
    values[i] = fills.includes(raw) ? NaN : packed ? raw * packing.scale + packing.offset : raw;
  }
  return values;
}
