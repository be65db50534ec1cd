"""What reading costs, in words: from chunks, shards and steps alone.

A reader fetches whole chunks. In a shard that is an object: one request if all of it is wanted, else one for its index
and one for each chunk, which is what zarr-python and zarrita.js do. Sizes are decoded sizes times the store's
overall compression.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bakehouse.catalog.facts import Facts, Variable
from bakehouse.catalog.words import human_bytes, plural
from bakehouse.site.places import latitudes, longitudes
from bakehouse.site.words import days_between, span

WASTEFUL = 10
NOTICED_BYTES = 1_000_000
"""How many times what is wanted, and how much, is read before the words say so."""


@dataclass(frozen=True)
class Cost:
    """Requests and bytes of reading a part of a variable, and how many times the wanted bytes that is."""

    requests: int
    bytes: float
    excess: float

    def __str__(self) -> str:
        size = human_bytes(self.bytes)
        wasteful = self.excess >= WASTEFUL and self.bytes >= NOTICED_BYTES
        more = f", {self.excess:,.0f} times what it uses" if wasteful else ""
        return f"{plural(self.requests, 'request')} of {size}" + ("" if self.requests == 1 else " in all") + more


def cost(variable: Variable, wanted: dict[str, int], ratio: float = 1.0) -> Cost:
    """Count what reading the first `wanted[dim]` elements of each dimension (all, where it is not named) takes.

    Parameters
    ----------
    ratio
        Stored bytes for each decoded byte.

    Examples
    --------
    >>> sst = Variable(name="sst", role="data", dims=("time", "x"), shape=(100, 8), dtype="float32",
    ...     stored_dtype="float32", chunks=(10, 8), bytes=3200, objects=10)
    >>> cost(sst, {"time": 1}), cost(sst, {"x": 1})
    (Cost(requests=1, bytes=320.0, excess=10.0), Cost(requests=10, bytes=3200.0, excess=8.0))
    """
    items = math.prod(variable.shape) or 1
    size = variable.bytes / items * ratio
    extent = [min(wanted.get(dim, n), n) for dim, n in zip(variable.dims, variable.shape, strict=True)]
    chunks = variable.chunks or variable.shape
    touched = [math.ceil(n / chunk) for n, chunk in zip(extent, chunks, strict=True)]
    read = math.prod(min(n * chunk, whole) for n, chunk, whole in zip(touched, chunks, variable.shape, strict=True))
    requests = math.prod(touched)
    if variable.shards:
        requests = _sharded(variable, touched, chunks)
    return Cost(requests, read * size, read / (math.prod(extent) or 1))


def _sharded(variable: Variable, touched: list[int], chunks: tuple[int, ...]) -> int:
    """Count requests: a shard that is wanted whole takes one, any other one more than its chunks.

    What pads a shard at the array's edge is never wanted, so such a shard is never whole.
    """
    per_shard = [shard // chunk for shard, chunk in zip(variable.shards, chunks, strict=True)]
    shards = math.prod(math.ceil(n / per) for n, per in zip(touched, per_shard, strict=True))
    in_whole = math.prod(n // per * per for n, per in zip(touched, per_shard, strict=True))
    return shards + math.prod(touched) - in_whole


def advice(facts: Facts) -> Iterator[str]:
    """Say what a map, a series and all of the largest data variable take to read."""
    data = [each for each in facts.variables if each.role == "data" and each.shape and each.bytes]
    if not data:
        return
    variable = max(data, key=lambda each: (len(each.dims), each.bytes))
    ratio = facts.bytes_stored / facts.bytes_decoded if facts.bytes_stored and facts.bytes_decoded else 1.0
    across, times = horizontal(variable, facts), along_time(variable, facts)
    others = {dim: 1 for dim in variable.dims if dim not in across}
    if across and others:
        yield f"A map of {variable.name}{_at(others, times)} is {cost(variable, others, ratio)}."
    if times and len(variable.dims) > 1:
        point = {dim: 1 for dim in variable.dims if dim != times}
        where = "at one point" if across else f"at one {' and '.join(point)}"
        yield f"{_series(facts, times)} of {variable.name} {where} is {cost(variable, point, ratio)}."
    everything = cost(variable, {}, ratio)
    yield f"All of {variable.name} is {everything}."


def _at(others: dict[str, int], times: str | None) -> str:
    named = ["time" if dim == times else dim for dim in others]
    return f" at one {' and '.join(named)}" if named else ""


def _series(facts: Facts, times: str) -> str:
    dim = facts.dims.get(times)
    length = span(days_between(str(dim.start), str(dim.end))) if dim and dim.start is not None else None
    count = f"{dim.size:,} {'time' if dim.size == 1 else 'times'}" if dim else "all times"
    return f"The whole series ({f'{count}, {length}' if length else count})"


def horizontal(variable: Variable, facts: Facts) -> tuple[str, ...]:
    """Name the dimensions of a map: those with an x or y axis, else those of latitudes and longitudes together."""
    named = tuple(dim for dim in variable.dims if dim in facts.dims and facts.dims[dim].axis in ("x", "y"))
    if named:
        return named
    around = {other.dims for other in longitudes(facts)}
    grids = (other.dims for other in latitudes(facts) if len(other.dims) in (1, 2) and other.dims in around)
    return next((dims for dims in grids if set(dims) <= set(variable.dims)), ())


def along_time(variable: Variable, facts: Facts) -> str | None:
    """Name the variable's dimension of time."""
    return next((dim for dim in variable.dims if dim in facts.dims and facts.dims[dim].axis == "t"), None)
