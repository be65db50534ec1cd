"""DatasetSchema: what the headers of many inputs say, merged in any order.

The schema is a monoid: `DatasetSchema()` is its identity and `merge` is associative, commutative and idempotent,
so Beam may combine inputs in any order and any number of times. It keeps every variant that it met, with the input
that has it; deciding whether variants agree is the plan's work, which can then name both inputs and both values.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from bakehouse.manifests import ChunkFormat
from bakehouse.patterns import Key

Attrs = tuple[tuple[str, str], ...]
"""Attributes as sorted (name, JSON text) pairs: hashable, comparable (NaN equals NaN) and without numpy types."""

POINTING = ("bounds", "climatology", "grid_mapping", "cell_measures", "formula_terms")
"""CF attributes that name other variables; xarray keeps them in the encoding when it reads those as coordinates."""


@dataclass(frozen=True, order=True)
class Identity:
    """What tells one state of a source file from another.

    `strength` names the evidence, strongest first: ``sha256``, ``etag+size``, ``mtime+size``, ``size``, ``none``.
    """

    size_bytes: int | None = None
    etag: str | None = None
    mtime: str | None = None
    sha256: str | None = None

    @property
    def strength(self) -> str:
        """Name the evidence that this identity rests on."""
        if self.sha256:
            return "sha256"
        evidence = [n for n, v in (("etag", self.etag), ("mtime", None if self.etag else self.mtime)) if v]
        return "+".join([*evidence, *(["size"] if self.size_bytes is not None else [])]) or "none"


@dataclass(frozen=True)
class VariableSchema:
    """One variable as one kind of input has it.

    `dtype` is what a reader sees after CF decoding: a numpy name, ``string`` or ``cftime[<calendar>]``. `raw` is the
    dtype in the file if the values can be taken as they are stored; it is None when the recipe made them, and `why`
    says so. `encoding` holds the CF attributes that say how stored values become what a reader sees (scale_factor,
    add_offset, _FillValue, units and calendar of times, the stored dtype). `chunks` counts elements per dimension,
    None for contiguous or computed data. `stored` says how the source's chunks are stored, if their bytes can be taken
    as they are; `stays` says why they can't. `coordinate` is xarray's notion; `auxiliary` adds bounds, grid mappings
    and cell measures: what describes other variables and is not expected to change from input to input.
    """

    dims: tuple[str, ...]
    dtype: str
    coordinate: bool
    auxiliary: bool
    attrs: Attrs
    encoding: Attrs = ()
    raw: str | None = None
    why: str = ""
    chunks: tuple[int, ...] | None = None
    stored: ChunkFormat | None = None
    stays: str = ""


@dataclass(frozen=True)
class Extent:
    """What a coordinate along a concat dimension tells without its values.

    `first` and `last` compare as the coordinate's values do (times in nanoseconds, cftime in microseconds).
    `direction` is 1 (strictly rising), -1 (strictly falling) or 0 (neither); a single value has direction 1. `unit` is
    the coarsest unit in which every time is a whole number. An end that is missing (NaN, NaT) is None, which equals
    itself. `values` are all of them, where the recipe's policy needs more than the ends.
    """

    first: float | int | str | None
    last: float | int | str | None
    direction: int
    shown: tuple[str, str] = ("", "")
    unit: str | None = None
    values: tuple[float | int | str, ...] = ()

    def __post_init__(self) -> None:
        """Tell missing ends from values."""
        for name, shown in zip(("first", "last"), self.shown, strict=True):
            if getattr(self, name) != getattr(self, name) or shown == "NaT":
                object.__setattr__(self, name, None)


@dataclass(frozen=True)
class InputSchema:
    """What one input brings: sizes by dimension, its variables, its coordinates' extents, digests of what must agree.

    Digests and extents exist only where the plan needs them: for variables without a concat dimension, and for
    coordinates along one. `expects` is what the pattern says of each dimension: how many inputs it has along it, and
    how many elements each brings (nitems_per_file). `previews` show a few values of digested variables, for messages;
    `values` hold those of small ones as float64, until a DatasetSchema keeps them once for each digest.
    `stands_for` says that it describes a whole run of inputs that are in a published store already: along which
    dimension, and how many, this one's key being the last. A `gap` was not there: fill stands in its place.
    """

    url: str
    identity: Identity
    sizes: tuple[tuple[str, int], ...]
    variables: tuple[tuple[str, VariableSchema], ...]
    attrs: Attrs = ()
    extents: tuple[tuple[str, Extent], ...] = ()
    digests: tuple[tuple[str, str], ...] = ()
    previews: tuple[tuple[str, str], ...] = ()
    expects: tuple[tuple[str, int, int | None], ...] = ()
    stands_for: tuple[str, int] | None = None
    gap: bool = False
    values: tuple[tuple[str, bytes], ...] = ()

    def __reduce__(self) -> Any:
        """Travel so that what inputs have in common arrives as one and the same object."""
        state = dict(vars(self))
        return _arrived, ({name: pickle.dumps(state.pop(name), -1) for name in COMMON}, state)


COMMON = ("variables", "attrs", "previews", "sizes")
"""What most inputs of a dataset have alike."""


def _arrived(common: Mapping[str, bytes], own: Mapping[str, Any]) -> InputSchema:
    return InputSchema(**{name: _loaded(data) for name, data in common.items()}, **own)


_loaded = lru_cache(2**12)(pickle.loads)


@dataclass(frozen=True)
class DatasetSchema:
    """All inputs met so far, by key. Two different inputs under one key are both kept, for the plan to refuse.

    `values` holds the float64 values of small digested variables, by digest: what many inputs share is kept once.

    Examples
    --------
    >>> a = DatasetSchema.of((("time", 0),), InputSchema("a.nc", Identity(), (("time", 1),), ()))
    >>> b = DatasetSchema.of((("time", 1),), InputSchema("b.nc", Identity(), (("time", 2),), ()))
    >>> a.merge(b) == b.merge(a).merge(a)
    True
    """

    inputs: Mapping[Key, frozenset[InputSchema]] = field(default_factory=dict)
    values: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, key: Key, schema: InputSchema) -> DatasetSchema:
        """Make the schema of a single input."""
        digests = dict(schema.digests)
        return cls(
            {key: frozenset([replace(schema, values=())])}, {digests[name]: found for name, found in schema.values}
        )

    def merge(self, other: DatasetSchema) -> DatasetSchema:
        """Unite two schemas."""
        return merge_all([self, other])


def freeze(attrs: Mapping[str, object]) -> Attrs:
    """Turn attributes into hashable pairs.

    Examples
    --------
    >>> freeze({"units": "K", "valid_range": [0, 1.5]})
    (('units', '"K"'), ('valid_range', '[0, 1.5]'))
    """
    return tuple(sorted((str(name), json.dumps(plain(value))) for name, value in attrs.items()))


def thaw(attrs: Attrs) -> dict[str, object]:
    """Turn frozen pairs back into attributes of plain Python types.

    Examples
    --------
    >>> thaw(freeze({"valid_range": (0, 1)}))
    {'valid_range': [0, 1]}
    """
    return {name: json.loads(text) for name, text in attrs}


def plain(value: object) -> object:
    """Reduce numpy scalars and arrays, bytes, tuples, mappings and codecs to what JSON has."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, type):
        return value.__name__
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else _codec(value)


def _codec(value: object) -> object:
    """Describe a codec by its configuration: what it prints differs between releases and even runs."""
    describe = getattr(value, "to_dict", None) or getattr(value, "get_config", None)
    if describe is None:
        return str(value)
    try:
        return plain(describe())
    except ValueError:  # zarr-python before 3.2: a Blosc codec whose element size is still open
        return {"codec": type(value).__name__, **{name: plain(item) for name, item in vars(value).items()}}


@dataclass
class Merging:
    """A schema that others are added to, one after the other; what they share is held once."""

    inputs: dict[Key, frozenset[InputSchema]] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)

    def add(self, schema: DatasetSchema) -> None:
        """Add a schema."""
        self.values |= schema.values
        for key, found in schema.inputs.items():
            self.inputs[key] = self.inputs[key] | found if key in self.inputs else found

    def merged(self) -> DatasetSchema:
        """Give the schema of all that were added."""
        return DatasetSchema(self.inputs, self.values)


def merge_all(schemas: Iterable[DatasetSchema]) -> DatasetSchema:
    """Unite any number of schemas in one pass."""
    merging = Merging()
    for schema in schemas:
        merging.add(schema)
    return merging.merged()
