"""What a version is derived from: the inputs' identities, the recipe, and the options that shape its store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bakehouse.plan.types import VIRTUAL, PlannedInput, StoreOptions
from bakehouse.schema import freeze

if TYPE_CHECKING:
    from bakehouse.plan.base import Known

LAYOUT_REVISION = 4
"""Raised when the same inputs and options would give other bytes, so that versions never mix."""


def version_of(digests: Mapping[str, str], beside: str = "") -> str:
    """Name a version; `beside` names what it is built beside or on: such a version is no store that was made at once.

    Examples
    --------
    >>> version_of({"inputs": "a", "recipe": "b", "options": "c"}) != version_of({"inputs": "z"})
    True
    """
    return digest([LAYOUT_REVISION, digests, *([beside] if beside else [])])[:16]


def prefix_of(options: StoreOptions, version: str) -> str:
    """Name a store's folder: a plain one has each version, a repository has all of them.

    Examples
    --------
    >>> [prefix_of(StoreOptions("sea.zarr", format=each), "1a2b") for each in ("zarr", "icechunk", "kerchunk-json")]
    ['1a2b.zarr', 'sea.icechunk', '1a2b.kerchunk']
    """
    if options.format == "icechunk":
        return f"{options.store_name.removesuffix('.icechunk').removesuffix('.zarr')}.icechunk"
    return f"{version}.{'kerchunk' if options.format in VIRTUAL else 'zarr'}"


def digest_inputs(inputs: Iterable[PlannedInput | Known]) -> str:
    """Hash where the inputs are and what identifies them."""
    return digest([[i.key, i.url, vars(i.identity)] for i in inputs])


def said(options: StoreOptions) -> dict[str, Any]:
    """Give the options that shape a store, as plain data."""
    return {
        "store_name": options.store_name,
        "target_chunks": {d: int(n) for d, n in options.target_chunks.items()},
        "shards": {d: int(n) for d, n in options.shards.items()}
        if isinstance(options.shards, Mapping)
        else options.shards,
        "encoding": {name: dict(freeze(e)) for name, e in sorted(options.encoding.items())},
        "attrs": dict(freeze(options.attrs)),
        "zarr_format": options.zarr_format,
        "combine_attrs": options.combine_attrs,
        **_policies(options),
    }


def _policies(options: StoreOptions) -> dict[str, Any]:
    """Give what else shapes a store and is not the default; `any` order stores what `error` does."""
    tolerance = options.coordinate_tolerance
    chosen = {
        "order": options.order if options.order in ("sort", "drop_duplicates") else None,
        "missing_variables": options.missing_variables if options.missing_variables != "error" else None,
        "coordinate_tolerance": dict(sorted(tolerance.items())) if isinstance(tolerance, Mapping) else tolerance,
        "format": options.format if options.format != "zarr" else None,
        "codecs": options.codecs if options.codecs != "auto" else None,
        "inline_bytes": options.inline_bytes if options.format in VIRTUAL else None,
        "left_out": options.left_out if options.left_out != "sources" else None,
    }
    return {name: value for name, value in chosen.items() if value}


def digest(value: object) -> str:
    """Hash plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
