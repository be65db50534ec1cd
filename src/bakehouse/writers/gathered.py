"""Times that many inputs bring a few of each: encoded together, since xarray takes its time for each call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bakehouse.errors import SchemaError
from bakehouse.openers.plain import variable_of
from bakehouse.plan.types import ArrayPlan
from bakehouse.writers.encode import cf_encoding, encode

if TYPE_CHECKING:
    from bakehouse.writers.assemble import Overlap

SMALL_BYTES = 2**14


@dataclass(frozen=True, eq=False)
class Gathered:
    """Regions of one array whose values are times at hand, until they are encoded."""

    array: ArrayPlan
    asked: Mapping[str, Any]
    held: dict[str, list[tuple[Overlap, Any]]] = field(default_factory=dict)

    def takes(self, found: Overlap) -> bool:
        """Take a region that is best encoded with others; say whether it is."""
        variable = found.fragment.variables.get(self.array.name)
        if variable is None or variable.dtype.kind not in "mM" or variable.nbytes > SMALL_BYTES:
            return False
        if not isinstance(variable, xr.IndexVariable) and not isinstance(variable._data, np.ndarray):
            return False
        alike = f"{variable.dtype}{variable.attrs!r}"
        self.held.setdefault(alike, []).append((found, variable[found.source].values))
        return True

    def encoded(self) -> Iterator[tuple[Overlap, Any]]:
        """Give the regions with their values as the store keeps them; None where they can't all be stored.

        Who then encodes them one by one says which input it is.
        """
        for alike in self.held.values():
            values = [each for _, each in alike]
            attrs = alike[0][0].fragment.variables[self.array.name].attrs
            whole = variable_of("all", np.concatenate([np.ravel(each) for each in values]), attrs)
            try:
                found = encode(self.array.name, whole, cf_encoding(self.array, self.asked)).values
            except SchemaError:
                yield from ((place, None) for place, _ in alike)
                continue
            parts = np.split(found, np.cumsum([np.size(each) for each in values])[:-1])
            yield from ((at, part.reshape(np.shape(v))) for (at, v), part in zip(alike, parts, strict=True))
