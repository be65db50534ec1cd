"""Run the command line as ``python -m bakehouse``."""

from __future__ import annotations

from bakehouse.cli import main

if __name__ == "__main__":
    main(prog_name="bakehouse")
