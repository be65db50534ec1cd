"""Read a catalogued store again and again: ``reader.py SPEC.json``; every look must show a state that was published.

A look is the time coordinate and three time steps: the first, the last, and the first of the input that changes.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

PAUSE_S = 0.5


def step(path: str, number: int) -> np.ndarray:
    """Read one time step of an input."""
    with xr.open_dataset(path, engine="h5netcdf") as ds:
        return ds["t"][number].values


def states(spec: dict[str, Any]) -> dict[str, tuple[int, list[np.ndarray]]]:
    """Give what may be seen: by name, the number of time steps, and the three that a look compares."""
    files, first, at = spec["files"], spec["first"], spec["changed"]
    with xr.open_dataset(files[0], engine="h5netcdf") as ds:
        each = ds.sizes["time"]
    corrected = f"{spec['inputs']}/changed/{Path(files[at]).name}"
    start, old, new = step(files[0], 0), step(files[at], 0), step(corrected, 0)
    return {
        "baked": (first * each, [start, old, step(files[first - 1], -1)]),
        "appended": (len(files) * each, [start, old, step(files[-1], -1)]),
        "corrected": (len(files) * each, [start, new, step(files[-1], -1)]),
    }


def look(entry: Path, at: int, known: dict[str, tuple[int, list[np.ndarray]]]) -> str:
    """Give the state that is seen; raise if it never was."""
    with xr.open_zarr(json.loads(entry.read_text())["store"]["url"], chunks=None) as ds:
        length = ds.sizes["time"]
        expected = np.datetime64("2000-01-01") + np.arange(length)
        if not (ds["time"].values.astype("datetime64[D]") == expected).all():
            raise ValueError(f"{length} times are not those of the inputs")
        seen = [ds["t"][number].values for number in (0, at, -1)]
    for name, (steps, values) in known.items():
        if steps == length and all(np.array_equal(a, b) for a, b in zip(seen, values, strict=True)):
            return name
    raise ValueError(f"a store of {length} steps whose values were never published")


def main() -> None:
    """Look until told to stop, or until something is wrong."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    known, entry, stop = states(spec), Path(spec["entry"]), Path(spec["stop"])
    at = spec["changed"] * (known["baked"][0] // spec["first"])
    seen: list[str] = []
    error = None
    while not stop.exists() and not error:
        try:
            seen.append(look(entry, at, known))
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
        time.sleep(PAUSE_S)
    found = {"looks": len(seen), "seen": list(dict.fromkeys(seen)), "error": error}
    Path(spec["found"]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
