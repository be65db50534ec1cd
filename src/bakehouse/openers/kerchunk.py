"""Index the arrays of kerchunk reference documents: their chunks lie in other files, or in the document itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from bakehouse.errors import SourceError
from bakehouse.manifests import Filter, Manifest
from bakehouse.plan.codecs import from_numcodecs
from bakehouse.storage import Source

if TYPE_CHECKING:
    from bakehouse.openers.opened import Opened

NAMES = "names"
"""Key of a document beside kerchunk's own: place where a file is read, and the URL by which it is published."""


@dataclass(frozen=True)
class References:
    """A document of references: text of metadata, and what each chunk's key refers to."""

    refs: Mapping[str, Any] = field(repr=False)
    names: Mapping[str, str] = field(default_factory=dict)

    def document(self, key: str) -> Mapping[str, Any]:
        """Give a metadata document."""
        found = self.refs[key]
        return dict(json.loads(found) if isinstance(found, str | bytes) else found)

    @property
    def groups(self) -> list[str]:
        """Give the paths of all groups below the root."""
        return sorted(key.removesuffix("/.zgroup") for key in self.refs if key.endswith("/.zgroup"))

    def below(self, group: str) -> References:
        """Give a group as if it were the root: zarr finds no members of a deeper one by way of fsspec's references."""
        start = f"{group}/" if group else ""
        refs = {key.removeprefix(start): found for key, found in self.refs.items() if key.startswith(start)}
        return replace(self, refs=refs)


def read_references(source: Source) -> References:
    """Read a reference document.

    Raises
    ------
    SourceError
        If it is none.
    """
    try:
        found = json.loads(source.read())
        refs, names = found.get("refs", found), found.get(NAMES, {})
    except (ValueError, AttributeError) as error:
        raise SourceError(
            "the file is no document of kerchunk references", source.where, str(error), "expected JSON with refs"
        ) from error
    return References(_expanded(source, found) if found.get("templates") or found.get("gen") else refs, names)


def _expanded(source: Source, found: Mapping[str, Any]) -> Mapping[str, Any]:
    from jinja2 import TemplateError

    from bakehouse.openers.templates import expand

    try:
        return expand(found)
    except (TemplateError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise SourceError(
            "the templates of the kerchunk document can't be expanded",
            source.where,
            f"{type(error).__name__}: {error}",
            "mend its templates and gen, or write its references out",
        ) from error


def zarr_store(opened: Opened, references: References) -> Any:
    """Open references as a zarr store by fsspec, which knows nothing of the manifests here."""
    from kerchunk.utils import refs_as_store

    said = opened.kwargs.get("storage_options") or {}
    return refs_as_store(dict(references.refs), read_only=True, **_access(said))


def _access(said: Mapping[str, Any]) -> dict[str, Any]:
    options = {"remote_options": dict(said.get("remote_options") or {})}
    return {**options, **({"remote_protocol": said["remote_protocol"]} if said.get("remote_protocol") else {})}


def manifest_in(opened: Opened, references: References, name: str, shape: tuple[int, ...]) -> Manifest | str:
    """Say where an array's chunks lie and how they are stored; or why zarr itself has to read them.

    Parameters
    ----------
    opened
        The document, and with which options the files that it refers to are read.
    references
        What is in it.
    name
        The array's path.
    shape
        What the reader library reports.
    """
    said = references.document(f"{name}/.zarray")
    dtype = np.dtype(said["dtype"]) if isinstance(said["dtype"], str) else np.dtype(object)
    if tuple(said["shape"]) != shape or dtype.kind not in "iufb":
        return f"dtype {said['dtype']} needs the zarr library"
    if said.get("order") == "F" and len(shape) > 1:
        return "its chunks are stored in Fortran order"
    steps = [*(said.get("filters") or ()), *([said["compressor"]] if said.get("compressor") else [])]
    filters = [_filter(step, dtype.itemsize) for step in steps]
    if None in filters:
        return f"codec {steps[filters.index(None)]['id']} needs the zarr library"
    return _manifest(opened, references, name, said, dtype, tuple(f for f in filters if f))


def _filter(step: Mapping[str, Any], itemsize: int) -> Filter | None:
    if step["id"] == "grib":
        return Filter.of("grib", **{key: value for key, value in step.items() if key != "id"})
    return from_numcodecs(step, itemsize)


def _manifest(
    opened: Opened,
    references: References,
    name: str,
    said: Mapping[str, Any],
    dtype: np.dtype[Any],
    filters: tuple[Filter, ...],
) -> Manifest | str:
    shape, chunks = tuple(said["shape"]), tuple(max(n, 1) for n in said["chunks"])
    grid = tuple(-(-n // c) for n, c in zip(shape, chunks, strict=True))
    found = _chunks(references, name, grid, said.get("dimension_separator") or ".")
    held = {index: _bytes(text) for index, text in found.items() if isinstance(text, str)}
    lying = {index: place for index, place in found.items() if index not in held}
    files = {place: _file(opened, references, place) for place in dict.fromkeys(each[0] for each in lying.values())}
    sizes = {place: _size(files[place]) for place in dict.fromkeys(each[0] for each in lying.values() if not each[1:])}
    if unknown := [place for place, size in sizes.items() if not size]:
        return f"the length of {unknown[0]} is not known"
    which, offsets, lengths = (np.zeros(grid, t) for t in ("u4", "u8", "u8"))
    numbers = {place: number for number, place in enumerate(files)}
    for index, (place, *span) in lying.items():
        which[index] = numbers[place]
        offsets[index], lengths[index] = span or (0, sizes[place])
    for index, data in held.items():
        lengths[index] = len(data)
    where: dict[str, Any] = {"files": tuple(files.values()), "which": which, "held": held}
    return Manifest(shape, chunks, dtype, filters, fill_in(said), offsets, lengths, **where)


def _chunks(references: References, name: str, grid: tuple[int, ...], separator: str) -> dict[tuple[int, ...], Any]:
    """Give what the chunks of an array are referred to by, of all that were written."""
    keys = {index: separator.join(map(str, index)) or "0" for index in product(*(range(n) for n in grid))}
    found = {index: references.refs.get(f"{name}/{key}") for index, key in keys.items()}
    return {index: each for index, each in found.items() if each or isinstance(each, str)}


def _bytes(text: str) -> bytes:
    """Give the bytes of a chunk that the document holds."""
    return base64.b64decode(text[7:]) if text.startswith("base64:") else text.encode()


def _size(file: Source) -> int | None:
    """Ask how long a file is that is a chunk as a whole; a server may not say it."""
    return file.identified().identity.size_bytes


def fill_in(said: Mapping[str, Any]) -> Any:
    """Give the fill value that an array's metadata has, as a number.

    Examples
    --------
    >>> fill_in({"dtype": "<f4", "fill_value": "-Infinity"}), fill_in({"dtype": "<i2", "fill_value": None})
    (-inf, 0)
    """
    fill = said["fill_value"]
    if isinstance(fill, str) and np.dtype(said["dtype"]).kind == "f":
        return float(fill.replace("Infinity", "inf"))
    return 0 if fill is None else fill


def file_at(place: str, options: Mapping[str, Any], url: str | None = None) -> Source:
    """Give a file that is referred to: where it is read, and the URL by which it is published."""
    remote = "://" in place and not place.startswith("file://")
    return Source(url or place, place.removeprefix("file://"), dict(options) if remote else {})


def _file(opened: Opened, references: References, place: str) -> Source:
    options = (opened.kwargs.get("storage_options") or {}).get("remote_options") or {}
    return file_at(place, options, references.names.get(place))
