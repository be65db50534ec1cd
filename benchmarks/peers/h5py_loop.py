"""The floor of many small files: one loop reads each file with h5py; whole objects are written with zarrs."""

from __future__ import annotations

import h5py
import numpy as np
from common import arguments, object_steps, template, use_zarrs


def main() -> None:
    """Fill one object of each variable at a time."""
    spec, output = arguments()
    use_zarrs()
    arrays = template(spec, output)
    steps = object_steps(spec)
    for start in range(0, len(spec["files"]), steps):
        held: dict[str, list[np.ndarray]] = {name: [] for name in spec["variables"]}
        for path in spec["files"][start : start + steps]:
            with h5py.File(path) as file:
                for name, parts in held.items():
                    parts.append(file[name][:])
        for name, parts in held.items():
            arrays[name][start : start + len(parts)] = np.concatenate(parts)


if __name__ == "__main__":
    main()
