"""Metadata documents: the root is the registered one, every other document says what the root says of it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from bakehouse.verify.report import Checked, Problem, Statement
from bakehouse.writers.reading import Reading
from bakehouse.writers.template import Documents, is_metadata, root_names

SHOWN = 3
ABSENT = "nothing"
STRAY = "remove it; readers without consolidated metadata take it for part of the store"


def check_documents(
    store: Reading, zarr_format: int, registered: str | None, listing: Mapping[str, int] | None = None
) -> Checked:
    """Compare the root with the digest that was registered, and every other document with what the root says of it."""
    name = root_names(zarr_format)[-1]
    root = store.get(name)
    found = Checked.of(Statement("root", 1, 1, "", "the registered one, with consolidated metadata"), [])
    problems = _root_problems(name, root, zarr_format, registered)
    if problems:
        found = Checked.of(found.statements[0], problems)
    listed = documents_of(root, zarr_format)
    if not listed:
        nothing = Statement("documents", 0, 1, "documents", "", "there is no root to compare them with")
        return found + Checked.of(nothing, [])
    there = {key for key in (dict(store.list()) if listing is None else listing) if is_metadata(key)} - {name}
    return found + _compare(store, {k: v for k, v in listed.items() if k != name}, there)


def documents_of(root: bytes | None, zarr_format: int) -> dict[str, Any]:
    """Give the documents that a consolidated root holds, by key, with the root's own; nothing if it holds none."""
    found = _parsed(root)
    held = found if zarr_format == 2 else _member(found, "consolidated_metadata")
    nodes = _member(held, "metadata")
    if zarr_format == 2 or not nodes:
        return nodes
    return {"zarr.json": found, **{f"{name}/zarr.json": node for name, node in nodes.items()}}


def as_documents(root: bytes, zarr_format: int) -> Documents:
    """Give the documents that a consolidated root holds as they would lie in a store."""
    name = root_names(zarr_format)[-1]
    listed = {k: json.dumps(v).encode() for k, v in documents_of(root, zarr_format).items()}
    return {**listed, name: root} if listed else {}


def check_lengths(documents: Mapping[str, Any]) -> Checked:
    """Insist that all arrays have one length along each dimension.

    Examples
    --------
    >>> [str(p) for p in check_lengths({
    ...     "time/zarr.json": {"shape": [6], "dimension_names": ["time"]},
    ...     "sst/zarr.json": {"shape": [5, 2], "dimension_names": ["time", "lat"]},
    ... }).problems]
    ["dimension 'time' has 6 elements in 'time' and 5 in 'sst'"]
    """
    lengths: dict[str, dict[int, str]] = defaultdict(dict)
    arrays = dict(shapes(documents))
    for name, sizes in sorted(arrays.items(), key=lambda pair: (pair[0] not in pair[1], pair[0])):
        for dim, size in sizes.items():
            lengths[dim].setdefault(size, name)
    problems = [f"dimension '{dim}' has {_listed(found)}" for dim, found in lengths.items() if len(found) > 1]
    says = f"agree along {len(lengths)} dimension{'s' if len(lengths) != 1 else ''}"
    return Checked.of(Statement("lengths", len(arrays), len(arrays), "arrays", says), problems)


def _listed(found: Mapping[int, str]) -> str:
    first, *others = (f"{size} elements in '{name}'" for size, name in found.items())
    return " and ".join([first, *(text.replace(" elements", "") for text in others)])


def shapes(documents: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, int]]]:
    """Give each array's length along its dimensions."""
    for key, document in documents.items():
        name, _, kind = key.rpartition("/")
        if not isinstance(document, dict) or not isinstance(document.get("shape"), list):
            continue
        attrs = documents.get(f"{name}/.zattrs") or {}
        dims = document.get("dimension_names") or attrs.get("_ARRAY_DIMENSIONS") or []
        yield name, dict(zip(dims, document["shape"], strict=False))


def _root_problems(name: str, root: bytes | None, zarr_format: int, registered: str | None) -> list[str]:
    if root is None:
        return [f"the root document '{name}' is missing"]
    found = f"sha256:{hashlib.sha256(root).hexdigest()}"
    if found == registered:
        return []
    problems = [f"the root document '{name}' is not the one that was registered: {found}, the entry has {registered}"]
    if not documents_of(root, zarr_format):
        what = "is no JSON" if _parsed(root) is None else "holds no consolidated metadata"
        problems.append(f"the root document '{name}' {what}")
    return problems


def _compare(store: Reading, listed: Mapping[str, Any], there: set[str]) -> Checked:
    shared = sorted(there & set(listed))
    problems = [
        *(Problem(f"document '{key}' is missing") for key in sorted(set(listed) - there)),
        *(Problem(f"document '{key}' is not in the root", STRAY) for key in sorted(there - set(listed))),
        *(Problem(text) for key in shared if (text := _document_fault(key, store.get(key), listed[key]))),
    ]
    return Checked.of(
        Statement("documents", len(listed), len(listed), "documents", "are what the root says of them"), problems
    )


def _document_fault(key: str, data: bytes | None, said: Any) -> str | None:
    """Say where a document differs from the root: each place, what it has, what the root has."""
    found = _parsed(data)
    start = f"document '{key}' is not what the root says of it"
    if found is None:
        return f"{start}: it is no JSON"
    places = [f"{at} is {_shown(a)}, the root has {_shown(b)}" for at, a, b in _differences(found, said)]
    more = [f"{len(places) - SHOWN} more"] if len(places) > SHOWN else []
    return f"{start}: {'; '.join([*places[:SHOWN], *more])}" if places else None


def _differences(found: Any, said: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """List where two JSON values differ; NaN equals NaN."""
    if isinstance(found, dict) and isinstance(said, dict):
        for key in sorted(set(found) | set(said)):
            yield from _differences(found.get(key, ABSENT), said.get(key, ABSENT), f"{at}.{key}" if at else key)
    elif json.dumps(found) != json.dumps(said):
        yield at or "it", found, said


def _shown(value: Any) -> str:
    text = value if value is ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _member(found: Any, name: str) -> dict[str, Any]:
    """Give a member that is a mapping; nothing where there is none."""
    held = found.get(name) if isinstance(found, dict) else None
    return held if isinstance(held, dict) else {}


def _parsed(data: bytes | None) -> Any:
    try:
        return json.loads(data or b"")
    except ValueError:
        return None
