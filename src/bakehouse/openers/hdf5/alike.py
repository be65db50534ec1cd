"""Headers that were read before: in a file that says the same, byte for byte, and differs in where things lie alone.

The first file of a kind is read by the HDF5 library. What came of it is kept under the bytes of its object headers, in
which addresses are replaced by the names of what they point at. A file with the same bytes has the same header, but for
the places of its chunks and the values of its coordinates, which are read from the file itself. Nothing of it takes
HDF5's global lock, and whatever is not understood for certain is left to the library.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bakehouse.manifests import Manifest
from bakehouse.openers.codecs import decode
from bakehouse.openers.hdf5.header import Header, HeaderVariable
from bakehouse.openers.hdf5.layout import NOWHERE, Bytes, OddError
from bakehouse.openers.hdf5.written import fresh, write_header
from bakehouse.storage.memory import Memory

KEPT_BYTES = 2**24
SPACE, LINKS, DTYPE, OLD_FILL, FILL, LINK, LAYOUT, GROUP, FILTERS, ATTRIBUTE, COMMENT, TIME, ATTRIBUTES = (
    1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 18, 21,
)  # fmt: skip
PLAIN = frozenset({SPACE, DTYPE, OLD_FILL, FILL, FILTERS, COMMENT})
PASSED = frozenset({GROUP, TIME})
CONTIGUOUS, CHUNKED = 1, 2
NUMBERS_AND_TEXT, COMPOUND, REFERENCE, LIST = frozenset({0, 1, 3}), 6, 7, 9

_known = Memory(KEPT_BYTES)


@dataclass(frozen=True)
class Look:
    """What a file says: `said` without addresses, and for each dataset where its values or its chunk index lie."""

    said: Any
    places: Mapping[str, int]
    raw: Bytes


def look_at(file: Any) -> Look:
    """Read the headers of all objects in the root group of an open file.

    Raises
    ------
    OddError
        If something in it is not understood for certain; other errors mean the same.
    """
    raw = Bytes(file)
    root, links = list(raw.messages(raw.root())), dict[int, str]()
    for kind, _, body in root:
        if kind == LINK:
            name, address = _link(body)
            links[address] = name
        elif kind == LINKS and _undefined(body, 2 + 8 * (body[1] & 1)):
            continue
        elif kind == LINKS:
            raise OddError("links that lie elsewhere")
    if len(set(links.values())) < sum(kind == LINK for kind, _, _ in root):
        raise OddError("an object that has two names")
    places = dict[str, int]()
    said = [tuple(_said(raw, [m for m in root if m[0] not in (LINK, LINKS)], links, "", places))]
    for address, name in sorted(links.items(), key=lambda pair: pair[1]):
        said.append((name, *_said(raw, raw.messages(address), links, name, places)))
        if name not in places:
            raise OddError(f"'{name}' is no dataset")
    return Look(tuple(said), places, raw)


def recall(look: Look) -> Header | None:
    """Give the header of a file that says what another one said."""
    like: Header | bool | None = _known.get(look.said)
    return _filled(like, look) if isinstance(like, Header) else None


def learn(look: Look, header: Header) -> None:
    """Keep a header that the library read, if this reader would have given the same; else that it would not."""
    if _known.get(look.said) is None:
        _known.put(look.said, _is_given(look, header) and header, 2**12 + len(repr(look.said)) + header.size_bytes)


def _is_given(look: Look, header: Header) -> bool:
    if any(v.dtype.kind not in "iuf" for v in header.variables.values() if v.values is not None):
        return False
    try:
        return write_header(_filled(header, look)) == write_header(header)
    except Exception:  # what is odd in where things lie, or can't be written
        return False


def forget() -> None:
    """Forget all headers."""
    _known.clear()


def _said(raw: Bytes, messages: Any, links: Mapping[int, str], name: str, places: dict[str, int]) -> Iterator[Any]:
    """Give what an object's messages say without addresses, and note where its values lie."""
    for kind, lead, body in messages:
        if kind in PLAIN:
            yield lead, body
        elif kind == ATTRIBUTE:
            yield lead, _attribute(raw, body, links)
        elif kind == LAYOUT:
            shape, places[name] = _layout(body)
            yield lead, shape
        elif kind not in PASSED and not (kind == ATTRIBUTES and _undefined(body, 2 + 2 * (body[1] & 1))):
            raise OddError(f"message of kind {kind}")


def _link(body: bytes) -> tuple[str, int]:
    """Understand a hard link (IV.A.2.g)."""
    marks = body[1]
    if marks & 8:
        raise OddError("a link that is not hard")
    at, width = 2 + (8 if marks & 4 else 0) + (1 if marks & 16 else 0), 1 << (marks & 3)
    size = int.from_bytes(body[at : at + width], "little")
    end = at + width + size
    return body[at + width : end].decode(), struct.unpack_from("<Q", body, end)[0]


