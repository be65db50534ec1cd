"""The running engine as a wheel: workers get the very code that runs here, released or not."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import bakehouse
from bakehouse.meta.shared import shared_recipes

ENGINE = "bakehouse"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""One time for all that is in the wheel, so that the same code is the same file."""
TAGS = "Wheel-Version: 1.0\nGenerator: bakehouse\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
LEFT_OUT = ("__pycache__", "web", "bundle")
"""Folders that no worker needs: what the catalog's pages load."""


def pack_wheel(folder: Path) -> Path:
    """Write the engine as it is installed here, or as it lies in a checkout, as a wheel into a folder.

    No build tool and no network is needed, and changes that no release has are in it.
    """
    about = metadata.distribution(ENGINE)
    info = f"{ENGINE}-{about.version}.dist-info"
    files = {**dict(_code()), f"{info}/METADATA": (about.read_text("METADATA") or "").encode()}
    files[f"{info}/WHEEL"] = TAGS.encode()
    files[f"{info}/RECORD"] = _record(files, info)
    path = folder / f"{ENGINE}-{about.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
    return path


def _code() -> Iterator[tuple[str, bytes]]:
    package = Path(bakehouse.__file__).parent
    for file in sorted(package.rglob("*")):
        inside = file.relative_to(package)
        if file.is_file() and file.suffix != ".pyc" and not set(LEFT_OUT) & set(inside.parts):
            yield f"{ENGINE}/{inside.as_posix()}", file.read_bytes()
    if not (package / "recipes").is_dir():
        yield from ((f"{ENGINE}/recipes/{file.name}", file.read_bytes()) for file in shared_recipes(None).values())


def _record(files: dict[str, bytes], info: str) -> bytes:
    """List every file with its digest and size, as installers check them."""
    rows = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    return "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
