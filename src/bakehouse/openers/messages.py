"""Open GRIB files with cfgrib, undecoded, without asking xarray what its arrays are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from bakehouse.openers.grib import on_disk
from bakehouse.openers.plain import as_from_file, variable_of
from bakehouse.openers.raw import Raw


def open_messages(path: str, kwargs: Mapping[str, Any]) -> Raw:
    """Give what ``xarray.open_dataset(path, engine="cfgrib", decode_cf=False, **kwargs)`` gives.

    Left to itself, xarray imports dask's arrays, to find out that cfgrib's are none of those: that takes longer than
    to open twenty files of ten messages.

    Messages that can't be read are an error, of eccodes', unless the keyword `errors` says otherwise: cfgrib would pass
    over them, as over the last one of a file that is cut short.
    """
    from cfgrib.xarray_plugin import CfGribDataStore

    given = {name: value for name, value in kwargs.items() if name != "backend_kwargs"}
    given = {**kwargs.get("backend_kwargs", {}), **given}
    if "errors" not in given:
        _insist_whole(path)
    store = CfGribDataStore(path, **given)
    variables = {str(name): _variable(store, each) for name, each in store.ds.variables.items()}
    held = {n: v.data for n, v in store.ds.variables.items() if v.dimensions == (n,) and isinstance(v.data, np.ndarray)}
    encoding = {**store.get_encoding(), "source": path}
    return Raw(variables, dict(store.get_attrs()), encoding, held=held, index_bytes=_index_bytes(variables))


def _insist_whole(path: str) -> None:
    from cfgrib.messages import FileStream

    for _ in FileStream(path, errors="raise").items():
        pass


def _variable(store: Any, each: Any) -> xr.Variable:
    """Make a variable of values that are at hand, or of messages that are decoded when they are asked for."""
    from cfgrib.xarray_plugin import CfGribArrayWrapper

    encoding = {**store.ds.encoding, "original_shape": each.data.shape, "dtype": each.data.dtype}
    if isinstance(each.data, np.ndarray):
        return as_from_file(variable_of(each.dimensions, each.data, each.attributes, encoding))
    data = indexing.LazilyIndexedArray(CfGribArrayWrapper(store, each.data))
    return xr.Variable(each.dimensions, data, each.attributes, encoding, fastpath=True)


def _index_bytes(variables: Mapping[str, xr.Variable]) -> int:
    """Estimate what an index of messages takes of memory, and what is not in messages."""
    arrays = ((variable, on_disk(variable._data)) for variable in variables.values())
    return 2**14 + sum(variable.nbytes if a is None else 2**10 * len(a.field_id_index) for variable, a in arrays)
