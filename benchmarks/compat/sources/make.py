"""Write the source files that a recipe asks for: ``make.py NAME FOLDER``, in the environment of upstream."""

from __future__ import annotations

import sys
from pathlib import Path

import gridded  # noqa: F401  registers its sources
import models  # noqa: F401  registers its sources
import observed  # noqa: F401  registers its sources
from common import SOURCES

if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    SOURCES[sys.argv[1]](folder)
