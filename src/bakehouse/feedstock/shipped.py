"""What is installed where a feedstock's code runs on other machines: what the engine runs on here, and what it asks."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bakehouse.errors import RecipeError
from bakehouse.feedstock.requirements import ENGINE, RUNNER, SERVED, asked_lines

EXTRAS = ("gcs", "grib", "hdf5", "icechunk", "s3")
"""Extras of the engine that a task may need."""
_LOCAL = re.compile(r"-e\b|--editable|[./~]|file:|[^@\s]+\s*@\s*file:|(-f|--find-links)[ =]?[./~]")


def shipped_requirements(file: Path) -> list[str]:
    """List what workers need besides the engine's wheel and its runner, which their image has.

    The engine's dependencies have the versions that they have here, so that what is sent to workers is understood
    there and the same objects are written. Whatever a feedstock's requirements.txt asks for beyond them follows,
    pinned where it is installed here.

    Raises
    ------
    RecipeError
        If a line names something on this machine, which workers can't reach.
    """
    engine = _engine()
    pins = [f"{name}=={version}" for name, version in sorted(engine.items())]
    asked = asked_lines(file) if file.is_file() else ()
    return [*pins, *(line for each in asked for line in _line(each, engine, file))]


def _line(line: str, engine: dict[str, str], file: Path) -> list[str]:
    if _LOCAL.match(line):
        cause = "workers on other machines can't reach a path of this one"
        fix = "name a release or an address in requirements.txt, or give the bakery an image: sdk_container_image"
        raise RecipeError(f"'{line}' can't be shipped to workers", str(file), cause, fix)
    try:
        asked = Requirement(line)
    except InvalidRequirement:
        return [line]
    name = canonicalize_name(asked.name)
    if name in (*SERVED, RUNNER, ENGINE) or (name in engine and not asked.extras):
        return []
    if name in engine:
        return [f"{name}[{','.join(sorted(asked.extras))}]=={engine[name]}"]
    there = _version(name)
    fits = there is not None and not asked.url and asked.specifier.contains(there, prereleases=True)
    return [f"{line},=={there}" if asked.specifier else f"{line}=={there}"] if fits and not asked.marker else [line]


@cache
def _engine() -> dict[str, str]:
    """Give the versions of all that the engine and its extras need, but for the runner and what only that needs."""
    found: dict[str, str] = {}
    waiting = _needed(ENGINE, EXTRAS)
    while waiting:
        asked = Requirement(waiting.pop())
        name = canonicalize_name(asked.name)
        there = _version(name)
        if there is not None and name not in (*found, RUNNER):
            found[name] = there
            waiting += _needed(name, tuple(asked.extras))
    return found


def _needed(name: str, extras: tuple[str, ...]) -> list[str]:
    lines = metadata.requires(name) or []
    return [text for text in lines if _applies(Requirement(text), extras)]


def _applies(needed: Requirement, extras: tuple[str, ...]) -> bool:
    return needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
