"""Values that a published version has already: read from its store as they are kept there, not from their sources."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from bakehouse.chunks import Span, overlap
from bakehouse.patterns import Key
from bakehouse.plan.tasks import input_spans
from bakehouse.plan.types import ArrayPlan, Axis, Part
from bakehouse.writers.reading import Reading
from bakehouse.writers.store import data_store


@dataclass(frozen=True)
class KeptValues:
    """The inputs whose values a published store has, by the keys of their stand-ins."""

    store: Reading
    keys: tuple[Key, ...]

    def fill(self, array: ArrayPlan, axes: Mapping[str, Axis], part: Part, out: Any) -> int:
        """Copy what the store has of a box; give the number of elements."""
        filled = 0
        for spans in self.regions(array, axes, part):
            box = tuple(slice(a - p, b - p) for (a, b), (p, _) in zip(spans, part.spans, strict=True))
            out[box or ...] = self.read(array.name, spans)
            filled += math.prod(b - a for a, b in spans)
        return filled

    def regions(self, array: ArrayPlan, axes: Mapping[str, Axis], part: Part) -> list[tuple[Span, ...]]:
        """List the regions of a box that are kept."""
        found = []
        for key in self.keys:
            if all((d, p) in key for d, p in array.owner):
                held = input_spans(array, axes, dict(key))
                shared = [overlap(a, b) for a, b in zip(held, part.spans, strict=True)]
                spans = tuple(span for span in shared if span is not None)
                found += [spans] if len(spans) == len(shared) else []
        return found

    def read(self, name: str, spans: tuple[Span, ...]) -> Any:
        """Read a region as it is stored."""
        opened = xr.open_zarr(data_store(self.store, read_only=True), decode_cf=False, chunks=None, consolidated=True)
        return opened.variables[name][tuple(slice(a, b) for a, b in spans)].values
