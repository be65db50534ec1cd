"""Files inside installed packages, named ``package://name/path``."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from bakehouse.errors import SourceError
from bakehouse.schema import Identity


def package_file(url: str, index: str) -> tuple[str, Identity]:
    """Find a file inside an installed package; its digest comes from the package's own record."""
    package, _, inside = url.removeprefix("package://").partition("/")
    where = f"input {index} ({url})" if index else url
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(
            f"package '{package}' is not installed", where, None, f"pip install {package.replace('_', '-')}"
        )
    path = Path(spec.submodule_search_locations[0], inside)
    outside = not inside or inside.startswith("/") or ".." in posixpath.normpath(inside).split("/")
    if outside or not path.exists():
        raise SourceError(f"package '{package}' has no file '{inside}'", where)
    return str(path), _recorded(package, inside, path)


def _recorded(package: str, inside: str, path: Path) -> Identity:
    """Identify a file by the digest in its package's record, or as the record would where it is not listed."""
    try:
        files = distribution(package.replace("_", "-")).files or []
        found = next((f for f in files if f.as_posix() == f"{package}/{inside}" and f.hash), None)
    except PackageNotFoundError:
        found = None
    if not path.is_file():
        return Identity(sha256=f"{found.hash.mode}-{found.hash.value}" if found and found.hash else None)
    said = f"{found.hash.mode}-{found.hash.value}" if found and found.hash else _hashed(path)
    return Identity(path.stat().st_size, None, None, said)


def _hashed(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return f"sha256-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
