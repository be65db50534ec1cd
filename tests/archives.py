"""Small archives of netCDF files as data: what is in them, how they are written, how they combine."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr

from tests.oracle import Key, expected

FILTERS = ("zlib", "shuffle", "complevel", "fletcher32")


@dataclass(frozen=True)
class CombineDim:
    """A dimension of the pattern.

    `kind` is ``existing`` (files have the dimension), ``scalar`` (files have a scalar coordinate of that name),
    ``new`` (files know nothing of it; the keys become its coordinate) or ``merge``.
    """

    name: str
    kind: str
    keys: tuple[Any, ...]

    @property
    def operation(self) -> str:
        """Give ``concat`` or ``merge``."""
        return "merge" if self.kind == "merge" else "concat"


@dataclass(frozen=True)
class StoreOptions:
    """What a recipe asks of its store; lengths count elements."""

    target_chunks: Mapping[str, int] = field(default_factory=dict)
    shards: Mapping[str, int] | None = None
    zarr_format: int = 3
    encoding: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Archive:
    """Inputs by position, and how they are written.

    `encoding` is xarray's for each variable, with ``chunked`` for those that have chunks and filters; `own_encoding`,
    by position and variable, overrides it. `chunks` are a file's chunk lengths by dimension, clipped to its sizes.
    """

    dims: tuple[CombineDim, ...]
    inputs: Mapping[Key, xr.Dataset]
    engine: str = "netcdf4"
    format: str = "NETCDF4"
    encoding: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    own_encoding: Mapping[Key, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    chunks: Mapping[str, int] = field(default_factory=dict)
    unlimited: tuple[str, ...] = ()
    store: StoreOptions = StoreOptions()

    @property
    def combine_dims(self) -> dict[str, str]:
        """Map each dimension to ``concat`` or ``merge``, in the pattern's order."""
        return {dim.name: dim.operation for dim in self.dims}

    @property
    def keys(self) -> dict[str, tuple[Any, ...]]:
        """Give the keys of the dimensions that files know nothing of."""
        return {dim.name: dim.keys for dim in self.dims if dim.kind == "new"}

    @property
    def file_type(self) -> str:
        """Name the format as Pangeo Forge's FileType does."""
        return "netcdf3" if self.format.startswith("NETCDF3") else "netcdf4"


def write_archive(folder: Path, archive: Archive) -> dict[Key, Path]:
    """Write one file for each position and give their paths."""
    paths = {key: folder / f"{'-'.join(f'{d}{p}' for d, p in key) or 'only'}.nc" for key in archive.inputs}
    for key, dataset in archive.inputs.items():
        own = archive.own_encoding.get(key, {})
        encoding = {str(n): _encoding(archive, str(n), v, own) for n, v in dataset.variables.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.to_netcdf(
                paths[key], engine=archive.engine, format=archive.format, encoding=encoding,  # type: ignore[call-overload]
                unlimited_dims=[d for d in archive.unlimited if d in dataset.dims],
            )  # fmt: skip
    return paths


def _encoding(
    archive: Archive, name: str, variable: xr.Variable, own: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    encoding = {**archive.encoding.get(name, {}), **own.get(name, {})}
    filters = {k: encoding.pop(k) for k in FILTERS if k in encoding}
    if not (encoding.pop("chunked", False) and variable.dims):
        return encoding
    chunks = tuple(min(archive.chunks.get(str(d), n), n) for d, n in variable.sizes.items())
    return {**encoding, **filters, "chunksizes": chunks}


def open_archive(paths: Mapping[Key, Path]) -> dict[Key, xr.Dataset]:
    """Read all files with xarray, loaded."""
    opened = {}
    for key, path in paths.items():
        with warnings.catch_warnings(), xr.open_dataset(path) as dataset:
            warnings.simplefilter("ignore")
            opened[key] = dataset.load()
    return opened


def expected_of(archive: Archive, paths: Mapping[Key, Path]) -> xr.Dataset:
    """Say what the store baked from an archive's files must hold."""
    store = archive.store
    return expected(
        open_archive(paths), archive.combine_dims, keys=archive.keys,
        zarr_format=store.zarr_format, encoding=store.encoding, attrs=store.attrs,
    )  # fmt: skip


def pattern_of(archive: Archive, paths: Mapping[Key, Path]) -> Any:
    """Give the FilePattern that leads to an archive's files."""
    from bakehouse.patterns import ConcatDim, FilePattern, MergeDim

    places = {
        tuple((d.name, d.keys[dict(key)[d.name]]) for d in archive.dims): str(path) for key, path in paths.items()
    }
    dims = [(MergeDim if d.kind == "merge" else ConcatDim)(d.name, list(d.keys)) for d in archive.dims]
    names = [d.name for d in archive.dims]

    def place(**keys: Any) -> str:
        return places[tuple((name, keys[name]) for name in names)]

    return FilePattern(place, *dims, file_type=archive.file_type)
