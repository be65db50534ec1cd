/** What a read costs before it is made: whole chunks are fetched, so a small selection may cost much. */

const WIDTHS = { int8: 1, uint8: 1, bool: 1, int16: 2, uint16: 2, float16: 2, int32: 4, uint32: 4, float32: 4 };

/** Above this a reader is asked first. */
export const ASK_BYTES = 50e6;
export const ASK_REQUESTS = 1000;

/**
 * @param {{shape: number[], chunks: number[], dtype: string}} array
 * @param {(number | null | {start: number, stop: number})[]} selection @param {number} [ratio] stored by decoded bytes, if it is known
 * @returns {{requests: number, bytes: number}} chunks, and their bytes: at most, where the ratio is not known
 */
export function costOf(array, selection, ratio = 1) {
  const touched = selection.map((part, axis) => {
    if (typeof part === "number") return 1;
    const [start, stop] = part ? [part.start, part.stop] : [0, array.shape[axis]];
    return Math.floor((stop - 1) / array.chunks[axis]) - Math.floor(start / array.chunks[axis]) + 1;
  });
  const requests = touched.reduce((a, b) => a * b, 1);
  const bytes = array.chunks.reduce((a, b) => a * b, 1) * (WIDTHS[array.dtype] ?? 8);
  return { requests, bytes: requests * bytes * ratio };
}

/** @param {{requests: number, bytes: number}} cost */
export const isDear = (cost) => cost.bytes > ASK_BYTES || cost.requests > ASK_REQUESTS;
