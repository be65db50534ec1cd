/**
 * Blosc 1 chunks: blocks of streams of an inner codec, shuffled by byte or by bit.
 * @see https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst
 */

import { unzlibSync } from "fflate";
import { decompress } from "fzstd";
import { decodeBlock, repeat } from "./lz4.js";

const HEADER = 16;
const FLAG = { shuffle: 0x01, copied: 0x02, bitshuffle: 0x04, whole: 0x10 };
/** A block of fewer elements is one stream. */
const LEAST_SPLIT = 128;
const MOST_SPLITS = 16;

/** By the number in the header's upper three bits; 2 is snappy, which zarr writers don't offer. */
const INNER = [
  decodeBloscLz,
  decodeBlock,
  null,
  (source, target) => target.set(unzlibSync(source, { out: new Uint8Array(target.length) })),
  (source, target) => target.set(decompress(source)),
];

/** BloscLZ: a byte below 32 counts literals, any other begins a match. */
function decodeBloscLz(source, target) {
  let [from, to] = [0, 0];
  let control = source[from++] & 31;
  for (;;) {
    if (control < 32) {
      target.set(source.subarray(from, from + control + 1), to);
      [from, to] = [from + control + 1, to + control + 1];
    } else {
      let length = (control >> 5) + 2;
      let distance = (control & 31) << 8;
      if (length === 9) {
        let byte;
        do length += byte = source[from++];
        while (byte === 255);
      }
      const low = source[from++];
      distance += low;
      if (low === 255 && distance === 8191) {
        distance = (source[from] << 8) + source[from + 1] + 8191;
        from += 2;
      }
      to = repeat(target, to, distance + 1, length);
    }
    if (from >= source.length) break;
    control = source[from++];
  }
  if (to !== target.length) throw new Error("damaged BloscLZ block");
}

/** Bytes of like significance lie together. */
function unshuffle(source, target, size) {
  const count = Math.floor(target.length / size);
  for (let byte = 0; byte < size; byte++) {
    for (let i = 0, at = byte, from = byte * count; i < count; i++, at += size, from++) target[at] = source[from];
  }
  target.set(source.subarray(count * size), count * size);
}

/** Bits of like significance lie together; only a multiple of eight elements is shuffled. */
function unshuffleBits(source, target, size) {
  const count = Math.floor(target.length / size);
  if (count % 8) return target.set(source);
  target.fill(0);
  for (let bit = 0; bit < 8 * size; bit++) {
    const row = bit * (count / 8);
    const [byte, mask] = [bit >> 3, 1 << (bit & 7)];
    for (let group = 0; group < count / 8; group++) {
      let bits = source[row + group];
      for (let i = 8 * group; bits; bits >>= 1, i++) if (bits & 1) target[i * size + byte] |= mask;
    }
  }
  target.set(source.subarray(count * size), count * size);
}

/** Decode the streams of a block. */
function decodeStreams(bytes, view, start, block, streams, inner) {
  const length = block.length / streams;
  let from = start;
  for (let stream = 0; stream < streams; stream++) {
    const stored = view.getInt32(from, true);
    const source = bytes.subarray(from + 4, from + 4 + stored);
    const target = block.subarray(stream * length, (stream + 1) * length);
    if (stored === length) target.set(source);
    else inner(source, target);
    from += 4 + stored;
  }
}

/** @param {Uint8Array} bytes @returns {Uint8Array} */
export function decodeChunk(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [flags, size] = [bytes[2], bytes[3]];
  const [total, blockSize] = [view.getUint32(4, true), view.getUint32(8, true)];
  if (flags & FLAG.copied) return bytes.slice(HEADER, HEADER + total);
  const inner = INNER[flags >> 5];
  if (!inner) throw new Error(`Blosc's codec number ${flags >> 5} is not known`);
  const result = new Uint8Array(total);
  for (let start = 0, index = 0; start < total; start += blockSize, index++) {
    const target = result.subarray(start, Math.min(total, start + blockSize));
    const split = !(flags & FLAG.whole) && target.length === blockSize && size <= MOST_SPLITS && blockSize / size >= LEAST_SPLIT;
    const block = flags & (FLAG.shuffle | FLAG.bitshuffle) ? new Uint8Array(target.length) : target;
    decodeStreams(bytes, view, view.getInt32(HEADER + 4 * index, true), block, split ? size : 1, inner);
    if (flags & FLAG.shuffle) unshuffle(block, target, size);
    else if (flags & FLAG.bitshuffle) unshuffleBits(block, target, size);
  }
  return result;
}

export default class Blosc {
  static fromConfig() {
    return new Blosc();
  }

  /** @param {Uint8Array} bytes */
  decode(bytes) {
    return decodeChunk(bytes);
  }
}
