"""Headers as they are kept between runs: what many files have alike as JSON, what each has of its own as bytes.

Nothing that is read back is code: a folder of headers may be written by others than those who read it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from bakehouse.manifests import Filter, Manifest
from bakehouse.openers.hdf5.header import Header, HeaderVariable

NUMBERS = "u8"
KINDS = "iufbSU"


class UnwritableError(Exception):
    """A header holds something that has no form outside of this process."""


def write_header(header: Header) -> tuple[str, bytes]:
    """Give what files that look alike share, and what this one has of its own: where chunks lie, and values.

    Raises
    ------
    UnwritableError
        If an attribute is of a kind that could not be given back as it is.
    """
    variables = [[name, *_variable(found)] for name, found in header.variables.items()]
    said = {"attrs": _plain(header.attrs), "unlimited": sorted(header.unlimited), "variables": variables}
    return json.dumps(said), b"".join(array.tobytes() for v in header.variables.values() for array in _own(v))


def read_written(form: str, own: bytes) -> Header:
    """Give back the header that was written so; whatever is wrong with it is an error of some kind."""
    said, rest = _parsed(form), memoryview(own)
    variables: dict[str, HeaderVariable] = {}
    for name, dims, shape, dtype, attrs, encoding, manifest, values in said["variables"]:
        if isinstance(manifest, list):
            manifest, rest = _manifest(manifest, rest)
        held = None
        if values is not None:
            held, rest = _taken(rest, *values)
        variables[name] = HeaderVariable(dims, shape, dtype, fresh(attrs), fresh(encoding), manifest, held)
    if len(rest):
        raise ValueError(f"{len(rest)} bytes are left over")
    return Header(variables, fresh(said["attrs"]), frozenset(said["unlimited"]))


def _variable(found: HeaderVariable) -> list[Any]:
    held = None if found.values is None else [found.values.dtype.str, list(found.values.shape)]
    if found.values is not None and found.values.dtype.kind not in KINDS:
        raise UnwritableError(f"values of dtype {found.values.dtype}")
    where = found.manifest if isinstance(found.manifest, str) else _layout(found.manifest)
    shape = [found.shape, found.dtype, found.attrs, found.encoding]
    return [list(found.dims), *map(_plain, shape), where, held]


def _layout(manifest: Manifest) -> list[Any]:
    """Give a manifest without where the chunks lie."""
    if not manifest.is_one_file:
        raise UnwritableError("chunks in several files")
    filters = [[step.id, [list(pair) for pair in step.config]] for step in manifest.filters]
    grid, masked = list(manifest.offsets.shape), manifest.masks is not None
    return [*map(_plain, [manifest.shape, manifest.chunks, manifest.dtype, manifest.fill]), filters, grid, masked]


def _own(found: HeaderVariable) -> Iterator[np.ndarray[Any, Any]]:
    if not isinstance(found.manifest, str):
        arrays = (found.manifest.offsets, found.manifest.lengths, found.manifest.masks)
        yield from (array.astype(NUMBERS) for array in arrays if array is not None)
    if found.values is not None:
        yield found.values


def _manifest(said: list[Any], rest: memoryview) -> tuple[Manifest, memoryview]:
    shape, chunks, dtype, fill, filters, grid, masked = said
    offsets, rest = _taken(rest, NUMBERS, grid)
    lengths, rest = _taken(rest, NUMBERS, grid)
    masks = None
    if masked:
        masks, rest = _taken(rest, NUMBERS, grid)
    return Manifest(shape, chunks, dtype, filters, fill, offsets, lengths, masks), rest


def _taken(rest: memoryview, dtype: str, shape: list[int]) -> tuple[np.ndarray[Any, Any], memoryview]:
    """Take an array from the front of what is left."""
    kind = np.dtype(dtype)
    size = kind.itemsize * int(np.prod(shape, dtype="i8"))
    if kind.kind not in KINDS or size > len(rest):
        raise ValueError(f"no {size} bytes of {dtype} are left")
    return np.frombuffer(rest[:size], kind).reshape(shape).copy(), rest[size:]


@lru_cache(256)
def _parsed(form: str) -> dict[str, Any]:
    """Understand what files that look alike share."""
    said = json.loads(form)
    found = []
    for name, dims, shape, dtype, attrs, encoding, manifest, values in said["variables"]:
        if isinstance(manifest, list):
            filters = tuple(Filter(id, tuple((k, v) for k, v in config)) for id, config in manifest[4])
            manifest = [*map(_back, manifest[:4]), filters, *manifest[5:]]
        found.append([name, tuple(dims), *map(_back, (shape, dtype, attrs, encoding)), manifest, values])
    return {"attrs": _back(said["attrs"]), "unlimited": said["unlimited"], "variables": found}


def fresh(said: dict[str, Any]) -> dict[str, Any]:
    """Copy attributes, with those of their values that could be changed in place."""
    return {
        name: value.copy() if isinstance(value, np.ndarray | dict | list) else value for name, value in said.items()
    }


def _plain(value: Any) -> Any:
    """Spell a value of an attribute or an encoding so that it can be given back just as it is."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in KINDS:
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": [value.dtype.str, list(value.shape), data], "scalar": isinstance(value, np.generic)}
    if isinstance(value, np.dtype) and value.kind in KINDS:
        return {"dtype": [value.str, _plain(dict(value.metadata or {}))]}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_plain(each) for each in value]}
    if type(value) is dict and all(type(name) is str for name in value):
        return {"dict": {name: _plain(each) for name, each in value.items()}}
    raise UnwritableError(f"{type(value).__name__} can't be written")


def _back(said: Any) -> Any:
    """Give back what `_plain` spelt.

    Examples
    --------
    >>> _back(_plain({"valid_range": (np.int16(1), 2.5), "units": "K"}))
    {'valid_range': (np.int16(1), 2.5), 'units': 'K'}
    """
    if not isinstance(said, dict):
        return said
    if "array" in said:
        dtype, shape, data = said["array"]
        found = np.frombuffer(base64.b64decode(data), dtype).reshape(shape)
        return found[()] if said["scalar"] else found.copy()
    ((kind, held),) = said.items()
    match kind:
        case "dtype":
            said = _back(held[1])
            return np.dtype(held[0], metadata=said) if said else np.dtype(held[0])
        case "bytes":
            return base64.b64decode(held)
        case "list" | "tuple":
            return [_back(each) for each in held] if kind == "list" else tuple(_back(each) for each in held)
        case "dict":
            return {name: _back(each) for name, each in held.items()}
    raise ValueError(f"no value is spelt as {kind}")
