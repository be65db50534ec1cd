"""What `doctor` looks at: each probe gives findings, and none lets an exception through."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, Literal

from bakehouse.cli.bakeries import Place
from bakehouse.cli.text import human_bytes, plural
from bakehouse.errors import BakehouseError
from bakehouse.storage import Target, local_path

SHOWN = ("apache-beam", "pangeo-forge-recipes", "xarray", "zarr", "numpy", "obstore", "fsspec", "h5netcdf")
OPTIONAL = {
    "cfgrib": ("GRIB inputs", "grib"),
    "icechunk": ("stores of the format 'icechunk'", "icechunk"),
    "s3fs": ("inputs on S3 that need fsspec's own options", "s3"),
    "gcsfs": ("inputs on Google Cloud Storage that need fsspec's own options", "gcs"),
}
PATIENCE_S = 30.0
LITTLE_BYTES = 5 * 10**9
State = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Symptom:
    """One thing that was looked at; an *error* stops a bake on this machine."""

    name: str
    state: State
    detail: str
    fix: str | None = None


def python() -> Iterator[Symptom]:
    """Look at the interpreter."""
    shown = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    yield Symptom(
        "python", "error" if old else "ok", f"{shown} ({sys.executable})", "use Python 3.11 or newer" if old else None
    )


def packages() -> Iterator[Symptom]:
    """Compare what is installed with what Bakehouse asks for."""
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in metadata.requires("bakehouse") or []]
    needed = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    wrong = [
        (each, _version(each.name))
        for each in needed
        if not each.specifier.contains(_version(each.name) or "0", prereleases=True)
    ]
    for each, found in wrong:
        yield Symptom(
            f"package {each.name}", "error", f"{found or 'not installed'}; needed: {each}", f"pip install '{each}'"
        )
    versions = ", ".join(f"{name} {_version(name)}" for name in SHOWN if _version(name))
    yield Symptom("packages", "ok", f"bakehouse {_version('bakehouse')}; {versions}")


def readers() -> Iterator[Symptom]:
    """Look for packages that only some inputs need."""
    for name, (purpose, extra) in OPTIONAL.items():
        found = find_spec(name) is not None
        missing = f"not installed; only needed for {purpose}: pip install 'bakehouse[{extra}]'"
        detail = f"{_version(name)} (for {purpose})" if found else missing
        yield Symptom(f"optional {name}", "ok", detail)


def git(root: Path | None) -> Iterator[Symptom]:
    """See whether entries can name the commit of their recipe."""
    if shutil.which("git") is None:
        yield Symptom("git", "warning", "not installed: entries can't name the recipe's commit", "install git")
        return
    version = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    inside = (
        root
        and subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, check=False).returncode
        == 0
    )
    if root and not inside:
        yield Symptom(
            "git",
            "warning",
            f"{version}; the project has no commit: entries can't name the recipe's",
            "git init, and commit the project",
        )
    else:
        yield Symptom("git", "ok", version)


def service(place: Place, bad: State) -> Iterator[Symptom]:
    """Find out whether jobs could be submitted: settings, libraries, who is logged in."""
    from bakehouse.bakeries.dataflow.submit import service_of

    name = f"jobs of {place.name}"
    found = within(PATIENCE_S, lambda: service_of(place.bakery))
    if isinstance(found, BakehouseError):
        cause = ": ".join(part for part in (found.message, found.cause) if part)
        yield Symptom(name, bad, cause, found.fix)
    elif isinstance(found, BaseException):
        yield Symptom(name, bad, str(found), "check the network")
    else:
        yield Symptom(name, "ok", f"Dataflow in project {found.project}, region {found.region}")


def bakery(place: Place, default: bool) -> Iterator[Symptom]:
    """Try what a bake does on a bakery's target; only the default bakery's failures are errors."""
    name = f"bakery {place.name}"
    bad: State = "error" if default else "warning"
    if place.bakery.is_service:
        yield from service(place, bad)
    elif place.bakery.runner != "direct":
        yield Symptom(
            name, "warning", f"runner '{place.bakery.runner}' can't be used yet", "use a bakery with runner: direct"
        )
    found = within(PATIENCE_S, lambda: probe(place.target))
    if isinstance(found, BaseException):
        cause = f"{found.message}: {found.cause}" if isinstance(found, BakehouseError) else str(found)
        fix = found.fix if isinstance(found, BakehouseError) else "check the address, the credentials and the network"
        yield Symptom(name, bad, f"{place.target.url}: {cause}", fix)
    elif found:
        yield Symptom(name, "ok", f"{place.target.url}: writes, reads, lists, deletes; refuses to create twice")
    else:
        yield Symptom(
            name,
            "warning",
            f"{place.target.url}: no conditional PUT: a second writer would not be noticed, and no Icechunk stores",
            "let one bake at a time write here",
        )


def probe(target: Target) -> bool:
    """Write, read, list and delete an object; say whether it can't be created twice.

    Raises
    ------
    StorageError
        If the target refuses any of it.
    """
    from bakehouse.errors import StorageError

    folder, key = target.child(".doctor"), secrets.token_hex(8)
    try:
        created = folder.create(key, b"first")
        exclusive = created and not folder.create(key, b"second")
        if folder.get(key) != (b"first" if exclusive else b"second"):
            raise StorageError("what was written reads back different", folder.url)
        if key not in [name for name, _ in folder.list()]:
            raise StorageError("what was written is not listed", folder.url)
    finally:
        folder.delete([key])
    _remove_empty(folder)
    return exclusive


def disk(place: Place) -> Iterator[Symptom]:
    """See how much room a local target has."""
    path = _local(place.target)
    if path is None:
        return
    folder = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(folder).free
    few = free < LITTLE_BYTES
    yield Symptom(
        "disk",
        "warning" if few else "ok",
        f"{human_bytes(free)} free for {place.target.url}",
        "make room, or use another target" if few else None,
    )


def catalog(folder: Path) -> Iterator[Symptom]:
    """Check a catalog's entries and index."""
    from bakehouse.catalog.check import check
    from bakehouse.catalog.index import entry_paths

    if not folder.is_dir():
        yield Symptom("catalog", "ok", f"{folder}: none yet")
    elif problems := check(folder):
        yield Symptom(
            "catalog", "warning", f"{folder}: {plural(len(problems), 'problem')}", f"bakehouse catalog check {folder}"
        )
    else:
        yield Symptom(
            "catalog", "ok", f"{folder}: {plural(sum(1 for _ in entry_paths(folder)), 'entry', 'entries')}, all is well"
        )


def within(seconds: float, action: Callable[[], Any]) -> Any:
    """Give an action's result, or the exception that ended it; one that takes longer is left behind."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(action())
        except Exception as error:
            found.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else TimeoutError(f"no answer within {seconds:.0f} s")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _remove_empty(folder: Target) -> None:
    """Leave no empty folder behind on a disk."""
    if path := _local(folder):
        with suppress(OSError):
            path.rmdir()


def _local(target: Target) -> Path | None:
    """Give the folder of a target on a disk."""
    remote = "://" in target.url and not target.url.startswith("file://")
    return None if remote else Path(local_path(target.url))
