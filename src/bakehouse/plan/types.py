"""The plan as data: axes, arrays, the template of a store, and the tasks that fill it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bakehouse.chunks import Span
from bakehouse.manifests import ChunkFormat
from bakehouse.patterns import Key
from bakehouse.schema import Attrs, Identity

CF_KEYS = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "units", "calendar", "dtype")
"""Keys of an encoding that say how stored values become what a reader sees."""


ORDERS = ("error", "sort", "drop_duplicates", "any")
"""Policies for coordinates along concat dims that do not run one way, or repeat."""
MISSING = ("error", "fill")
"""Policies for variables that some inputs lack."""
COMBINE_ATTRS = ("drop_conflicts", "identical")
"""Policies for attributes that differ between inputs."""
CODECS = ("auto", "source", "default")
"""Policies for how chunks are encoded where an encoding says nothing."""
LEFT_OUT = ("sources", "inputs")
"""Policies for chunks along concat dims that a recipe does not name."""
VIRTUAL = ("kerchunk-json", "kerchunk-parquet")
"""Formats of virtual stores: references to the chunks of the inputs."""
FORMATS = ("zarr", "icechunk", *VIRTUAL)
"""Formats of stores: plain zarr, a repository of snapshots, references."""


@dataclass(frozen=True)
class StoreOptions:
    """What a recipe asks of its store; lengths count elements.

    `target_chunks` and `shards` map dimensions to lengths (-1: whole dimension); `shards=False` writes a chunk per
    object. `combine_attrs` is ``drop_conflicts`` (attributes that do not change what values mean are dropped where
    they differ, and reported) or ``identical`` (any difference is an error). `order` is one of `ORDERS` and
    `missing_variables` one of `MISSING`; `coordinate_tolerance` is how far coordinates may differ between inputs, for
    all of them or by name. `format` is one of `FORMATS`. `codecs` is ``auto`` (chunks that the sources compress keep
    their encoding, all else gets the default), ``source`` (uncompressed ones are kept too) or ``default``.
    `inline_bytes` is up to which size a virtual store holds the values of a variable. `left_out` is one of `LEFT_OUT`.
    """

    store_name: str
    target_chunks: Mapping[str, int] = field(default_factory=dict)
    shards: Mapping[str, int] | bool | None = None
    encoding: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)
    zarr_format: int = 3
    combine_attrs: str = "drop_conflicts"
    order: str = "error"
    dynamic_chunking_fn: Callable[..., Mapping[str, int]] | None = None
    dynamic_chunking_fn_kwargs: Mapping[str, Any] = field(default_factory=dict)
    missing_variables: str = "error"
    coordinate_tolerance: Mapping[str, float] | float = 0.0
    format: str = "zarr"
    codecs: str = "auto"
    inline_bytes: int = 2**16
    left_out: str = "sources"

    @property
    def check_order(self) -> bool:
        """Say whether coordinates along concat dims have to run one way."""
        return self.order != "any"

    def tolerance(self, name: str, auxiliary: bool) -> float:
        """Give how far a variable's values may differ: a single number holds for what describes other variables."""
        if isinstance(self.coordinate_tolerance, Mapping):
            return self.coordinate_tolerance.get(name, 0.0)
        return self.coordinate_tolerance if auxiliary else 0.0


