"""Which arrays keep their sources' encoding, so that chunks are moved byte for byte; and why the others don't."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bakehouse.chunks import Span
from bakehouse.manifests import CHECKSUMS, ChunkFormat
from bakehouse.plan.codecs import CODEC_KEYS, asked_filters
from bakehouse.plan.types import ArrayPlan, Axis, StoreOptions, Template
from bakehouse.schema import DatasetSchema, VariableSchema

Stored = Counter[tuple[ChunkFormat | None, str]]
"""How many elements inputs hold in each format, or can't be moved for which reason."""


def choose_stored(template: Template, schema: DatasetSchema, options: StoreOptions) -> Template:
    """Let every array that can keep the encoding of most of its source chunks."""
    found = _count(template, schema)
    arrays = {name: _choose(array, found[name], options) for name, array in template.arrays.items()}
    notes = (note for name, array in arrays.items() if array.stored for note in _exceptions(name, found[name]))
    return replace(template, arrays=arrays, notes=(*template.notes, *notes))


def bare(stored: ChunkFormat) -> ChunkFormat:
    """Give a format without the checksum that ends each chunk: it is checked and left behind when chunks move.

    Examples
    --------
    >>> from bakehouse.manifests import Filter
    >>> bare(ChunkFormat((4,), "<f4", (Filter.of("zlib", level=1), Filter.of("fletcher32")))).filters
    (Filter(id='zlib', config=(('level', 1),)),)
    """
    filters = stored.filters
    return replace(stored, filters=filters[:-1]) if filters and filters[-1].id in CHECKSUMS else stored


def fits(array: ArrayPlan, stored: ChunkFormat) -> str:
    """Say why chunks of this shape are none of the store's; nothing if they are."""
    own = tuple(c for d, c in zip(array.dims, array.chunks, strict=True) if d not in array.expand)
    wide = [d for d, c in zip(array.dims, array.chunks, strict=True) if d in array.expand and c > 1]
    if wide:
        return f"a chunk of the store holds several inputs along {wide[0]}"
    if own != stored.chunks:
        return f"chunks of {_shown(stored.chunks)} in the sources, {_shown(own)} in the store"
    return ""


def aligned(array: ArrayPlan, axes: Mapping[str, Axis], key: Mapping[str, int]) -> Iterator[tuple[str, Span]]:
    """List the dimensions along which an input's chunks lie across those of the store, with the span there."""
    for d, chunk in zip(array.dims, array.chunks, strict=True):
        if d in array.runs and d not in array.expand:
            start, stop = axes[d].spans[key[d]]
            if (start - axes[d].skips.get(key[d], 0)) % chunk:
                yield d, (start, stop)


def _count(template: Template, schema: DatasetSchema) -> dict[str, Stored]:
    """Count what inputs have of each array; what most of them share, one object, is looked at once."""
    kinds: dict[tuple[str, int], tuple[ChunkFormat | None, str]] = {}
    weights: Counter[tuple[str, int, str]] = Counter()
    for key, several in schema.inputs.items():
        place = dict(key)
        for name, variable in (pair for each in several for pair in each.variables):
            array = template.arrays.get(name)
            if array is None or not all(owned in key for owned in array.owner):
                continue
            kind = kinds.get((name, id(variable))) or kinds.setdefault((name, id(variable)), _kind(array, variable))
            why = kind[1] or _misplaced(array, template.axes, place)
            weights[name, id(variable), why] += max(1, _weight(array, template.axes, place))
    found: dict[str, Stored] = {name: Counter() for name in template.arrays}
    for (name, which, why), weight in weights.items():
        found[name][None if why else kinds[name, which][0], why] += weight
    return found


def _kind(array: ArrayPlan, variable: VariableSchema) -> tuple[ChunkFormat | None, str]:
    """Give how an input's chunks are stored; or None, and why they can't be moved wherever they lie."""
    if variable.stored is None:
        return None, variable.stays or variable.why or "its chunks can't be indexed"
    stored = bare(variable.stored)
    if any(step.id == "grib" for step in stored.filters):
        return None, "GRIB messages are decoded, so that readers need no GRIB library"
    why = fits(array, stored)
    return (None, why) if why else (stored, "")


def _misplaced(array: ArrayPlan, axes: Mapping[str, Axis], key: Mapping[str, int]) -> str:
    """Say why an input's chunks are none of the store's where they lie."""
    for dim, (start, _) in aligned(array, axes, key):
        return f"inputs begin inside a chunk of the store along {dim}, as at {start}"
    return ""


def _weight(array: ArrayPlan, axes: Mapping[str, Axis], key: Mapping[str, int]) -> int:
    weight = 1
    for d in array.runs:
        start, stop = axes[d].spans[key[d]]
        weight *= stop - start
    return weight


def _choose(array: ArrayPlan, found: Stored, options: StoreOptions) -> ArrayPlan:
    """Take the format of most source chunks, if the recipe leaves it open and enough of them have it."""
    asked = options.encoding.get(array.name, {})
    if array.raw is None or array.raw == "string":
        return replace(array, stays=array.why or "text is encoded by zarr")
    known = [(stored, n) for (stored, _), n in found.items() if stored is not None]
    best, count = max(known, key=lambda pair: pair[1], default=(None, 0))
    if best is None or 2 * count <= sum(found.values()):
        return replace(array, stays=_reason(why for (stored, why), _ in found.most_common() if stored is None))
    if set(asked) & set(CODEC_KEYS):
        same = asked_filters(asked, array.itemsize) == best.filters
        return replace(array, stays="" if same else "the recipe asks for other codecs", stored=best if same else None)
    if asked.get("keepbits"):
        return replace(array, stays="its values are rounded")
    if options.codecs == "default":
        return replace(array, stays="the recipe asks for the default codecs")
    if not best.is_compressed and options.codecs == "auto":
        return replace(array, stays="the sources are not compressed, the store is; codecs='source' moves them")
    return replace(array, stored=best, stays="")


def _exceptions(name: str, found: Stored) -> Iterator[str]:
    """Say what of an array is not moved though most of it is."""
    total = sum(found.values())
    for (stored, why), count in found.items():
        if stored is None:
            yield f"{100 * count / total:.0f} % of '{name}' are decoded, the rest is moved: {why}"


def _reason(reasons: Iterable[str]) -> str:
    return next(iter(reasons), "the sources' chunks are encoded in several ways")


def _shown(lengths: tuple[int, ...]) -> str:
    return "×".join(map(str, lengths)) or "1"
