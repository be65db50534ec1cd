"""What each variable of a dataset is for, by the CF conventions' attributes; names only as the last resort.

Attribute values and unit spellings: CF conventions, chapters 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from bakehouse.catalog.facts import Role

if TYPE_CHECKING:
    import xarray as xr

Axis = Literal["x", "y", "z", "t"]

LAT_UNITS = frozenset(("degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"))
LON_UNITS = frozenset(("degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"))
STANDARD_NAMES: dict[str, Axis] = {
    **dict.fromkeys(("longitude", "grid_longitude", "projection_x_coordinate"), "x"),
    **dict.fromkeys(("latitude", "grid_latitude", "projection_y_coordinate"), "y"),
    **dict.fromkeys(("time", "forecast_reference_time"), "t"),
    **dict.fromkeys(("air_pressure", "altitude", "depth", "height", "model_level_number"), "z"),
}
LAT_NAMES = frozenset(("lat", "latitude", "nav_lat"))
LON_NAMES = frozenset(("lon", "longitude", "nav_lon"))


def attr(variable: xr.Variable | xr.DataArray, name: str) -> Any:
    """Find an attribute where the file had it: decoding moves some of them to the encoding."""
    return variable.attrs.get(name, variable.encoding.get(name))


def is_latitude(variable: xr.Variable, name: str) -> bool:
    """Say whether a variable holds true latitudes, in degrees."""
    return _is_geographic(variable, name, "latitude", LAT_UNITS, LAT_NAMES)


def is_longitude(variable: xr.Variable, name: str) -> bool:
    """Say whether a variable holds true longitudes, in degrees."""
    return _is_geographic(variable, name, "longitude", LON_UNITS, LON_NAMES)


def _is_geographic(
    variable: xr.Variable, name: str, standard: str, units: frozenset[str], names: frozenset[str]
) -> bool:
    if variable.dtype.kind not in "fiu":
        return False
    if standard_name := attr(variable, "standard_name"):
        return bool(standard_name == standard)
    unit = str(attr(variable, "units") or "").lower()
    return unit in units or (unit in ("", "degrees", "degree") and name.lower() in names)


def is_time(variable: xr.Variable) -> bool:
    """Say whether a variable holds moments, as numpy or cftime dates."""
    if variable.dtype.kind == "M":
        return True
    return variable.dtype == object and "since" in str(variable.encoding.get("units", ""))


def axis_of(variable: xr.Variable, name: str) -> Axis | None:
    """Find which axis a coordinate lies along.

    Examples
    --------
    >>> import xarray as xr
    >>> axis_of(xr.Variable("lev", [1.0], {"positive": "down"}), "lev")
    'z'
    """
    if is_time(variable):
        return "t"
    declared = str(attr(variable, "axis") or "").lower()
    if declared in ("x", "y", "z", "t"):
        return declared  # type: ignore[return-value]
    if found := STANDARD_NAMES.get(str(attr(variable, "standard_name") or "")):
        return found
    if attr(variable, "positive"):
        return "z"
    return "y" if is_latitude(variable, name) else "x" if is_longitude(variable, name) else None


def roles(ds: xr.Dataset) -> dict[str, Role]:
    """Give every variable its role: named by others first, then coordinate, else data."""
    found: dict[str, Role] = {str(name): "data" for name in ds.variables}
    found.update({str(name): "coordinate" for name in ds.coords})
    for name, variable in ds.variables.items():
        if found[str(name)] == "data" and (is_latitude(variable, str(name)) or is_longitude(variable, str(name))):
            found[str(name)] = "coordinate"
    for role, name in _named(ds):
        if name in found:
            found[name] = role
    return found


def _named(ds: xr.Dataset) -> Iterator[tuple[Role, str]]:
    """Find variables that others point to: bounds, grid mappings, areas and flags."""
    for variable in ds.variables.values():
        for key in ("bounds", "climatology"):
            if name := attr(variable, key):
                yield "bounds", str(name)
        for word in str(attr(variable, "grid_mapping") or "").replace(":", " ").split():
            if word in ds.variables and not ds[word].shape:
                yield "grid_mapping", word
        for key in ("cell_measures", "ancillary_variables"):
            for word in str(attr(variable, key) or "").split():
                if not word.endswith(":"):
                    yield "auxiliary", word
