"""Read a chunk as a stranger would: without credentials, from a page of another origin, in parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from bakehouse.catalog.record import Access, Seen
from bakehouse.errors import BakehouseError, LinkError
from bakehouse.link.found import ORIGIN, PUBLISH, PrivateError
from bakehouse.link.opened import Opened, seen
from bakehouse.link.place import Place
from bakehouse.link.store import Span
from bakehouse.storage.answers import Answer
from bakehouse.storage.remote import first_line
from bakehouse.storage.web import Web

if TYPE_CHECKING:
    import zarr

ARRAYS, CHUNKS = 6, 5
"""How many arrays, and how many chunks of each, are tried until one is there."""
CHUNK_VALUES_BYTES = 2**30
NEVER = ("pickle", "numcodecs.pickle")
"""Codecs that run what they read."""
SEEN_BYTES = 64


@dataclass(frozen=True)
class Probed:
    """A chunk that was read and decoded, and what its server allows."""

    chunk: str
    access: Access


def arrays_of(group: zarr.Group) -> list[zarr.Array]:
    """List a group's arrays, the largest first.

    Raises
    ------
    LinkError
        If it has none, or one that must not be decoded.
    """
    found = sorted((array for _, array in group.arrays()), key=lambda array: -array.nbytes)
    if not found:
        groups = sorted(name for name, _ in group.groups())
        cause = f"it has groups: {', '.join(groups[:20])}" if groups else None
        fix = "name one in meta.yaml: xarray_open_kwargs: {group: NAME}" if groups else "check the address"
        raise LinkError("the store's root has no arrays", str(group.path) or None, cause, fix)
    for array in found:
        _refuse_code(array)
    return found


def _refuse_code(array: zarr.Array) -> None:
    """Refuse codecs that run what they read."""
    for codec in (*array.filters, *array.compressors):
        name = str(getattr(codec, "codec_id", None) or codec.to_dict().get("name"))
        if name in NEVER:
            cause = "decoding it runs whatever code the store holds"
            raise LinkError(f"array '{array.path}' is stored with the codec '{name}'", None, cause, "store it as text")


def probe(web: Web, place: Place, store: Opened, group: zarr.Group, key: str | None = None) -> Probed:
    """Read a chunk of the largest array that has one, or the chunk of a key, and see what its server allows.

    Raises
    ------
    PrivateError
        If chunks are not for everybody.
    LinkError
        If none is there, or it can't be decoded.
    """
    for array, index, name in candidates(group, arrays_of(group), key):
        before = len(store.reads)
        if store.locate and _is_absent(web, store, name):
            if name == _chunks_of(array)[-1][2]:
                _insist_public(store, array)
            continue
        decode(array, index, name)
        return Probed(name, _access(web, place, store, name, _address(store, name, before)))
    _insist_public(store, None)
    cause = "none that was tried is there"
    raise LinkError("the store has metadata and no chunks", place.url, cause, "check it")


def _insist_public(store: Opened, array: zarr.Array | None) -> None:
    """Stop at an array none of whose chunks is for everybody."""
    if store.private:
        whose = f"chunks of '{array.path}'" if array else "a chunk"
        cause = f"its metadata can be read, {whose} can't (or are missing, where nobody may list)"
        raise PrivateError("the store is not public", store.private[0], cause, PUBLISH)


def candidates(
    group: zarr.Group, arrays: list[zarr.Array], key: str | None = None
) -> Iterator[tuple[zarr.Array, tuple[int, ...], str]]:
    """List chunks: of each of the largest arrays the first, the last, and some between."""
    for array in [each for each in arrays if each.nbytes][:ARRAYS]:
        yield from (each for each in _chunks_of(array) if key in (None, each[2]))


def _chunks_of(array: zarr.Array) -> list[tuple[zarr.Array, tuple[int, ...], str]]:
    """List the chunks of an array that are tried, with their places in the grid and their keys."""
    places = islice(_spread(_grid(array)), CHUNKS)
    return [(array, index, f"{array.path}/{array.metadata.encode_chunk_key(index)}".lstrip("/")) for index in places]


def _grid(array: zarr.Array) -> tuple[int, ...]:
    return tuple(-(-n // max(c, 1)) for n, c in zip(array.shape, array.shards or array.chunks, strict=True))


def _spread(grid: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """List places in a grid: its beginning, its end, its middle, its quarters.

    Examples
    --------
    >>> list(_spread((5, 1)))
    [(0, 0), (4, 0), (2, 0), (1, 0), (3, 0)]
    """
    parts = (0, 4, 2, 1, 3)
    yield from dict.fromkeys(tuple((n - 1) * part // 4 for n in grid) for part in parts)


def _is_absent(web: Web, store: Opened, name: str) -> bool:
    """Say whether a chunk is not there, or not for everybody, which buckets that can't be listed answer for both."""
    found = store.locate(name) if store.locate else None
    if not isinstance(found, Span):
        return found is None
    answer = _begin(web, found)
    if answer.status in (401, 403):
        store.private.append(found.url)
    return not answer.ok


def decode(array: zarr.Array, index: tuple[int, ...], name: str) -> None:
    """Read one value of a chunk, which decodes all of it."""
    import math

    size = math.prod(array.chunks) * array.dtype.itemsize
    if size > CHUNK_VALUES_BYTES:
        raise LinkError(f"a chunk of '{array.path}' has {size / 2**30:.1f} GiB", name, None, "rechunk the store")
    cut: Any = tuple(slice(i * c, i * c + 1) for i, c in zip(index, array.shards or array.chunks, strict=True))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array[cut]
    except BakehouseError:
        raise
    except Exception as error:  # whatever a codec makes of what others wrote
        raise LinkError("a chunk can't be decoded", name, first_line(error), "check the store") from error


def _address(store: Opened, name: str, before: int) -> Span | bytes | None:
    if store.locate:
        return store.locate(name)
    chunks = [url for url in store.reads[before:] if "/chunks/" in url]
    return Span(chunks[-1]) if chunks else None


def _access(web: Web, place: Place, store: Opened, name: str, found: Span | bytes | None) -> Access:
    """See what the server allows; what is held in the metadata has no server of its own."""
    free = True if place.is_free else None
    root = seen(store.root, store.root.url.removeprefix(place.web).strip("/") or place.web.rpartition("/")[2])
    if not isinstance(found, Span):
        return Access(anonymous=True, cors=_allows(store.root), egress_free=free, root=root)
    answer = _begin(web, found)
    chunk = Seen(key=name, etag=answer.etag, size_bytes=answer.size_bytes)
    cors = _allows(store.root) and _allows(answer)
    return Access(anonymous=True, cors=cors, ranges=answer.status == 206, egress_free=free, root=root, chunk=chunk)


def _begin(web: Web, span: Span) -> Answer:
    """Ask for the first bytes of a chunk's file as a page of another origin does."""
    asked = f"{span.start}-{span.start + SEEN_BYTES - 1}"
    return web.get(span.url, asked, limit=SEEN_BYTES, headers={"Origin": ORIGIN}, begin=True)


def _allows(answer: Answer) -> bool:
    return answer.headers.get("Access-Control-Allow-Origin") in ("*", ORIGIN)
