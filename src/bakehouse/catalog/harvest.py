"""Facts about a store, taken from the store: its metadata and its coordinates, never its data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bakehouse.catalog.canonical import clean_json
from bakehouse.catalog.extents import bounding_box, duration_step, known_dates, regular_step, time_range
from bakehouse.catalog.facts import Dimension, Facts, Number, Role, TimeRange, Variable
from bakehouse.catalog.roles import attr, axis_of, is_latitude, is_longitude, is_time, roles

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    import zarr

VARIABLE_ATTRS = (
    *("add_offset", "axis", "calendar", "cell_methods", "comment", "flag_masks", "flag_meanings", "flag_values"),
    *("grid_mapping", "grid_mapping_name", "positive", "scale_factor", "valid_max", "valid_min", "valid_range"),
)
DATASET_ATTRS = ("Conventions", "comment", "featureType", "institution", "references", "source", "title")
MAX_LABELS = 100


def harvest(ds: xr.Dataset, group: zarr.Group, *, bytes_stored: int | None = None, objects: int | None = None) -> Facts:
    """Gather an entry's facts from an opened dataset and the zarr group behind it.

    Only coordinates of one or two dimensions are read.

    Parameters
    ----------
    ds
        The group as xarray opens it, times decoded.
    group
        The same group's metadata.
    bytes_stored, objects
        What a listing or the receipts counted; without `objects`, it is the number of chunks or shards.

    Examples
    --------
    >>> import xarray as xr, zarr
    >>> lat = ("lat", [-45.0, 45.0], {"units": "degrees_north"})
    >>> lon = ("lon", [0.0, 90.0, 180.0, 270.0], {"units": "degrees_east"})
    >>> store = zarr.storage.MemoryStore()
    >>> _ = xr.Dataset(coords={"lat": lat, "lon": lon}).to_zarr(store, consolidated=False)
    >>> harvest(xr.open_zarr(store, consolidated=False), zarr.open_group(store, mode="r")).bbox
    (-180.0, -45.0, 180.0, 45.0)
    """
    role_of = roles(ds)
    variables = tuple(_variable(str(name), ds, group, role_of[str(name)]) for name in sorted(ds.variables, key=str))
    return Facts(
        dims={str(name): _dimension(str(name), ds) for name in ds.sizes},
        variables=variables,
        bbox=_bbox(ds, role_of),
        time=_time(ds, role_of),
        crs=_crs(ds, role_of),
        attrs={name: ds.attrs[name] for name in DATASET_ATTRS if name in ds.attrs},
        shape=_shape(variables),
        bytes_decoded=sum(variable.bytes for variable in variables),
        bytes_stored=bytes_stored,
        objects=sum(variable.objects for variable in variables) if objects is None else objects,
    )


def _variable(name: str, ds: xr.Dataset, group: zarr.Group, role: Role) -> Variable:
    import zarr

    variable, array = ds.variables[name], group[name]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"'{name}' is no array in {group.store}")
    return Variable(
        name=name,
        role=role,
        dims=tuple(map(str, variable.dims)),
        shape=array.shape,
        dtype=_dtype_name(variable),
        stored_dtype=str(array.dtype),
        units=_text(variable, "units"),
        standard_name=_text(variable, "standard_name"),
        long_name=_text(variable, "long_name"),
        attrs={key: attr(variable, key) for key in VARIABLE_ATTRS if attr(variable, key) is not None},
        chunks=array.chunks,
        shards=array.shards or (),
        compressors=tuple(_codec_name(codec) for codec in (*array.filters, *array.compressors)),
        bytes=math.prod(array.shape) * int(array.dtype.itemsize),
        objects=_object_count(array.shape, array.shards or array.chunks),
        fill_value=array.fill_value,
    )


def _dtype_name(variable: xr.Variable) -> str:
    if is_time(variable) and variable.dtype == object:
        return "cftime"
    return "string" if variable.dtype.kind in "OUT" else str(variable.dtype)


def _text(variable: xr.Variable, name: str) -> str | None:
    value = attr(variable, name)
    return None if value is None else str(clean_json(value))


def _codec_name(codec: Any) -> str:
    if found := getattr(codec, "codec_id", None):
        return str(found)
    return str(codec.to_dict()["name"])


def _object_count(shape: tuple[int, ...], chunks: tuple[int, ...]) -> int:
    return math.prod(-(-size // chunk) for size, chunk in zip(shape, chunks, strict=True) if chunk)


def _shape(variables: tuple[Variable, ...]) -> str:
    """Sum up the shape by the largest data variable, whatever order the store lists its arrays in."""
    data = [each for each in variables if each.role == "data"] or list(variables)
    largest = max(data, key=lambda each: (len(each.dims), math.prod(each.shape)), default=None)
    sizes = zip(largest.dims, largest.shape, strict=True) if largest else ()
    return " × ".join(f"{name} {size}" for name, size in sizes) or "scalar"


def _dimension(name: str, ds: xr.Dataset) -> Dimension:
    """Describe one dimension, by the coordinate of its name or else the only 1-D coordinate with an axis."""
    size, found = int(ds.sizes[name]), _along(name, ds)
    if found is None:
        return Dimension(size=size)
    key, variable = found
    common: dict[str, Any] = {
        "size": size,
        "axis": axis_of(variable, key),
        "standard_name": _text(variable, "standard_name"),
    }
    if is_time(variable):
        return Dimension(**common, **_moments(variable))
    if variable.dtype.kind in "fiu":
        return Dimension(**common, **_numbers(variable.values), units=_text(variable, "units"))
    if variable.dtype.kind in "OSUT" and size <= MAX_LABELS:
        return Dimension(**common, values=tuple(str(clean_json(label)) for label in variable.values))
    return Dimension(**common)


def _along(name: str, ds: xr.Dataset) -> tuple[str, xr.Variable] | None:
    if name in ds.variables and ds.variables[name].dims == (name,):
        return name, ds.variables[name]
    others = [(str(key), ds.variables[key]) for key in ds.coords if ds.variables[key].dims == (name,)]
    placed = [(key, variable) for key, variable in others if axis_of(variable, key)]
    return placed[0] if len(placed) == 1 else None


def _moments(variable: xr.Variable) -> dict[str, Any]:
    values = variable.values
    step, extent = duration_step(values), time_range(values, variable.encoding.get("calendar"))
    several = len(known_dates(values)) > 1
    edges = {"start": extent.start, "end": extent.end} if extent else {}
    return {**edges, "step": step, "regular": step is not None if several else None, "units": _text(variable, "units")}


def _numbers(values: np.ndarray) -> dict[str, Any]:
    import numpy as np

    finite = values[np.isfinite(values)]
    if not finite.size:
        return {}
    step = regular_step(values)
    regular = step is not None if values.size > 1 else None
    return {"start": _number(finite.min()), "end": _number(finite.max()), "step": step, "regular": regular}


def _number(value: Any) -> Number:
    """Give a number as its type shows it: a float32 of 0.1 is 0.1."""
    return int(value) if value.dtype.kind in "iu" else float(str(value))


def _coordinates(ds: xr.Dataset, role_of: dict[str, Role]) -> list[tuple[str, xr.Variable]]:
    """List the coordinates that are small enough to be read."""
    named = [(str(name), ds.variables[name]) for name in ds.variables]
    return [(name, variable) for name, variable in named if role_of[name] == "coordinate" and variable.ndim <= 2]


def _bbox(ds: xr.Dataset, role_of: dict[str, Role]) -> tuple[float, float, float, float] | None:
    found = _coordinates(ds, role_of)
    lats = [variable.values for name, variable in found if is_latitude(variable, name)]
    lons = [variable.values for name, variable in found if is_longitude(variable, name)]
    return bounding_box(lats, lons) if lats and lons else None


def _time(ds: xr.Dataset, role_of: dict[str, Role]) -> TimeRange | None:
    """Find the time range: of the time that is a dimension, else of the one that CF names, else of any."""
    found = [(name, variable) for name, variable in _coordinates(ds, role_of) if is_time(variable)]
    found.sort(key=lambda item: (item[0] not in item[1].dims, attr(item[1], "standard_name") != "time", item[0]))
    ranges = (time_range(variable.values, variable.encoding.get("calendar")) for _, variable in found)
    return next((extent for extent in ranges if extent), None)


def _crs(ds: xr.Dataset, role_of: dict[str, Role]) -> str | None:
    mappings = [ds.variables[name] for name, role in role_of.items() if role == "grid_mapping"]
    texts = {str(text) for variable in mappings if (text := attr(variable, "crs_wkt") or attr(variable, "spatial_ref"))}
    return texts.pop() if len(texts) == 1 else None
