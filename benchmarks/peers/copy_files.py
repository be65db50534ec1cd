"""The physical floor: copy the files, and wait until they are on the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from common import arguments


def main() -> None:
    """Copy every file."""
    spec, output = arguments()
    Path(output).mkdir()
    for path in spec["files"]:
        target = Path(output) / Path(path).name
        shutil.copyfile(path, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())


if __name__ == "__main__":
    main()