@dataclass(frozen=True)
class Axis:
    """A concat dimension: which span of it each position of the pattern fills.

    `new` says that no input has the dimension: each input adds one element. `skips` counts the leading elements of a
    position that repeat what lies before it: they are left out, and its span begins after them.
    """

    name: str
    spans: Mapping[int, Span]
    new: bool = False
    skips: Mapping[int, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Give the length of the whole dimension."""
        return max((stop for _, stop in self.spans.values()), default=0)


@dataclass(frozen=True)
class ArrayPlan:
    """One array of the store.

    Parameters
    ----------
    dims, shape, dtype
        As a reader sees them after CF decoding (dtype as in `VariableSchema`).
    expand
        Concat dimensions that the inputs do not have and the array gains.
    runs
        Concat dimensions that the array runs along, `expand` included.
    owner
        Positions along the other combine dimensions of the inputs that it is taken from.
    fills
        Whether inputs that lack it are stored as fill.
    raw
        The stored dtype if values are taken as the sources store them, else None; `why` says why not.
    attrs, encoding
        Attributes as a reader sees them, and how values are stored.
    source_chunks
        Chunk length of the sources per dimension, None where they have none or differ.
    chunks, shards
        Lengths in the store; shards is None where every chunk is an object.
    stored
        How chunks are stored, if that is as the sources store them: their bytes are moved, and only those that do not
        fit are decoded and encoded.
    stays
        Why nothing is moved, if nothing is.
    spill
        Whether inputs are cut into tiles on scratch space first: what many objects share is decoded once.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    coordinate: bool
    attrs: Attrs
    encoding: Attrs
    raw: str | None
    why: str
    source_chunks: tuple[int | None, ...]
    runs: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    owner: Key = ()
    chunks: tuple[int, ...] = ()
    shards: tuple[int, ...] | None = None
    fills: bool = False
    stored: ChunkFormat | None = None
    stays: str = ""
    spill: bool = False

    @property
    def objects(self) -> tuple[int, ...]:
        """Give the lengths of what one object covers."""
        return self.shards or self.chunks

    @property
    def itemsize(self) -> int:
        """Give the bytes of one stored element; strings are counted as 32."""
        return itemsize(self.raw or self.dtype)


@dataclass(frozen=True)
class Template:
    """The final shape of a store, without data."""

    arrays: Mapping[str, ArrayPlan]
    attrs: Mapping[str, Any]
    axes: Mapping[str, Axis]
    sizes: Mapping[str, int]
    zarr_format: int = 3
    notes: tuple[str, ...] = ()
    format: str = "zarr"


@dataclass(frozen=True)
class Part:
    """A box of one array that is written together: a cohort of whole objects."""

    array: str
    spans: tuple[Span, ...]
    objects: int
    size_bytes: int


@dataclass(frozen=True)
class Task:
    """Parts that one worker writes, one after the other, ending in one receipt."""

    id: str
    parts: tuple[Part, ...]

    @property
    def size_bytes(self) -> int:
        """Give the decoded size of all parts."""
        return sum(part.size_bytes for part in self.parts)


@dataclass(frozen=True)
class PlannedInput:
    """One input in the plan: its key, its URL and what identifies its content; a `gap` is not there."""

    key: Key
    url: str
    identity: Identity
    gap: bool = False


@dataclass(frozen=True)
class Growth:
    """How a plan builds on a published version.

    `version` and `prefix` are that version's. `along` is the concat dimension that grows and `start` its length there;
    `in_place` says that the new version shares the prefix, `appends` that nothing before `start` changes. `kept` are
    the keys of the stand-ins whose values the store has already.
    """

    version: str
    prefix: str
    along: str
    start: int
    in_place: bool
    kept: tuple[Key, ...]
    appends: bool = True


@dataclass(frozen=True)
class Plan:
    """All that a bake will do.

    `version` is derived from the inputs' identities, the recipe and its options; `prefix` is the store's folder below
    the recipe's target. `digests` state the parts that the version was made of.
    """

    version: str
    prefix: str
    template: Template
    inputs: tuple[PlannedInput, ...]
    tasks: tuple[Task, ...]
    options: Mapping[str, Any]
    digests: Mapping[str, str]
    growth: Growth | None = None

    @property
    def size_bytes(self) -> int:
        """Give the decoded size of the store."""
        return sum(task.size_bytes for task in self.tasks)

    @cached_property
    def by_id(self) -> Mapping[str, Task]:
        """Find tasks by their ids."""
        return {task.id: task for task in self.tasks}

    @property
    def objects(self) -> int:
        """Count the data objects of the store."""
        return sum(part.objects for task in self.tasks for part in task.parts)


def itemsize(dtype: str) -> int:
    """Give the bytes of one element of a dtype name.

    Examples
    --------
    >>> itemsize("float32"), itemsize("datetime64[ns]"), itemsize("string")
    (4, 8, 32)
    """
    if dtype.startswith("cftime"):
        return 8
    return 32 if dtype == "string" else np.dtype(dtype).itemsize
