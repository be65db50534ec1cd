"""Decode what a reader gives as xarray decodes it, into references; what repeats from input to input is made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr
from xarray.core import indexing
from xarray.indexes import PandasIndex

from bakehouse.openers.forms import decoded_as, key_of, known_form, learn_form
from bakehouse.openers.opened import Opened
from bakehouse.openers.plain import as_from_file, variable_of
from bakehouse.openers.raw import Raw
from bakehouse.openers.reference import ReferenceArray
from bakehouse.storage.memory import Memory

DECODING = ("concat_characters", "mask_and_scale", "decode_times", "decode_coords", "decode_timedelta", "use_cftime")
PACKED = ("_FillValue", "missing_value", "scale_factor", "add_offset")
INDEX_BYTES = 2**16
_indexes = Memory(2**25)


def decode(raw: Raw, opened: Opened, kwargs: Mapping[str, Any], dry: bool) -> xr.Dataset:
    """Decode a source by CF as the recipe asks; indexes are loaded, all else stays a reference.

    Parameters
    ----------
    kwargs
        Keyword arguments of `xarray.open_dataset`.
    dry
        Large arrays read as zeros.
    """
    asked = _decoding(kwargs) if kwargs.get("decode_cf", True) else {}
    how = repr(sorted(_spelt(asked).items()))
    key = key_of(raw, how, dry)
    form = known_form(key)

    def index_of(name: str, variable: xr.Variable) -> PandasIndex:
        return _index(name, variable, raw.variables.get(name), raw.held.get(name), how)

    if form is not None:
        dataset = decoded_as(form, raw, opened, asked, dry, index_of)
    else:
        dataset = _decoded(raw, opened, asked, dry, index_of)
        learn_form(key, raw, dataset)
    dataset.encoding = {**raw.encoding, "source": opened.source.url}
    return dataset


def _decoded(raw: Raw, opened: Opened, asked: Mapping[str, Any], dry: bool, index_of: Any) -> xr.Dataset:
    variables = {name: _variable(opened, name, v, raw, dry) for name, v in raw.variables.items()}
    coords, attrs = raw.coords, dict(raw.attrs)
    if asked:
        variables, attrs, found = xr.conventions.decode_cf_variables(variables, attrs, **asked)  # type: ignore[assignment]
        coords |= set(map(str, found))
    indexes = {name: index_of(name, v) for name, v in variables.items() if v.dims == (name,)}
    along = {name: index.create_variables({name: variables[name]})[name] for name, index in indexes.items()}
    rest = {name: v for name, v in variables.items() if name not in along}
    dataset = xr.Dataset(rest, xr.Coordinates(along, indexes), attrs)
    others = [name for name in coords if name in rest]
    return dataset.set_coords(others) if others else dataset


def as_readers_see(dataset: xr.Dataset) -> xr.Dataset:
    """Decode variables whose attributes say that they are packed: readers of the store do it, whoever wrote them.

    A recipe that sets `_FillValue` as an attribute, or opens with ``mask_and_scale=False``, has stored values in hand.

    Examples
    --------
    >>> counts = xr.Dataset({"n": ("x", [1, 9999], {"_FillValue": 9999})})
    >>> as_readers_see(counts).n.values.tolist()
    [1.0, nan]
    """
    packed = {
        name: xr.conventions.decode_cf_variable(name, v, decode_times=False, decode_timedelta=False)
        for name, v in dataset.variables.items()
        if v.dims != (name,) and v.dtype.kind in "iuf" and not set(PACKED).isdisjoint(v.attrs)
    }
    coords = {name: v for name, v in packed.items() if name in dataset.coords}
    rest = {name: v for name, v in packed.items() if name not in coords}
    return dataset.assign_coords(coords).assign(rest) if packed else dataset


def _variable(opened: Opened, name: str, raw: xr.Variable, whole: Raw, dry: bool) -> xr.Variable:
    """Give a variable's values if they index a dimension and are at hand, else a reference to them."""
    if raw.dims == (name,) and name in whole.held:
        return as_from_file(variable_of(raw.dims, whole.held[name], raw.attrs, raw.encoding))
    data = indexing.LazilyIndexedArray(ReferenceArray(opened, name, raw, dry))
    return xr.Variable(raw.dims, data, raw.attrs, raw.encoding, fastpath=True)


def _index(name: str, variable: xr.Variable, raw: xr.Variable | None, held: Any, asked: str) -> PandasIndex:
    """Make the index of a dimension, or give the one that was made from the same stored values in the same way."""
    if raw is None or held is None or held.nbytes > INDEX_BYTES:
        return PandasIndex.from_variables({name: variable}, options={})
    key = (name, asked, held.dtype.str, held.tobytes(), repr(raw.attrs))
    if (found := _indexes.get(key)) is None:
        found = PandasIndex.from_variables({name: variable}, options={})
        _indexes.put(key, found, 2**9 + 2 * held.nbytes)
    return found


def _spelt(asked: Any) -> Any:
    """Give what tells ways of decoding apart: coders show as their place in memory, which others take after them."""
    if isinstance(asked, Mapping):
        return {name: _spelt(value) for name, value in asked.items()}
    return (type(asked).__name__, vars(asked)) if hasattr(asked, "__dict__") else asked


def _decoding(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give the decoding that the recipe asks for; `use_cftime` in the form that xarray keeps."""
    chosen = {"concat_characters": True, "mask_and_scale": True, "decode_times": True, "decode_coords": True}
    chosen |= {k: kwargs[k] for k in DECODING if kwargs.get(k) is not None}
    asked = chosen.pop("use_cftime", None)
    if asked is not None and chosen["decode_times"] is True:
        return {**chosen, "decode_times": xr.coders.CFDatetimeCoder(use_cftime=asked)}
    return chosen
