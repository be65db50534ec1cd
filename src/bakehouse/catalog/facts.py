"""What a store holds, as harvested from the store itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import FiniteFloat, StringConstraints, field_validator

from bakehouse.catalog.canonical import JsonValue, Model, Text

Number = int | FiniteFloat
IsoText = Annotated[str, StringConstraints(pattern=r"^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
"""A date of any calendar in ISO form, so 2000-02-30 is one too."""

Role = Literal["data", "coordinate", "bounds", "grid_mapping", "auxiliary"]


class Dimension(Model):
    """One dimension, and the 1-D coordinate along it if there is one.

    `start` and `end` are the smallest and the largest value: numbers in `units`, or ISO text for times.
    `step` is a number, or an ISO 8601 duration for times; it is there only where the spacing is regular.
    `values` lists the labels of a dimension of strings.
    """

    size: int
    axis: Literal["x", "y", "z", "t"] | None = None
    start: Number | Text | None = None
    end: Number | Text | None = None
    step: Number | Text | None = None
    regular: bool | None = None
    units: Text | None = None
    standard_name: Text | None = None
    values: tuple[Text, ...] = ()


class Variable(Model):
    """One array of the store. `dtype` is what xarray gives, `stored_dtype` what the chunks hold.

    `bytes` counts uncompressed stored values; `objects` the chunks or shards that the array has when complete.
    `compressors` names the codecs from first to last, filters included. `range` is the smallest and the largest finite
    value as xarray decodes it, `finite_fraction` the part of the values that are finite; `statistics_cover` says
    whether both are of all values or of a sample.
    """

    name: Text
    role: Role
    dims: tuple[Text, ...] = ()
    shape: tuple[int, ...] = ()
    dtype: str
    stored_dtype: str
    units: Text | None = None
    standard_name: Text | None = None
    long_name: Text | None = None
    attrs: dict[str, JsonValue] = {}
    chunks: tuple[int, ...] = ()
    shards: tuple[int, ...] = ()
    compressors: tuple[str, ...] = ()
    bytes: int
    objects: int
    fill_value: JsonValue = None
    range: tuple[FiniteFloat, FiniteFloat] | None = None
    finite_fraction: FiniteFloat | None = None
    statistics_cover: Literal["all", "sample"] | None = None


class TimeRange(Model):
    """The first and the last moment of the data, in the data's own calendar."""

    start: IsoText
    end: IsoText
    calendar: str


class Facts(Model):
    """Dimensions, variables, extents and sizes of one store.

    `bbox` is west, south, east, north of the cell centres, in degrees; west is greater than east where the data
    cross the antimeridian. It is absent where the store gives no latitudes and longitudes.
    """

    dims: dict[str, Dimension] = {}
    variables: tuple[Variable, ...] = ()
    bbox: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None
    time: TimeRange | None = None
    crs: Text | None = None
    attrs: dict[str, JsonValue] = {}
    shape: Text | None = None
    bytes_decoded: int
    bytes_stored: int | None = None
    objects: int | None = None

    @field_validator("bbox")
    @classmethod
    def _on_the_globe(cls, bbox: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if bbox is not None and not bbox_is_valid(bbox):
            raise ValueError(f"bbox {list(bbox)} is not [west, south, east, north] within ±180 and ±90 degrees")
        return bbox


def bbox_is_valid(bbox: tuple[float, ...] | list[float]) -> bool:
    """Say whether a box is west, south, east, north on the globe; west may be greater than east.

    Examples
    --------
    >>> bbox_is_valid([170.0, -10.0, -170.0, 10.0]), bbox_is_valid([0.0, 95.0, 360.0, -95.0])
    (True, False)
    """
    if len(bbox) != 4:
        return False
    west, south, east, north = bbox
    return -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
