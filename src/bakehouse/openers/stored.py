"""Whether a variable's chunks can be taken as its file stores them, and if not, why."""

from __future__ import annotations

from typing import Any

import xarray as xr
from xarray.core import indexing

from bakehouse.manifests import ChunkFormat
from bakehouse.openers.reference import ReferenceArray


def stored_as(raw: xr.Variable, reference: ReferenceArray) -> tuple[ChunkFormat | None, str]:
    """Say how the chunks behind an undecoded variable are stored; or None, and what keeps them from being taken.

    Parameters
    ----------
    raw
        The stored values as the recipe indexed them, from `raw_variable`.
    """
    if not _is_whole(raw._data, reference.shape):
        return None, "the recipe takes a part of it"
    manifest = reference.manifest()
    if isinstance(manifest, str):
        return None, manifest
    if any(c > max(n, 1) for c, n in zip(manifest.chunks, manifest.shape, strict=True)):
        return None, "its chunks reach beyond its data"
    return manifest.format, ""


def _is_whole(data: Any, shape: tuple[int, ...]) -> bool:
    """Say whether an index takes all of an array, in its order."""
    key = data.key.tuple if isinstance(data, indexing.LazilyIndexedArray) else ()
    return len(key) == len(shape) and all(
        isinstance(k, slice) and k.indices(n) == (0, n, 1) for k, n in zip(key, shape, strict=True)
    )
