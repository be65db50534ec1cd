"""From an input's manifests to references: where each chunk of the store lies in the input."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bakehouse.chunks import Span
from bakehouse.errors import SchemaError
from bakehouse.manifests import ChunkFormat, Manifest
from bakehouse.openers.codecs import encode_chunk
from bakehouse.openers.describe import raw_variable
from bakehouse.openers.fetch import locate
from bakehouse.openers.kerchunk import fill_in
from bakehouse.openers.reference import ReferenceArray
from bakehouse.plan.tasks import input_spans
from bakehouse.plan.types import ArrayPlan, Axis, Template
from bakehouse.plan.virtual import NATIVE, is_held, reading, show_format
from bakehouse.storage import Source
from bakehouse.writers.assemble import Fragment, belongs
from bakehouse.writers.references.table import Index, Numbers, Piece
from bakehouse.writers.template import Documents

HELD_BYTES = 2**16
"""How large a chunk may be that is held because the input lacks it."""


def refer(template: Template, documents: Documents, fragment: Fragment) -> Iterator[Piece]:
    """Refer to the chunks of an input.

    Raises
    ------
    SchemaError
        If the input is not what was surveyed, or has chunks that can't be referred to.
    """
    for name, array in template.arrays.items():
        if is_held(array) or name not in fragment.variables or not belongs(array, fragment):
            continue
        found = raw_variable(fragment.variables[name])
        if found is None:
            raise _refused(name, fragment, "a step changed it after the survey")
        yield _piece(array, template.axes, fragment, found[1], fill_of(documents, name))


def held_variables(template: Template, fragment: Fragment) -> Fragment:
    """Give what of an input the store holds as values."""
    names = [n for n, a in template.arrays.items() if is_held(a) and n in fragment.variables and belongs(a, fragment)]
    return Fragment(fragment.key, fragment.url, {name: fragment.variables[name] for name in names})


def fill_of(documents: Documents, name: str) -> Any:
    """Give the value that readers take for a chunk that is not there."""
    return fill_in(json.loads(documents[f"{name}/.zarray"]))


def address(source: Source) -> str:
    """Give the address by which readers reach an input: its URL, or where it lies on this machine.

    Examples
    --------
    >>> address(Source("/data/a.nc", "/data/a.nc")), address(Source("s3://b/a.nc", "/tmp/copy.nc"))
    ('file:///data/a.nc', 's3://b/a.nc')
    """
    place = source.location if source.url.startswith("package://") else source.url
    local = Source(place, place)
    return f"file://{Path(os.path.abspath(local.path))}" if local.is_local else place


def _piece(
    array: ArrayPlan, axes: Mapping[str, Axis], fragment: Fragment, reference: ReferenceArray, fill: Any
) -> Piece:
    manifest, source = reference.manifest(), reference.opened.source
    if isinstance(manifest, str):
        raise _refused(array.name, fragment, manifest)
    if manifest.masks is not None:
        raise _refused(array.name, fragment, "some of its chunks skip filters")
    manifest = _as_planned(array, manifest, fragment)
    urls, which, offsets, lengths = locate(source, manifest, address(source))
    urls = tuple(address(file) for file in manifest.files) or urls
    spans = input_spans(array, axes, dict(fragment.key))
    wanted = _wanted(array, axes, fragment, spans)
    offsets, lengths = (_placed(each, array, wanted) for each in (offsets, lengths))
    if which is not None:
        which = _placed(which, array, wanted)
    origin = tuple(a // c for (a, _), c in zip(spans, array.chunks, strict=True))
    held = _unwritten(array, manifest, lengths, fill, fragment) | _inside(array, manifest, lengths, wanted)
    return Piece(array.name, fragment.url, origin, urls, offsets, lengths, which, held)


def _wanted(
    array: ArrayPlan, axes: Mapping[str, Axis], fragment: Fragment, spans: tuple[Span, ...]
) -> tuple[slice, ...]:
    """Give the part of an input's grid that the store takes; along a dimension that the input lacks, all it adds."""
    key, inner = dict(fragment.key), [d for d in array.runs if d not in array.expand]
    skips = [axes[d].skips.get(key[d], 0) if d in inner else 0 for d in array.dims]
    return tuple(slice(s // c, -(-(s + b - a) // c)) for (a, b), s, c in zip(spans, skips, array.chunks, strict=True))


def _placed(grid: Numbers, array: ArrayPlan, wanted: tuple[slice, ...]) -> Numbers:
    """Take the part of an input's grid that is wanted; what the input has once stands at every step that it adds."""
    for i, (dim, each) in enumerate(zip(array.dims, wanted, strict=True)):
        if dim in array.expand:
            grid = np.repeat(np.expand_dims(grid, i), each.stop, axis=i)
    return grid[wanted]


def _inside(array: ArrayPlan, manifest: Manifest, lengths: Numbers, wanted: tuple[slice, ...]) -> dict[Index, bytes]:
    """Hold the chunks that the input's own references hold; they refer to nothing."""
    found: dict[Index, bytes] = {}
    for index, data in manifest.held.items():
        inner = iter(index)
        steps = [
            range(w.stop) if d in array.expand else (next(inner) - w.start,)
            for d, w in zip(array.dims, wanted, strict=True)
        ]
        for place in itertools.product(*steps):
            if all(0 <= p < n for p, n in zip(place, lengths.shape, strict=True)):
                found[place], lengths[place] = data, 0
    return found


def _as_planned(array: ArrayPlan, manifest: Manifest, fragment: Fragment) -> Manifest:
    """Insist that chunks are stored as was planned; those that lie in one piece are cut."""
    stored = array.stored or manifest.format
    if reading(manifest.format) == reading(stored):
        return manifest
    one = math.prod(manifest.lengths.shape) == 1 and not manifest.filters and not stored.filters
    same = manifest.dtype.str == stored.dtype and manifest.is_one_file and not manifest.held
    if not one or not same or not _is_filled(manifest, stored):
        raise _refused(
            array.name, fragment, f"it has {show_format(manifest.format)}, planned was {show_format(stored)}"
        )
    return _cut(manifest, stored)


def _is_filled(manifest: Manifest, stored: ChunkFormat) -> bool:
    """Say whether chunks that lie one after the other make up the one piece: all else would scramble its values."""
    (rows, *rest), (length, *others) = manifest.chunks, stored.chunks
    return rest == others and rows % length == 0


def _cut(manifest: Manifest, stored: ChunkFormat) -> Manifest:
    """Cut what lies in one piece into chunks along its first dimension."""
    count = -(-manifest.shape[0] // stored.chunks[0])
    size_bytes = math.prod(stored.chunks) * manifest.dtype.itemsize
    grid = (count, *(1,) * (len(manifest.shape) - 1))
    start, written = int(manifest.offsets.flat[0]), bool(manifest.lengths.flat[0])
    offsets = (start + size_bytes * np.arange(count, dtype="u8")).reshape(grid)
    lengths = np.full(grid, size_bytes if written else 0, "u8")
    return Manifest(manifest.shape, stored.chunks, manifest.dtype, (), manifest.fill, offsets, lengths)


def _unwritten(array: ArrayPlan, manifest: Manifest, lengths: Any, fill: Any, fragment: Fragment) -> dict[Index, bytes]:
    """Hold chunks that were never written, if what they read as is not the store's fill value."""
    missing = np.argwhere(lengths == 0)
    same = np.asarray(manifest.fill == fill) | (np.isnan(manifest.fill) & np.isnan(fill))
    if not len(missing) or same:
        return {}
    data = encode_chunk(manifest.format, np.full(manifest.chunks, manifest.fill, manifest.dtype), manifest.fill)
    if len(data) > HELD_BYTES:
        cause = f"chunks that were never written read as {manifest.fill} in the file and as {fill} in the store"
        raise _refused(array.name, fragment, cause)
    return {tuple(map(int, index)): data for index in missing}


def _refused(name: str, fragment: Fragment, cause: str) -> SchemaError:
    return SchemaError(f"'{name}' can't be referred to", fragment.url, cause, NATIVE)
