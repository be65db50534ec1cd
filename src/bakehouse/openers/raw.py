"""A source as its reader gives it, before anything is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import xarray as xr


@dataclass(frozen=True)
class Raw:
    """The variables and attributes of a source or of one of its groups.

    `others` names coordinates besides those that index a dimension; `held` has the values that are known already.
    `index_bytes` is what it takes of memory, about, if it holds no file open.
    """

    variables: Mapping[str, xr.Variable]
    attrs: Mapping[str, Any]
    encoding: Mapping[str, Any]
    others: frozenset[str] = frozenset()
    held: Mapping[str, Any] = field(default_factory=dict)
    index_bytes: int | None = None

    @classmethod
    def of(cls, dataset: xr.Dataset) -> Raw:
        """Take an undecoded Dataset apart."""
        variables = {str(name): variable for name, variable in dataset.variables.items()}
        return cls(variables, dataset.attrs, dataset.encoding, frozenset(map(str, dataset.coords)))

    @property
    def coords(self) -> set[str]:
        """Name the coordinates: as xarray has it, whatever has the name of a dimension is one."""
        dims = {dim for variable in self.variables.values() for dim in variable.dims}
        return {name for name in self.variables if name in dims} | self.others

    def readable(self) -> Raw:
        """Give the text of all attributes as what it is."""
        for held in self.variables.values():
            held.attrs = {name: readable(value) for name, value in held.attrs.items()}
        attrs = {name: readable(value) for name, value in self.attrs.items()}
        return replace(self, attrs=attrs)


def readable(value: Any) -> Any:
    r"""Give text that a file marks as ASCII as what it is: UTF-8, else Latin-1.

    Examples
    --------
    >>> readable("\udcc3\udca9t\udce9"), readable("\udcc3\udca9")
    ('Ã©té', 'é')
    """
    if not isinstance(value, str) or not any("\udc80" <= c <= "\udcff" for c in value):
        return value
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
