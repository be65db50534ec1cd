"""kerchunk: SingleHdf5ToZarr for each file, in two processes, then MultiZarrToZarr to one JSON document."""

from __future__ import annotations

import json
from multiprocessing import get_context
from pathlib import Path

from common import arguments
from kerchunk.combine import MultiZarrToZarr
from kerchunk.hdf import SingleHdf5ToZarr


def translate(path: str) -> dict:
    """Give one file's references."""
    return SingleHdf5ToZarr(path, inline_threshold=0).translate()


def main() -> None:
    """Translate all files and combine what was found."""
    spec, output = arguments()
    if len(spec["files"]) == 1:
        found = translate(spec["files"][0])
    else:
        with get_context("spawn").Pool(2) as pool:
            each = pool.map(translate, spec["files"], chunksize=8)
        found = MultiZarrToZarr(
            each, concat_dims=["time"], identical_dims=["lat", "lon"], coo_map={"time": "data:time"}
        ).translate()
    Path(output).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
