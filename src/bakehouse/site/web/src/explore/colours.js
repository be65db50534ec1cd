/** The colormaps that entries name, and limits that suit values. */

import tables from "./colormaps.json" with { type: "json" };

export const NAMES = Object.keys(tables);

/**
 * 256 colours as R, G, B, A bytes in memory, whatever the machine's byte order.
 * @param {string} name @returns {Uint32Array}
 */
export function colours(name) {
  const hex = tables[name] ?? tables.viridis;
  const bytes = new Uint8Array(256 * 4).fill(255);
  for (let i = 0; i < 256; i++) for (let k = 0; k < 3; k++) bytes[4 * i + k] = parseInt(hex.slice(6 * i + 2 * k, 6 * i + 2 * k + 2), 16);
  return new Uint32Array(bytes.buffer);
}

/**
 * The 2nd and 98th percentile; both ends where these are one.
 * @param {ArrayLike<number>} values @returns {[number, number] | null} null where nothing is finite
 */
export function fitLimits(values) {
  const stride = Math.max(1, Math.floor(values.length / 50000));
  const sample = [];
  for (let i = 0; i < values.length; i += stride) if (Number.isFinite(values[i])) sample.push(values[i]);
  if (!sample.length && stride > 1) for (const value of Array.from(values)) if (Number.isFinite(value)) sample.push(value);
  if (!sample.length) return null;
  sample.sort((a, b) => a - b);
  const at = (part) => sample[Math.round(part * (sample.length - 1))];
  const [low, high] = at(0.98) > at(0.02) ? [at(0.02), at(0.98)] : [at(0), at(1)];
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}

/** How many values lie in each of some bins between the limits. */
export function histogram(values, [low, high], bins = 48) {
  const counts = new Uint32Array(bins);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor(((values[i] - low) / (high - low)) * bins);
    if (bin >= 0 && bin < bins) counts[bin] += 1;
  }
  return counts;
}
