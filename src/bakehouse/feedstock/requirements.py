"""What a feedstock's requirements.txt asks for, held against what the engine is and what is installed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ENGINE = "bakehouse"
SERVED = ("pangeo-forge-recipes", "pangeo-forge-runner", "pangeo-forge-ndpyramid", "leap-data-management-utils",
          "data-management-utils")  # fmt: skip
"""Packages that run on the old stack, and whose names Bakehouse serves."""
RUNNER = "apache-beam"
_COMMENT = re.compile(r"(^|\s)#(?!egg=).*$")
_HASH = re.compile(r"\s+--hash[= ]\S+")


@dataclass(frozen=True)
class Wanted:
    """What has to be installed, with which options, and what was overruled and why."""

    install: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_requirements(file: Path) -> Wanted:
    """Decide on each line of a requirements.txt; nothing has to be installed where all that is asked for is there."""
    lines = list(asked_lines(file)) if file.is_file() else []
    options = [word for line in lines if line.startswith("-") and not _is_editable(line) for word in shlex.split(line)]
    install: dict[str, None] = {}
    notes: dict[str, None] = {}
    for line in lines:
        if _is_editable(line) or not line.startswith("-"):
            found, said = _decide(line)
            install |= dict.fromkeys(found)
            notes |= dict.fromkeys(said)
    return Wanted(tuple(install), tuple(options), tuple(notes))


def beyond_engine(file: Path) -> list[str]:
    """List the lines of a requirements.txt that ask for what the engine neither is nor brings."""
    brought = {*SERVED, RUNNER, *engine_versions(), *_optional()}
    return [line for line in asked_lines(file) if line.startswith("-") or _package(line) not in brought]


def _package(line: str) -> str:
    try:
        return canonicalize_name(Requirement(line).name)
    except InvalidRequirement:
        return canonicalize_name(_name_in(line))


def engine_versions() -> Mapping[str, str]:
    """Give the versions of all that the engine is made of, its dependencies' dependencies too."""
    return _closure()


def asked_lines(file: Path) -> Iterator[str]:
    """Give a file's lines without comments, hashes and continuations, and those of the files that it includes."""
    text = file.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    for raw in text.splitlines():
        line = " ".join(_HASH.sub("", _COMMENT.sub("", raw)).split())
        included = re.fullmatch(r"(?:-r|--requirement)[ =]?(.+)", line)
        if included and (file.parent / included[1].strip()) != file:
            yield from asked_lines(file.parent / included[1].strip())
        elif line and not re.match(r"-c|--constraint", line):
            yield line


def _is_editable(line: str) -> bool:
    return line.startswith(("-e ", "--editable"))


def _decide(line: str) -> tuple[list[str], list[str]]:
    """Give what has to be installed for a line, and what is said about it."""
    try:
        asked: Requirement | None = Requirement(line)
    except InvalidRequirement:
        asked = None
    if asked and asked.marker and not asked.marker.evaluate():
        return [], []
    name = canonicalize_name(asked.name if asked else _name_in(line))
    if name in SERVED:
        return [], [f"{line}: not installed, Bakehouse serves its names"]
    if name == RUNNER and asked and asked.extras:
        return [], [f"{line}: extras of the runner are left out, the bake runs on this machine"]
    there = engine_versions().get(name)
    if there is not None:
        fits = asked is not None and not asked.url and asked.specifier.contains(there, prereleases=True)
        needed, said = _extras(asked) if asked and fits else ([], [])
        return needed, said if fits else [f"{line}: overruled, Bakehouse runs on {name} {there}"]
    if name in _optional():
        return _decide_optional(line, name, asked)
    return ([], []) if asked and not asked.url and _fits(asked) else ([line], [])


def _name_in(line: str) -> str:
    """Name the package behind a URL or a path: by its egg, or as its repository is called.

    Examples
    --------
    >>> _name_in("git+https://example.org/o/datatree@main#egg=xarray-datatree")
    'xarray-datatree'
    >>> _name_in("git+https://example.org/o/pangeo-forge-recipes.git@jb/xarray-hack")
    'pangeo-forge-recipes'
    """
    place, _, fragment = line.partition("#")
    egg = re.search(r"egg=([\w.-]+)", fragment)
    path = re.sub(r"^[^/@]*@", "", place.partition("://")[2] or place).split("@")[0]
    return egg[1] if egg else path.rstrip("/").rpartition("/")[2].removesuffix(".git") or line


def _extras(asked: Requirement) -> tuple[list[str], list[str]]:
    """Decide on what the extras of a package need that the engine has anyway."""
    found: list[str] = []
    notes: list[str] = []
    for text in metadata.requires(asked.name) or []:
        needed = Requirement(text)
        if needed.marker and any(
            needed.marker.evaluate({"extra": extra}) and not needed.marker.evaluate({"extra": ""})
            for extra in asked.extras
        ):
            needed.marker = None
            more, said = _decide(str(needed))
            found += more
            notes += said
    return found, notes


def _decide_optional(line: str, name: str, asked: Requirement | None) -> tuple[list[str], list[str]]:
    """Decide on a package of the engine's extras: a version is taken as it is asked for, if the engine takes it."""
    if asked and not asked.url and _fits(asked):
        return [], []
    pins = {pin.version for pin in asked.specifier if pin.operator == "=="} if asked else set()
    taken = asked is not None and not asked.url and all(floor_of(name).contains(pin) for pin in pins)
    if taken:
        return [f"{line},{floor_of(name)}" if asked and asked.specifier else f"{name}{floor_of(name)}"], []
    missing = [] if _version(name) else [f"{name}{floor_of(name)}"]
    return missing, [f"{line}: overruled, Bakehouse takes {name}{floor_of(name)}"]


def floor_of(name: str) -> SpecifierSet:
    """Give the versions of a package that the engine takes."""
    needed = [Requirement(text) for text in metadata.requires(ENGINE) or []]
    return next((each.specifier for each in needed if canonicalize_name(each.name) == name), SpecifierSet())


def _fits(asked: Requirement) -> bool:
    there = _version(asked.name)
    return there is not None and asked.specifier.contains(there, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@cache
def _closure() -> dict[str, str]:
    found: dict[str, str] = {}
    waiting = [ENGINE]
    while waiting:
        name = canonicalize_name(waiting.pop())
        there = _version(name)
        if there is not None and name not in found:
            found[name] = there
            needed = [Requirement(text) for text in metadata.requires(name) or []]
            waiting += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


@cache
def _optional() -> frozenset[str]:
    """Name what only some of the engine's extras need."""
    needed = [Requirement(text) for text in metadata.requires(ENGINE) or []]
    extras = [each for each in needed if each.marker and "extra" in str(each.marker) and "dev" not in str(each.marker)]
    return frozenset({canonicalize_name(each.name) for each in extras} - set(_closure()) - {ENGINE})
