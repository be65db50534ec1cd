"""What a workload is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Literal

Kind = Literal["ours", "packaged", "handwritten", "floor"]


@dataclass(frozen=True)
class Peer:
    """Somebody else's way to do the work: a script in ``peers/``, its environment and its options.

    `source` is "files", or "zarr" for tools that read nothing else: those get the inputs as a zarr store, which is
    written beforehand and not timed.
    """

    name: str
    script: str
    kind: Kind = "packaged"
    environment: str = "zarr3"
    options: Mapping[str, Any] = field(default_factory=dict)
    source: str = "files"


@dataclass(frozen=True)
class Target:
    """What ours should reach: `factor` times as fast as the best of `against`, or at most `factor` × it + `plus_s`.

    `against` is a kind of contestant, or begins a contestant's name.
    """

    against: str
    factor: float
    at_most: bool = False
    plus_s: float = 0.0


@dataclass(frozen=True)
class Workload:
    """The same work for all contestants.

    `inputs` says what inputs.py writes, `options` the layout and codec that all scripts are told, `meta` the recipe in
    the feedstock's meta.yaml (indented as below ``recipes:``), and `recipe` its recipe.py if there is one.
    `bound_bytes` is a bound on memory that contestants are told, and that the report compares peaks with. With a
    `latency_s` the inputs lie on an S3 server that answers each request so much later.
    """

    id: str
    title: str
    note: str
    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    meta: str
    peers: tuple[Peer, ...]
    targets: tuple[Target, ...]
    recipe: str | None = None
    ours: str = "bake"
    bound_bytes: int | None = None
    latency_s: float = 0.0


@dataclass(frozen=True)
class Size:
    """Files and time steps a file at some scale, and the steps that go into one object."""

    files: int
    steps: int
    shard: int


def scaled(files: int, steps: int, shard: int, scale: float) -> Size:
    """Shrink the number of files and of steps, each by the square root of `scale`.

    Examples
    --------
    >>> scaled(40, 180, 30, 1), scaled(40, 180, 30, 0.01)
    (Size(files=40, steps=180, shard=30), Size(files=4, steps=18, shard=18))
    """
    fewer = max(2, round(files * sqrt(scale)))
    per_file = max(1, round(steps * scale * files / fewer))
    return Size(fewer, per_file - per_file % shard if per_file > shard else per_file, min(shard, per_file))


def files_to_zarr(name: str, files: int, store: str, suffix: str = "nc", recipe: str = "files_to_zarr") -> str:
    """Spell the recipe of a declarative feedstock; the inputs' address is mapped to a folder when it is baked."""
    urls = "\n".join(f"          - {address(number, suffix)}" for number in range(files))
    return (
        f"  - id: {name}\n    recipe: {recipe}\n    with:\n      pattern:\n        files:\n{urls}\n"
        f"        concat: time\n      store: {store}\n"
    )


def files_to_virtual(name: str, files: int, suffix: str = "nc") -> str:
    """Spell the recipe of a virtual store of references in one JSON document."""
    return files_to_zarr(name, files, "{format: kerchunk-json}", suffix, "files_to_virtual")


def object_recipe(name: str) -> str:
    """Spell the recipe of a feedstock that has a recipe.py."""
    return f'  - id: {name}\n    object: "recipe:recipe"\n'


BASE = "https://bench.example/"


def address(number: int, suffix: str = "nc") -> str:
    """Give an input's address."""
    return f"{BASE}{number:05d}.{suffix}"


RECIPE = '''\
"""The recipe of a benchmark."""

import apache_beam as beam
import zarr.codecs
from bakehouse.patterns import pattern_from_file_sequence
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

pattern = pattern_from_file_sequence([f"%(base)s{number:05d}.nc" for number in range(%(files)d)], "time")
%(before)s
recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type)
%(step)s    | StoreToZarr(
        store_name="bench.zarr",
        combine_dims=pattern.combine_dim_keys,
        %(store)s,
    )
)
'''


def python_recipe(files: int, store: str, before: str = "", step: str = "") -> str:
    """Write a recipe.py: `before` comes before the recipe, `step` between opening and storing."""
    return RECIPE % {"base": BASE, "files": files, "store": store, "before": before, "step": step}


def sharded(variables: str, shard: int, lat: int, lon: int) -> str:
    """Spell a store whose variables keep their chunks, in shards of some steps; coordinates are left alone."""
    return "{encoding: {" + ", ".join(f"{name}: {{shards: [{shard}, {lat}, {lon}]}}" for name in variables) + "}}"


BLOSC = "zarr.codecs.BloscCodec(cname='zstd', clevel=3, shuffle='shuffle', typesize=%d)"


def recoded(variables: str, itemsize: int) -> str:
    """Spell the `encoding` that stores variables with blosc-zstd-3 and a shuffle."""
    codec = BLOSC % itemsize
    return f"encoding={{name: {{'compressors': ({codec},)}} for name in {variables!r}}}"
