"""Inputs that are in a published store already: one stand-in for each run of them, to be combined with new ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from bakehouse.errors import PatternError
from bakehouse.patterns import Key
from bakehouse.plan.agree import UNITS
from bakehouse.plan.base import Base, Known
from bakehouse.schema import DatasetSchema, Extent, Identity, InputSchema

Run = tuple[Known, ...]


def growing_dim(schema: DatasetSchema, base: Base, dims: Mapping[str, str], label: str) -> str:
    """Name the concat dimension along which new inputs follow those of the base; the first one if none do.

    Raises
    ------
    PatternError
        If the pattern grew along more than one, or along a merge dimension: that is no append.
    """
    lengths = {d: _positions(base, d) for d in dims}
    grown = [d for d in dims if any(dict(key)[d] >= lengths[d] for key in schema.inputs)]
    if len(grown) > 1 or any(dims[d] == "merge" for d in grown):
        raise PatternError(
            f"the pattern grew along {' and '.join(grown)}",
            label,
            "an update appends along one concat dimension",
            "build the whole store anew: bakehouse bake",
        )
    concat = [d for d, op in dims.items() if op == "concat"]
    return (grown or concat or [""])[0]


def with_base(schema: DatasetSchema, base: Base, along: str, store_url: str) -> tuple[DatasetSchema, dict[Key, Run]]:
    """Unite new inputs with stand-ins for those that are kept.

    Returns
    -------
    tuple
        The schema to plan from, and the run of inputs behind each stand-in's key.
    """
    runs = {run[-1].key: run for run in _runs(base, set(schema.inputs), along)}
    kept = {key: frozenset([_stand_in(run, base, along, store_url)]) for key, run in runs.items()}
    return DatasetSchema({**kept, **schema.inputs}, {**base.values, **schema.values}), runs


def _positions(base: Base, dim: str) -> int:
    return 1 + max((dict(known.key).get(dim, 0) for known in base.inputs), default=-1)


def _runs(base: Base, fresh: set[Key], along: str) -> Iterator[Run]:
    """List the longest runs of kept inputs that follow each other and are of one kind."""
    rows: dict[Key, list[Known]] = {}
    for known in base.inputs:
        if known.key not in fresh:
            rows.setdefault(tuple((d, p) for d, p in known.key if d != along), []).append(known)
    for row in rows.values():
        row.sort(key=lambda known: dict(known.key).get(along, 0))
        run = [row[0]]
        for left, right in pairwise(row):
            if not _follows(left, right, along):
                yield tuple(run)
                run = []
            run.append(right)
        yield tuple(run)


def _follows(left: Known, right: Known, along: str) -> bool:
    """Say whether two inputs are of one kind and next to each other, in the pattern and in the store."""
    adjacent = dict(right.key)[along] == dict(left.key)[along] + 1
    joined = dict(right.spans)[along][0] == dict(left.spans)[along][1]
    return adjacent and joined and (right.kind, right.gap) == (left.kind, left.gap)


def _stand_in(run: Run, base: Base, along: str, url: str) -> InputSchema:
    kind, used = base.kinds[run[0].kind], {d for a in base.arrays.values() for d in a.dims if d not in a.expand}
    lengths = {d: b - a for d, (a, b) in run[0].spans}
    if along:
        lengths[along] = dict(run[-1].spans)[along][1] - dict(run[0].spans)[along][0]
    sizes = (*kind.sizes, *((d, n) for d, n in lengths.items() if d in used))
    extents = tuple((d, _extent(run, d) if d == along else e) for d, e in run[0].extents)
    return InputSchema(
        url, Identity(), sizes, kind.variables, kind.attrs, extents, _digests(run), kind.previews,
        stands_for=(along, len(run)) if along else None, gap=run[0].gap,
    )  # fmt: skip


def _extent(run: Run, dim: str) -> Extent:
    """Join the ends of a run; its inputs were checked to run one way."""
    all_of_them = [dict(known.extents)[dim] for known in run if dim in dict(known.extents)]
    first, last = all_of_them[0], all_of_them[-1]
    units = [e.unit for e in all_of_them if e.unit]
    falls = not isinstance(first.first, str) and first.first is not None and last.last is not None
    direction = -1 if falls and last.last < first.first else 1  # type: ignore[operator]
    unit = max(units, key=UNITS.index) if units else None
    shown, values = (first.shown[0], last.shown[1]), _values(run, dim)
    return replace(first, last=last.last, direction=direction, shown=shown, unit=unit, values=values)


def _values(run: Run, dim: str) -> tuple[float | int | str, ...]:
    """Join the values of a run as they are stored, if the recipe's policy needed them."""
    values: list[float | int | str] = []
    for known in run:
        start, stop = dict(known.spans)[dim]
        held = dict(known.extents)[dim].values if dim in dict(known.extents) else ()
        if len(held) < stop - start:
            return ()
        values += held[len(held) - (stop - start) :]
    return tuple(values)


def _digests(run: Run) -> tuple[tuple[str, str], ...]:
    """Give the digests that a run shares; where its inputs differ, one that equals no input's."""
    if len({known.digests for known in run}) == 1:
        return run[0].digests
    names = [name for name, _ in run[0].digests]
    found = {name: [dict(known.digests).get(name, "") for known in run] for name in names}
    return tuple((n, all_[0] if len(set(all_)) == 1 else _digest(all_)) for n, all_ in found.items())


def _digest(digests: list[str]) -> str:
    return "several:" + hashlib.sha256(" ".join(digests).encode()).hexdigest()
