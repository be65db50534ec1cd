"""By hand: hidefix reads outside of libhdf5's lock, zarrs encodes; two threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import hidefix
from common import arguments, template, use_zarrs
from h5py_zarrs import pieces_of


def main() -> None:
    """Make the store, then write its objects."""
    spec, output = arguments()
    use_zarrs()
    arrays = template(spec, output)
    indexes = {path: hidefix.Index(path) for path in spec["files"]}

    def write(piece: tuple[str, str, int, int, int]) -> None:
        name, path, start, at, steps = piece
        values = indexes[path].dataset(name)[slice(start, start + steps), slice(None), slice(None)]
        arrays[name][at : at + steps] = values.reshape(steps, *arrays[name].shape[1:])  # it drops lengths of one

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, pieces_of(spec)))


if __name__ == "__main__":
    main()
