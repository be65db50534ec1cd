"""Open a source as a Dataset of references, decoded as xarray decodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from bakehouse.errors import SourceError
from bakehouse.openers.decode import DECODING, decode
from bakehouse.openers.formats import choose_engine
from bakehouse.openers.groups import explain_group
from bakehouse.openers.opened import Opened, open_raw
from bakehouse.storage import Source


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
        dataset = decode(raw, opened, kwargs, dry)
    except ValueError as error:
        said = [str(error), *(note.partition("\n")[0] for note in getattr(error, "__notes__", []))]
        fix = "mend it in the file, or decode it in a preprocessing step: xarray_open_kwargs={'decode_times': False}"
        raise SourceError("cannot decode the file as CF says", source.where, "\n".join(said), fix) from error
    if unwanted := [v for v in _dropped(kwargs) if v in dataset.variables]:
        dataset = dataset.drop_vars(unwanted)
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