def _layout(body: bytes) -> tuple[bytes, int]:
    """Understand where values lie (IV.A.2.i): all that is said but for the address, and the address."""
    if body[:2] in (bytes((3, CONTIGUOUS)), bytes((4, CONTIGUOUS))):
        return body[:2] + body[10:], struct.unpack_from("<Q", body, 2)[0]
    if body[:2] == bytes((3, CHUNKED)):
        return body[:3] + body[11:], struct.unpack_from("<Q", body, 3)[0]
    raise OddError("values that lie in another way")


def _attribute(raw: Bytes, body: bytes, links: Mapping[int, str]) -> Any:
    """Give an attribute (IV.A.2.m) with what it points at in place of addresses."""
    version, marks, *sizes = struct.unpack_from("<BBHHH", body)
    if version not in (1, 3) or marks:
        raise OddError("an attribute that shares its type")
    name_size, type_size, space_size = (-(-n // 8) * 8 for n in sizes) if version == 1 else sizes
    begins = 8 + (version == 3)
    type_at = begins + name_size
    data_at = type_at + type_size + space_size
    kind, data = body[type_at] & 15, body[data_at:]
    if kind in NUMBERS_AND_TEXT:
        return body
    if kind == LIST:
        lists = raw.lists(data[: len(data) // 16 * 16])
        return body[:data_at], tuple(_listed(body[type_at + 8] & 15, each, links) for each in lists)
    if kind == COMPOUND and body[begins : begins + name_size].rstrip(b"\0") == b"REFERENCE_LIST":
        size = struct.unpack_from("<I", body, type_at + 4)[0]
        users = [data[at : at + size] for at in range(0, len(data) // size * size, size)]
        return body[:data_at], tuple((links[struct.unpack_from("<Q", each)[0]], each[8:]) for each in users)
    raise OddError(f"an attribute of class {kind}")


def _listed(kind: int, each: tuple[int, bytes], links: Mapping[int, str]) -> Any:
    if kind == REFERENCE:
        return tuple(links[address] for (address,) in struct.iter_unpack("<Q", each[1]))
    if kind not in NUMBERS_AND_TEXT:
        raise OddError(f"lists of class {kind}")
    return each


def _undefined(body: bytes, at: int) -> bool:
    return body[at : at + 8] == NOWHERE.to_bytes(8, "little")


def _filled(like: Header, look: Look) -> Header:
    """Give a header with what a file has of its own."""
    variables = {name: _variable(found, look.raw, look.places[name]) for name, found in like.variables.items()}
    return Header(variables, fresh(like.attrs), like.unlimited)


def _variable(like: HeaderVariable, raw: Bytes, place: int) -> HeaderVariable:
    where = like.manifest if isinstance(like.manifest, str) else _manifest(like, like.manifest, raw, place)
    values = None if like.values is None else _values(where, raw).astype(like.dtype, copy=False)
    return HeaderVariable(like.dims, like.shape, like.dtype, fresh(like.attrs), fresh(like.encoding), where, values)


def _manifest(found: HeaderVariable, like: Manifest, raw: Bytes, place: int) -> Manifest:
    offsets, lengths, masks = np.zeros_like(like.offsets), np.zeros_like(like.lengths), None
    if found.encoding["contiguous"]:
        if place != NOWHERE:
            offsets[...], lengths[...] = place, int(np.prod(like.shape, dtype="i8")) * like.dtype.itemsize
    else:
        for chunks in raw.chunks(place, len(like.shape)):
            at = tuple((chunks["index"] // np.array(like.chunks, "u8")).T)
            offsets[at], lengths[at] = chunks["at"], chunks["length"]
            if chunks["mask"].any():
                masks = np.zeros_like(like.offsets) if masks is None else masks
                masks[at] = chunks["mask"]
    return Manifest(like.shape, like.chunks, like.dtype, like.filters, like.fill, offsets, lengths, masks)


def _values(manifest: Manifest | str, raw: Bytes) -> Any:
    """Read a coordinate whole.

    Raises
    ------
    OddError
        If chunks are missing.
    """
    if isinstance(manifest, str) or not manifest.lengths.all() or len(manifest.shape) != 1:
        raise OddError("a coordinate that the library reads")
    size, parts = manifest.chunk_bytes, []
    for i, (at, length) in enumerate(zip(manifest.offsets.tolist(), manifest.lengths.tolist(), strict=True)):
        skipped = 0 if manifest.masks is None else int(manifest.masks[i])
        parts.append(bytes(decode(manifest.filters, raw.at(at, length), size, skipped)))
    return np.frombuffer(b"".join(parts), manifest.dtype)[: manifest.shape[0]]
