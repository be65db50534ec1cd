/** Zstandard, in JavaScript: a page whose policy forbids evaluation can't use the usual WebAssembly builds. */

import { decompress } from "fzstd";

export default class Zstd {
  static fromConfig() {
    return new Zstd();
  }

  /** @param {Uint8Array} bytes */
  decode(bytes) {
    const result = decompress(bytes);
    // zarrita 0.7 reads strings from the buffer's start, wherever the bytes begin.
    return result.byteOffset ? result.slice() : result;
  }
}
