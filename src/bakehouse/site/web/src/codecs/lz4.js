/** LZ4 blocks. @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */

/**
 * Decode one block into a buffer.
 * @param {Uint8Array} source @param {Uint8Array} target exactly as long as the decoded block
 */
export function decodeBlock(source, target) {
  let [from, to] = [0, 0];
  const lengthened = (length) => {
    if (length < 15) return length;
    let byte;
    do length += byte = source[from++];
    while (byte === 255);
    return length;
  };
  while (from < source.length) {
    const token = source[from++];
    const literals = lengthened(token >> 4);
    if (from + literals > source.length || to + literals > target.length) throw new Error("damaged LZ4 block");
    target.set(source.subarray(from, from + literals), to);
    [from, to] = [from + literals, to + literals];
    if (from >= source.length) break;
    const distance = source[from] | (source[from + 1] << 8);
    from += 2;
    to = repeat(target, to, distance, lengthened(token & 15) + 4);
  }
  if (to !== target.length) throw new Error("damaged LZ4 block");
}

/** Copy what was decoded before; the copy may overlap its own source. @returns {number} the place behind it */
export function repeat(target, to, distance, length) {
  if (distance === 0 || distance > to || to + length > target.length) throw new Error("damaged block");
  if (distance >= length) target.copyWithin(to, to - distance, to - distance + length);
  else if (distance === 1) target.fill(target[to - 1], to, to + length);
  else for (let i = 0; i < length; i++) target[to + i] = target[to - distance + i];
  return to + length;
}

/** numcodecs' LZ4: the decoded size in four bytes, then one block. */
export default class Lz4 {
  static fromConfig() {
    return new Lz4();
  }

  /** @param {Uint8Array} bytes */
  decode(bytes) {
    const target = new Uint8Array(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
    decodeBlock(bytes.subarray(4), target);
    return target;
  }
}
