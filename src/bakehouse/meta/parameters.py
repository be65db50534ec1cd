"""Typed parameters of shared recipes: what a feedstock may write below ``with:``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from bakehouse.meta.base import Listed, Name, Strict, refusal
from bakehouse.meta.pattern_spec import ConcatSpec, InputUrl, PatternSpec

__all__ = ["ConcatSpec", "InputUrl", "OpenSpec", "Parameters", "PatternSpec", "StoreSpec", "VirtualStoreSpec"]


class Parameters(Strict):
    """Base class of a shared recipe's parameters; its fields are what stands below ``with:``.

    Examples
    --------
    >>> class Copy(Parameters):
    ...     pattern: PatternSpec
    ...     store: StoreSpec = StoreSpec()
    >>> Copy.model_validate({"pattern": {"url": "https://example.org/a.nc"}}).store.chunks
    {}
    """


def _length(value: int) -> int:
    if value == 0 or value < -1:
        raise refusal(
            "BH422", f"a chunk has at least one element, not {value}", "write a positive number, or -1 for all"
        )
    return value


Lengths = dict[str, Annotated[int, AfterValidator(_length)]]
"""Elements per dimension; -1 is the whole dimension."""


Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A distance in a coordinate's own units."""


class OpenSpec(Strict):
    """How inputs are opened: keyword arguments of `xarray.open_dataset`."""

    engine: str | None = None
    group: str | None = None
    decode_cf: bool | None = None
    decode_times: bool | None = None
    mask_and_scale: bool | None = None
    drop_variables: Listed[str] = ()
    xarray_open_kwargs: dict[str, Any] = Field(
        default={}, description="Any other keyword argument of xarray.open_dataset"
    )

    def to_kwargs(self) -> dict[str, Any]:
        """Give the keyword arguments that were set.

        Examples
        --------
        >>> OpenSpec(group="surface", xarray_open_kwargs={"use_cftime": True}).to_kwargs()
        {'group': 'surface', 'use_cftime': True}
        """
        named = self.model_dump(exclude={"xarray_open_kwargs"}, exclude_none=True)
        dropped = list(named.pop("drop_variables"))
        return {**named, **({"drop_variables": dropped} if dropped else {}), **self.xarray_open_kwargs}


class StoreSpec(Strict):
    """What the store looks like; whatever is left out is decided by the plan."""

    name: Name | None = Field(default=None, description="Alias of the store, such as noaa-oisst.zarr")
    chunks: Lengths = Field(default={}, description="Elements per chunk and dimension; -1 is the whole dimension")
    shards: Lengths | Literal[False] | None = Field(
        default=None, description="Elements per shard and dimension; false: none"
    )
    encoding: dict[str, dict[str, Any]] = Field(default={}, description="Encoding by variable, as in xarray")
    attrs: dict[str, Any] = Field(default={}, description="Attributes to add to the root")
    zarr_format: Literal[2, 3] | None = None
    codecs: Literal["auto", "source", "default"] | None = Field(
        default=None,
        description="Compression: the sources' where chunks can be moved (auto), uncompressed ones too, or the default",
    )
    format: Literal["zarr", "icechunk"] | None = Field(
        default=None, description="Plain zarr, or an Icechunk repository in which each version is a snapshot"
    )
    combine_attrs: Literal["identical", "drop_conflicts"] | None = Field(
        default=None, description="Whether attributes that differ are dropped (unless values would change meaning)"
    )
    order: Literal["error", "sort", "drop_duplicates", "any"] | None = Field(
        default=None,
        description="Inputs out of order or repeating: refuse, sort inputs, leave out exact repeats, or store all",
    )
    missing_variables: Literal["error", "fill"] | None = Field(
        default=None, description="A variable that inputs lack: refuse, or store fill there"
    )
    coordinate_tolerance: dict[str, Tolerance] | Tolerance | None = Field(
        default=None, description="How far coordinates may differ between inputs, in their units: for all, or by name"
    )

    @model_validator(mode="after")
    def _shards_hold_whole_chunks(self) -> StoreSpec:
        shards = self.shards if isinstance(self.shards, Mapping) else {}
        for dim, shard in shards.items():
            chunk = self.chunks.get(dim, 1)
            if shard != -1 and (chunk == -1 or shard % chunk):
                size = "all" if chunk == -1 else chunk
                fix = "make the shard a multiple of the chunk" if chunk != -1 else f"write shards: {{{dim}: -1}}"
                message = f"a shard of {shard} along '{dim}' can't hold whole chunks of {size}"
                raise refusal("BH422", message, fix, ("shards", dim))
        if shards and self.zarr_format == 2:
            raise refusal("BH422", "zarr format 2 has no shards", "remove shards, or write zarr_format: 3", ("shards",))
        if self.format == "icechunk" and self.zarr_format == 2:
            raise refusal("BH422", "Icechunk stores zarr v3 only", "write zarr_format: 3", ("zarr_format",))
        return self


class VirtualStoreSpec(Strict):
    """What a virtual store looks like: references to the inputs' own chunks, which are copied nowhere."""

    name: Name | None = Field(default=None, description="Alias of the store, such as noaa-oisst")
    format: Literal["kerchunk-json", "kerchunk-parquet"] = Field(
        default="kerchunk-json", description="One JSON document, or a folder of Parquet files for very many chunks"
    )
    inline_bytes: int | None = Field(
        default=None, ge=0, description="Variables up to this size are held as values, 65536 if left out"
    )
    attrs: dict[str, Any] = Field(default={}, description="Attributes to add to the root")
    combine_attrs: Literal["identical", "drop_conflicts"] | None = Field(
        default=None, description="Whether attributes that differ are dropped (unless values would change meaning)"
    )
    order: Literal["error", "sort", "drop_duplicates", "any"] | None = Field(
        default=None,
        description="Inputs out of order or repeating: refuse, sort inputs, leave out exact repeats, or refer to all",
    )
    coordinate_tolerance: dict[str, Tolerance] | Tolerance | None = Field(
        default=None, description="How far coordinates may differ between inputs, in their units: for all, or by name"
    )
