"""Metadata documents in an Icechunk store: strict JSON, written where they differ."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from bakehouse.errors import StorageError
from bakehouse.writers.template import Documents, is_metadata


def strict_documents(documents: Documents, where: str) -> dict[str, Any]:
    """Read documents as strict JSON, without the root's consolidated copy: a snapshot is read as a whole anyway.

    Raises
    ------
    StorageError
        If an attribute is NaN or infinite, or the documents are zarr v2.

    Examples
    --------
    >>> strict_documents({"zarr.json": b'{"attributes": {"missing_value": NaN}, "consolidated_metadata": {}}'}, "here")
    {'zarr.json': {'attributes': {}}}
    """
    if not all(key.endswith("zarr.json") for key in documents if is_metadata(key)):
        raise StorageError("Icechunk stores zarr v3 only", where, "the documents are zarr v2", "use zarr_format=3")
    return {key: _strict(key, data, where) for key, data in documents.items() if is_metadata(key)}


def write_differing(store: Any, wanted: dict[str, Any], where: str) -> None:
    """Write the documents that differ from those in a store, groups first; remove arrays that none of them names.

    Raises
    ------
    StorageError
        If chunks that are kept would be read in another way, or not at all.
    """
    for key in sorted(wanted, key=lambda key: (key.count("/"), key)):
        there = _read(store, key)
        if there is not None and not _fits(there, wanted[key]):
            raise StorageError(
                f"'{key}' is there already, laid out in another way",
                where,
                "only attributes and lengths may change",
                "begin the branch empty",
            )
        if there != wanted[key]:
            _drop_beyond(store, key, there, wanted[key])
            data = default_buffer_prototype().buffer.from_bytes(json.dumps(wanted[key]).encode())
            sync(store.set(key, data))
    for name in sorted(set(_names(store)) - {key.partition("/")[0] for key in wanted}):
        sync(store.delete_dir(name))


def _fits(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return len(there.get("shape", [])) == len(wanted.get("shape", [])) and _layout(there) == _layout(wanted)


def _drop_beyond(store: Any, key: str, there: Any, wanted: dict[str, Any]) -> None:
    """Delete the chunks that lie outside of an array that gets shorter, while their places still exist."""
    if not (there or {}).get("shape"):
        return
    lengths, name = wanted["chunk_grid"]["configuration"]["chunk_shape"], key.removesuffix("/zarr.json")
    before, after = (
        [-(-n // length) for n, length in zip(each["shape"], lengths, strict=True)] for each in (there, wanted)
    )
    for i, count in enumerate(after):
        beyond = [range(count if j == i else 0, n) for j, n in enumerate(before)]
        for at in itertools.product(*beyond):
            sync(store.delete("/".join([name, "c", *map(str, at)])))


def _layout(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("attributes", "shape")}


def _strict(key: str, data: bytes, where: str) -> Any:
    document = json.loads(data)
    document.pop("consolidated_metadata", None)
    attributes = document.get("attributes", {})
    if _is_nan(attributes.get("missing_value")):
        del attributes["missing_value"]  # NaN is read as missing without being told
    for name, value in attributes.items():
        if any(map(_is_nan, _leaves(value))):
            _refuse(key.removesuffix("zarr.json").rstrip("/"), name, value, where)
    return document


def _refuse(array: str, name: str, value: Any, where: str) -> None:
    named = f"[{array!r}]" if array else ""
    raise StorageError(
        f"attribute '{name}' of {f'{array!r}' if array else 'the store'} is {value}",
        where,
        "Icechunk keeps attributes as strict JSON, which has no NaN or infinity",
        f"drop it in a preprocessing step: ds{named}.attrs.pop('{name}')",
    )


def _leaves(value: Any) -> Iterator[Any]:
    if not isinstance(value, dict | list):
        yield value
        return
    for each in value.values() if isinstance(value, dict) else value:
        yield from _leaves(each)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _read(store: Any, key: str) -> Any:
    found = sync(store.get(key, default_buffer_prototype()))
    return None if found is None else json.loads(found.to_bytes())


def _names(store: Any) -> list[str]:
    async def listed() -> list[str]:
        return [name.rstrip("/") async for name in store.list_dir("")]

    return sync(listed())
