"""The workloads, one module for each kind of work."""

from __future__ import annotations

from benchmarks.workloads import concat, grib, lifecycle, rechunk, recode, references, remote, small_files
from benchmarks.workloads.base import Workload

MODULES = (concat, recode, rechunk, references, small_files, lifecycle, remote, grib)


def workloads(scale: float) -> dict[str, Workload]:
    """Give all workloads at a scale, by id."""
    return {each.id: each for module in MODULES for each in module.workloads(scale)}


def chosen(names: str, scale: float) -> list[Workload]:
    """Choose workloads by id, or by what ids begin with: "w2" is all variants of w2; nothing is all."""
    known = workloads(scale)
    words = names.split()
    if unknown := [word for word in words if not any(_is(each, word) for each in known)]:
        raise SystemExit(f"no workload {', '.join(unknown)}; there are {', '.join(known)}")
    return [each for each in known.values() if not words or any(_is(each.id, word) for word in words)]


def _is(name: str, word: str) -> bool:
    return name == word or (name.startswith(word) and not name[len(word)].isdigit())
