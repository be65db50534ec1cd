"""Facts of a linked store, harvested as those of a baked one, within bounds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bakehouse.catalog.facts import Facts
from bakehouse.catalog.harvest import harvest
from bakehouse.catalog.record import OPEN_KWARGS
from bakehouse.errors import BakehouseError, LinkError
from bakehouse.link.found import PUBLISH, PrivateError
from bakehouse.link.opened import Opened
from bakehouse.link.place import Place
from bakehouse.link.probe import arrays_of
from bakehouse.storage.remote import first_line

if TYPE_CHECKING:
    import xarray as xr
    import zarr

COORDINATE_BYTES = 2**29
"""How much the coordinates of a store may take, each and in all: harvesting reads them."""


def open_kwargs(said: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give what an entry may pass to xarray of what a feedstock names.

    Examples
    --------
    >>> open_kwargs({"engine": "zarr", "decode_times": False})
    {'decode_times': False}
    """
    return {key: value for key, value in (said or {}).items() if key in OPEN_KWARGS}


def open_group(store: Opened, group: str) -> zarr.Group:
    """Open the group that is linked."""
    import zarr

    return zarr.open_group(store.store, path=group or None, mode="r", zarr_format=store.zarr_format)


def gather(store: Opened, place: Place, kwargs: Mapping[str, Any]) -> Facts:
    """Harvest facts, all of which are read from the store.

    Raises
    ------
    LinkError
        If xarray can't open it, or its coordinates are too big to be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            group = open_group(store, str(kwargs.get("group") or ""))
            _insist_small({array.basename: array for array in arrays_of(group)}, place)
            facts = harvest(_dataset(store, kwargs, place), group)
    except BakehouseError:
        raise
    except Exception as error:  # whatever libraries make of what others wrote
        _insist_public(store)
        raise LinkError("xarray can't open the store", place.url, first_line(error), "check the store") from error
    _insist_public(store)
    return facts


def _insist_public(store: Opened) -> None:
    """Refuse coordinates that are not for everybody: what stands in their place is fill."""
    if store.private:
        cause = "its metadata can be read, a chunk of its coordinates can't (or is missing, where nobody may list)"
        raise PrivateError("the store is not public", store.private[0], cause, PUBLISH)


def _dataset(store: Opened, kwargs: Mapping[str, Any], place: Place) -> xr.Dataset:
    import xarray as xr

    said: Any = {"consolidated": store.consolidated, "zarr_format": store.zarr_format, "chunks": None, **kwargs}
    dataset = xr.open_zarr(store.store, **said)
    sizes = {str(name): variable.nbytes for name, variable in dataset.coords.items() if variable.ndim <= 2}
    _refuse_big(sizes, place)
    return dataset


def _insist_small(arrays: Mapping[Any, zarr.Array], place: Place) -> None:
    """Refuse dimensions whose coordinates are too big before xarray reads them."""
    _refuse_big({str(name): array.nbytes for name, array in arrays.items() if _is_index(str(name), array)}, place)


def _is_index(name: str, array: zarr.Array) -> bool:
    dims: Any = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    return array.ndim == 1 and list(dims) == [name]


def _refuse_big(sizes: Mapping[str, int], place: Place) -> None:
    if sum(sizes.values()) > COORDINATE_BYTES:
        name = max(sizes, key=lambda each: sizes[each])
        cause = f"'{name}' has {sizes[name]:,} bytes; {COORDINATE_BYTES:,} are read at most"
        raise LinkError("the store's coordinates are too big", place.url, cause, "store them as data variables")
