"""The floor of moving: pread every compressed chunk and write it into a shard; nothing is decoded."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
from common import arguments, template
from google_crc32c import value as crc32c
from numcodecs.zarr3 import Shuffle, Zlib


def places(path: str, name: str) -> np.ndarray:
    """Give offset and size of every chunk of a variable, in order of time."""
    found: list[tuple[int, int, int]] = []
    with h5py.File(path) as file:
        file[name].id.chunk_iter(lambda each: found.append((each.chunk_offset[0], each.byte_offset, each.size)))
    return np.array([each[1:] for each in sorted(found)], dtype="u8")


def write_shard(target: Path, pieces: list[tuple[int, int, int]], chunks: int) -> None:
    """Write the chunks one after the other, then the index; wait until they are on the disk."""
    index = np.full((chunks, 2), 2**64 - 1, "<u8")
    with target.open("wb") as file:
        at = 0
        for number, (source, offset, size) in enumerate(pieces):
            file.write(os.pread(source, size, offset))
            index[number], at = (at, size), at + size
        tail = index.tobytes()
        file.write(tail + crc32c(tail).to_bytes(4, "little"))
        file.flush()
        os.fsync(file.fileno())


def main() -> None:
    """Make the store's documents, then its shards."""
    spec, output = arguments()
    template(spec, output, codecs=[Shuffle(elementsize=4), Zlib(level=4)])
    opened = [os.open(path, os.O_RDONLY) for path in spec["files"]]
    with ThreadPoolExecutor(2) as pool:
        for name in spec["variables"]:
            all_places = [
                (source, int(offset), int(size))
                for source, path in zip(opened, spec["files"], strict=True)
                for offset, size in places(path, name)
            ]
            steps = spec["shards"]
            for shard, start in enumerate(range(0, len(all_places), steps)):
                target = Path(output) / name / "c" / str(shard) / "0" / "0"
                target.parent.mkdir(parents=True)
                pool.submit(write_shard, target, all_places[start : start + steps], steps)


if __name__ == "__main__":
    main()
