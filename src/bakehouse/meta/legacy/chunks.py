"""How a legacy recipe cuts its store, as target_chunks."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from bakehouse.meta.legacy.pattern import KnownPattern
from bakehouse.meta.legacy.spelling import called, spelled, unless


def target_chunks(known: KnownPattern, given: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Give target_chunks, and what is left out: `inputs_per_chunk` becomes as many elements as so many inputs have."""
    chunks, per = unless(given.get("target_chunks"), "{}"), unless(given.get("inputs_per_chunk"), "1")
    if per is None:
        return chunks, None
    dim, length = known.concat or (None, None)
    if dim is None or length is None:
        which = spelled(dim) if isinstance(dim, ast.Constant) else "the concat dimension"
        why = f"nitems_per_file is not known, so say target_chunks along {which}"
        return chunks, f"inputs_per_chunk={per}; {why}"
    return _with(chunks, spelled(dim), _product(per, spelled(length))), None


def _with(chunks: str | None, dim: str, length: str) -> str:
    """Add a dimension to chunks; what they say of it themselves wins.

    Examples
    --------
    >>> _with('{"lat": 4}', '"time"', "20"), _with('{"time": 4}', '"time"', "20"), _with("chunks", '"time"', "20")
    ('{"time": 20, "lat": 4}', '{"time": 4}', '{"time": 20, **chunks}')
    """
    if chunks is None:
        return f"{{{dim}: {length}}}"
    literal = ast.parse(chunks, mode="eval").body
    if not isinstance(literal, ast.Dict):
        return f"{{{dim}: {length}, **{called(chunks)}}}"
    if dim in [spelled(key) for key in literal.keys if key]:
        return chunks
    return f"{{{dim}: {length}, {chunks[1:]}"


def _product(a: str, b: str) -> str:
    if a.isdigit() and b.isdigit():
        return str(int(a) * int(b))
    return a if b == "1" else f"{called(a)} * {called(b)}"
