"""Files inside installed packages, named ``package://name/path``."""

from __future__ import annotations

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
    try:
        files = distribution(package.replace("_", "-")).files or []
        found = next((f for f in files if f.as_posix() == f"{package}/{inside}" and f.hash), None)
    except PackageNotFoundError:
        found = None
    size = path.stat().st_size if path.is_file() else None
    return Identity(size, None, None, f"{found.hash.mode}-{found.hash.value}" if found and found.hash else None)
