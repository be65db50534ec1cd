"""kerchunk: scan_grib for each file, in two processes, then MultiZarrToZarr to one JSON document."""

from __future__ import annotations

import json
from multiprocessing import get_context
from pathlib import Path

from common import arguments
from kerchunk.combine import MultiZarrToZarr
from kerchunk.grib2 import scan_grib


def main() -> None:
    """Scan all files and combine the messages."""
    spec, output = arguments()
    with get_context("spawn").Pool(2) as pool:
        messages = [each for found in pool.map(scan_grib, spec["files"]) for each in found]
    combined = MultiZarrToZarr(messages, concat_dims=["time"], identical_dims=["latitude", "longitude"])
    Path(output).write_text(json.dumps(combined.translate()))


if __name__ == "__main__":
    main()
