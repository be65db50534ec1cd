"""What lies at an address: zarr of which format, or what else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from bakehouse.errors import LinkError
from bakehouse.link.place import Place
from bakehouse.storage.answers import Answer
from bakehouse.storage.web import Web

Kind = Literal["zarr", "kerchunk-json", "kerchunk-parquet", "icechunk"]
FORMATS = ("auto", "zarr", "icechunk", "kerchunk")
ROOTS = {"zarr": ("zarr.json", ".zmetadata", ".zgroup"), "kerchunk": (".zmetadata", "refs.json"), "icechunk": ()}
BRANCHES = ("refs/branch.main/ref.json", "repo")
"""What an Icechunk repository has, of its versions 1 and 2."""
SNIFFED_BYTES = 512
REFERENCES_BYTES = 256 * 2**20
ORIGIN = "https://bakehouse.example"
BAKE = "it is no store: bake it (bakehouse new ID --url …)"
MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "a NetCDF-4 or HDF5 file", BAKE),
    (b"CDF\x01", "a NetCDF-3 file", BAKE),
    (b"CDF\x02", "a NetCDF-3 file", BAKE),
    (b"CDF\x05", "a NetCDF-3 file", BAKE),
    (b"GRIB", "a GRIB file", BAKE),
    (b"II*\x00", "a TIFF file", BAKE),
    (b"MM\x00*", "a TIFF file", BAKE),
    (b"PK\x03\x04", "a zip archive", "unpack it where it lies: readers ask for one object at a time"),
    (b"\x1f\x8b", "a gzip file", "unpack it where it lies"),
    (b"PAR1", "a Parquet file", "give the folder that holds .zmetadata"),
)


class PrivateError(LinkError):
    """A store that is not for everybody."""


class GoneError(LinkError):
    """There is nothing at the address."""


@dataclass(frozen=True)
class Found:
    """A store's root document: where it lies, what it holds, and what was answered."""

    kind: Kind
    key: str
    answer: Answer = field(repr=False)
    document: dict[str, Any] = field(repr=False)


def find(web: Web, place: Place, format: str = "auto") -> Found:
    """Find out what lies at a place; an address that ends like a document of references is tried as one first.

    Raises
    ------
    LinkError
        If it is not there, not public, or none of the formats; it says what was found instead.
    """
    is_document = place.web.endswith(".json")
    asked: list[Answer] = []
    if is_document and format in ("auto", "kerchunk"):
        answer = _ask(web, place, "", asked, REFERENCES_BYTES)
        if answer.ok and (document := _object(answer.body)) is not None and _has_references(document):
            return Found("kerchunk-json", "", answer, document)
    for found in _roots(web, place, format, asked):
        return found
    raise _refusal(web, place, format, asked)


def _roots(web: Web, place: Place, format: str, asked: list[Answer]) -> Iterator[Found]:
    for key in dict.fromkeys(key for name, keys in ROOTS.items() if format in ("auto", name) for key in keys):
        limit = REFERENCES_BYTES if key in (".zmetadata", "refs.json") else 2**26
        answer = _ask(web, place, key, asked, limit)
        document = _object(answer.body) if answer.ok else None
        if document is not None and (kind := _kind(key, document)) and format in ("auto", kind.partition("-")[0]):
            yield Found(kind, key, answer, document)
    for key in BRANCHES if format in ("auto", "icechunk") else ():
        answer = _ask(web, place, key, asked)
        if answer.ok and (key == "repo" or _object(answer.body) is not None) and not _is_html(answer.body):
            yield Found("icechunk", key, answer, {})


def _ask(web: Web, place: Place, key: str, asked: list[Answer], limit: int = 2**26) -> Answer:
    answer = web.get(place.address(key), limit=limit, headers={"Origin": ORIGIN})
    asked.append(answer)
    return answer


def _kind(key: str, document: dict[str, Any]) -> Kind | None:
    if key == "refs.json":
        return "kerchunk-json" if _has_references(document) else None
    if key == ".zmetadata" and "record_size" in document:
        return "kerchunk-parquet"
    return "zarr" if "zarr_format" in document or "zarr_consolidated_format" in document else None


def _has_references(document: dict[str, Any]) -> bool:
    refs = document.get("refs", document)
    return isinstance(refs, dict) and any(key in refs for key in (".zgroup", "zarr.json", ".zmetadata"))


def _object(body: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None if it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refusal(web: Web, place: Place, format: str, asked: list[Answer]) -> LinkError:
    """Say why there is nothing to link, by what was answered."""
    answer = web.get(place.web, f"0-{SNIFFED_BYTES - 1}", limit=SNIFFED_BYTES, begin=True)
    if sniffed := _sniffed(answer):
        return LinkError(f"no zarr store but {sniffed[0]}", place.url, None, sniffed[1])
    statuses = sorted({each.status for each in (*asked, answer)})
    if payer := next((each for each in (*asked, answer) if b"UserProjectMissing" in each.body), None):
        return PrivateError("its readers have to pay", payer.url, "the bucket is 'requester pays'", PUBLISH)
    if any(status in (401, 403) for status in statuses):
        cause = f"the server answers {' and '.join(map(str, statuses))} to who has no credentials"
        return PrivateError("the store is not public", place.url, cause, PUBLISH)
    if set(statuses) <= {200, 206}:
        return LinkError("no zarr store: its documents can't be read as JSON", place.url, None, "check the address")
    tried = ", ".join(dict.fromkeys(each.url.removeprefix(place.web).strip("/") or "itself" for each in asked))
    wanted = "zarr store" if format == "auto" else f"store of the format {format}"
    cause = f"the server answers {', '.join(map(str, statuses))} to: {tried}"
    return GoneError(f"there is no {wanted}", place.url, cause, "check the address, and --endpoint-url")


PUBLISH = "let everybody read it (list and get), then link it"


def _sniffed(answer: Answer) -> tuple[str, str] | None:
    """Say what an address holds, by its first bytes."""
    if not answer.ok:
        return None
    for magic, what, fix in MAGIC:
        if answer.body.startswith(magic):
            return what, fix
    return ("an HTML page", "give the address of the store itself") if _is_html(answer.body) else None


def _is_html(body: bytes) -> bool:
    return body[:SNIFFED_BYTES].lstrip().lower().startswith((b"<!doctype html", b"<html"))
