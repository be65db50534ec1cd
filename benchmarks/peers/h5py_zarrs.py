"""By hand: two spawned processes read with h5py and write whole objects with zarrs."""

from __future__ import annotations

from multiprocessing import get_context

import h5py
import zarr
from common import arguments, object_steps, template, use_zarrs


def write(output: str, pieces: list[tuple[str, str, int, int, int]]) -> None:
    """Write pieces: variable, file, first step in the file, first step in the store, steps."""
    use_zarrs()
    root = zarr.open_group(output, mode="r+", use_consolidated=False)
    for name, path, start, at, steps in pieces:
        with h5py.File(path) as file:
            root[name][at : at + steps] = file[name][start : start + steps]


def pieces_of(spec: dict) -> list[tuple[str, str, int, int, int]]:
    """Cut the files into pieces of one object each; an object does not span files here."""
    step = object_steps(spec)
    return [
        (name, path, start, number * spec["steps"] + start, min(step, spec["steps"] - start))
        for number, path in enumerate(spec["files"])
        for name in spec["variables"]
        for start in range(0, spec["steps"], step)
    ]


def main() -> None:
    """Make the store, then let each process write every other half."""
    spec, output = arguments()
    template(spec, output)
    pieces = pieces_of(spec)
    half = len(pieces) // 2
    with get_context("spawn").Pool(2) as pool:
        pool.starmap(write, [(output, pieces[:half]), (output, pieces[half:])])


if __name__ == "__main__":
    main()
