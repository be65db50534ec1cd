"""The floor of another compression: pread, inflate with libdeflate, unshuffle, encode with blosc; two threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numcodecs.blosc
from common import arguments, template
from deflate import zlib_decompress
from move_chunks import places
from numcodecs import Blosc, Shuffle


def main() -> None:
    """Make the store's documents, then its chunks."""
    spec, output = arguments()
    template(spec, output)
    numcodecs.blosc.use_threads = False
    with h5py.File(spec["files"][0]) as file:
        itemsize = file[spec["variables"][0]].dtype.itemsize
    size = spec["lat"] * spec["lon"] * itemsize
    unshuffle, encode = Shuffle(itemsize).decode, Blosc("zstd", 3, Blosc.SHUFFLE).encode

    def write(folder: Path, number: int, opened: int, offset: int, length: int) -> None:
        decoded = unshuffle(zlib_decompress(os.pread(opened, length, offset), size))
        target = folder / str(number) / "0" / "0"
        target.parent.mkdir(parents=True)
        target.write_bytes(encode(memoryview(decoded).cast("B").cast({2: "h", 4: "i"}[itemsize])))

    with ThreadPoolExecutor(2) as pool:
        done = []
        for name in spec["variables"]:
            number = 0
            for path in spec["files"]:
                opened = os.open(path, os.O_RDONLY)
                for offset, length in places(path, name):
                    done.append(pool.submit(write, Path(output) / name / "c", number, opened, int(offset), int(length)))
                    number += 1
        for each in done:
            each.result()


if __name__ == "__main__":
    main()
