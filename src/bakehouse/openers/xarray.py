"""Open a source as a Dataset of references, decoded as xarray decodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr
from xarray.core import indexing

from bakehouse.errors import SourceError
from bakehouse.openers.formats import choose_engine
from bakehouse.openers.groups import explain_group
from bakehouse.openers.reference import Opened, ReferenceArray, open_raw
from bakehouse.storage import Source

DECODING = ("concat_characters", "mask_and_scale", "decode_times", "decode_coords", "decode_timedelta", "use_cftime")


def open_dataset(
    source: Source,
    file_type: str = "unknown",
    open_kwargs: Mapping[str, Any] | None = None,
    load: bool = False,
    dry: bool = False,
) -> xr.Dataset:
    """Open a source lazily: coordinates that index a dimension are loaded, all else stays a reference.

    Parameters
    ----------
    source
        The input, with its identity.
    file_type
        netcdf4, netcdf3, zarr, grib or unknown, as in Pangeo Forge; the file's own signature decides.
    open_kwargs
        Keyword arguments of `xarray.open_dataset`.
    load
        Load all values at once.
    dry
        Read no data: arrays above 64 kB read as zeros.

    Raises
    ------
    SourceError
        If the file can't be reached, is of no known format, lacks the group that is asked for or can't be opened.
    """
    kwargs = dict(open_kwargs or {})
    opened = Opened(source, choose_engine(source, file_type, kwargs), _backend_kwargs(kwargs))
    if opened.engine == "cfgrib":
        opened.kwargs.setdefault("backend_kwargs", {"indexpath": ""})  # type: ignore[attr-defined]
    try:
        raw = open_raw(opened)
    except SourceError as error:
        raise explain_group(opened, error) from error
    try:
        dataset = _decode(raw, opened, kwargs, dry)
    except ValueError as error:
        said = [str(error), *(note.partition("\n")[0] for note in getattr(error, "__notes__", []))]
        fix = "mend it in the file, or decode it in a preprocessing step: xarray_open_kwargs={'decode_times': False}"
        raise SourceError("cannot decode the file as CF says", source.where, "\n".join(said), fix) from error
    dataset = dataset.drop_vars([v for v in _dropped(kwargs) if v in dataset.variables])
    if "chunks" in kwargs and kwargs["chunks"] is not None:
        dataset = dataset.chunk(kwargs["chunks"])
    return dataset.load() if load and not dry else dataset


def _dropped(kwargs: Mapping[str, Any]) -> list[str]:
    names = kwargs.get("drop_variables") or []
    return [names] if isinstance(names, str) else list(names)


def _backend_kwargs(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what the reader needs; decoding happens here, so that values stay as the file has them."""
    known = {
        *DECODING,
        "decode_cf",
        "chunks",
        "cache",
        "engine",
        "drop_variables",
        "inline_array",
        "chunked_array_type",
    }
    return {k: v for k, v in kwargs.items() if k not in known}


def _decode(raw: xr.Dataset, opened: Opened, kwargs: Mapping[str, Any], dry: bool) -> xr.Dataset:
    variables = {name: _reference(opened, str(name), v, dry) for name, v in raw.variables.items()}
    coords = set(raw.coords)
    attrs = dict(raw.attrs)
    if kwargs.get("decode_cf", True):
        variables, attrs, found = xr.conventions.decode_cf_variables(  # type: ignore[assignment]
            variables, attrs, **_decoding(kwargs)
        )
        coords |= set(found)
    dataset = xr.Dataset(variables, attrs=attrs).set_coords([c for c in coords if c in variables])
    dataset.encoding = {**raw.encoding, "source": opened.source.url}
    return dataset


def _decoding(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give the decoding that the recipe asks for; `use_cftime` in the form that xarray keeps."""
    chosen = {"concat_characters": True, "mask_and_scale": True, "decode_times": True, "decode_coords": True}
    chosen |= {k: kwargs[k] for k in DECODING if kwargs.get(k) is not None}
    asked = chosen.pop("use_cftime", None)
    if asked is not None and chosen["decode_times"] is True:
        return {**chosen, "decode_times": xr.coders.CFDatetimeCoder(use_cftime=asked)}
    return chosen


def _reference(opened: Opened, name: str, raw: xr.Variable, dry: bool) -> xr.Variable:
    data = indexing.LazilyIndexedArray(ReferenceArray(opened, name, raw, dry))
    return xr.Variable(raw.dims, data, raw.attrs, raw.encoding, fastpath=True)
