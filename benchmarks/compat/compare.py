"""What two dumps of the same dataset have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

VARYING = ("timestamp", "git_hash", "history")


@dataclass
class Comparison:
    """How two sides compare: what differs, by kind."""

    variables: int = 0
    values: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    shapes: list[str] = field(default_factory=list)
    packing: list[str] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Dump:
    """One side's description and values."""

    about: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @classmethod
    def load(cls, path: Path) -> Dump | None:
        """Read a dump if there is one."""
        if not path.with_suffix(".json").exists():
            return None
        with np.load(path.with_suffix(".npz")) as held:
            return cls(json.loads(path.with_suffix(".json").read_text()), {name: held[name] for name in held.files})


def compare(left: Dump, right: Dump) -> Comparison:
    """Compare two sides, the left one being what is expected."""
    found = Comparison()
    ours, theirs = right.about["variables"], left.about["variables"]
    found.variables = len(ours.keys() & theirs.keys())
    for name in sorted(ours.keys() ^ theirs.keys()):
        found.shapes.append(f"`{name}` only in {'upstream' if name in theirs else 'ours'}")
    for name in sorted(ours.keys() & theirs.keys()):
        variable(name, theirs[name], ours[name], left.arrays[name], right.arrays[name], found)
    if left.about["coords"] != right.about["coords"]:
        found.attributes.append(f"coordinates {', '.join(sorted({*left.about['coords']} ^ {*right.about['coords']}))}")
    found.attributes.extend(differing("", left.about["attrs"], right.about["attrs"]))
    return found


def variable(name: str, left: dict, right: dict, before: np.ndarray, after: np.ndarray, found: Comparison) -> None:
    """Compare one variable."""
    if (left["dims"], left["shape"]) != (right["dims"], right["shape"]):
        found.shapes.append(f"`{name}` {left['dims']}{left['shape']} → {right['dims']}{right['shape']}")
        return
    if difference := unequal(before, after):
        found.values.append(f"`{name}` {difference}")
    for key, said in (("dtype", found.types), ("stored_dtype", found.packing), ("chunks", found.chunks)):
        if left[key] != right[key]:
            said.append(f"`{name}` {left[key]} → {right[key]}")
    found.packing.extend(differing(name, left["packing"], right["packing"]))
    found.attributes.extend(differing(name, left["attrs"], right["attrs"]))


def unequal(left: np.ndarray, right: np.ndarray) -> str:
    """Say how values differ; nothing if they don't."""
    if left.dtype.kind in "UMm" or right.dtype.kind in "UMm":
        wrong = left.astype("U") != right.astype("U")
        first = f"{left[wrong][0]} → {right[wrong][0]}" if wrong.any() else ""
        return f"{int(wrong.sum())} of {left.size} differ, first {first}" if first else ""
    if np.array_equal(left, right, equal_nan=left.dtype.kind == "f" and right.dtype.kind == "f"):
        return ""
    holes = np.isnan(left) != np.isnan(right)
    off = np.nanmax(np.abs(left.astype("f8") - right.astype("f8")), initial=0)
    size = np.nanmax(np.abs(left.astype("f8")), initial=0)
    if not holes.any() and off <= 2e-7 * size:
        return (
            f"equal within {off / size:.0e} of the largest value" if left.dtype != right.dtype else f"off by {off:.3g}"
        )
    return f"off by up to {off:.3g}" + (f", {int(holes.sum())} missing on one side only" if holes.any() else "")


def differing(name: str, left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    """Name attributes that are not the same on both sides."""
    keys = sorted(key for key in left.keys() | right.keys() if not any(word in key for word in VARYING))
    label = f"`{name}`." if name else ""
    return [
        f"{label}{key} {shown(left, key)} → {shown(right, key)}"
        for key in keys
        if not same(left.get(key), right.get(key))
    ]


def same(left: Any, right: Any) -> bool:
    """Say whether two attributes are the same; not-a-number is itself."""
    return left == right or (str(left) == str(right))


def shown(of: dict[str, Any], key: str) -> str:
    """Give the beginning of an attribute, or a dash."""
    return str(of[key])[:40] if key in of else "–"
