"""Decoding that is done once for all files that look alike; what each file has of its own is put in afterwards.

Files of one archive differ in where their chunks lie and in the values of a coordinate or two. What xarray's decoding
makes of all else depends on dimensions, dtypes, attributes and encodings alone: together they are a file's form.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr
from xarray.indexes import PandasIndex

from bakehouse.openers.opened import Opened
from bakehouse.openers.plain import as_from_file, variable_of
from bakehouse.openers.raw import Raw
from bakehouse.openers.reference import ReferenceArray
from bakehouse.storage.memory import Memory

OWN = ("source",)
"""What an encoding says of the one file."""
_forms = Memory(2**25)


@dataclass(frozen=True, eq=False)
class Form:
    """A decoded Dataset, and the stored values of the coordinates that index its dimensions."""

    dataset: xr.Dataset
    held: Mapping[str, bytes]


def key_of(raw: Raw, how: str, dry: bool) -> bytes | None:
    """Give all that decoding depends on, but for values; None where it may depend on those.

    Parameters
    ----------
    how
        Tells ways of decoding apart.
    """
    if any(v.dtype.kind not in "iuf" for v in raw.variables.values()) or not _along(raw) <= set(raw.held):
        return None
    said = [(n, v.dims, v.shape, v.dtype.str, v.attrs, _shared(v.encoding)) for n, v in raw.variables.items()]
    try:
        return pickle.dumps((how, dry, said, raw.attrs, raw.encoding, raw.others), -1)
    except Exception:  # whatever a file's attributes hold that can't be told apart so
        return None


def known_form(key: bytes | None) -> Form | None:
    """Give the form that was learnt under a key."""
    found: Form | None = _forms.get(key) if key else None
    return found


def learn_form(key: bytes | None, raw: Raw, dataset: xr.Dataset) -> None:
    """Keep what a file was decoded to, unless it depends on values: times that are references do.

    Variables and attributes are copied: the recipe may load or change those that it is given.
    """
    if key and all(v.dtype.kind in "iuf" for n, v in dataset.variables.items() if v.dims != (n,)):
        held = {name: raw.held[name].tobytes() for name in _along(raw)}
        _forms.put(key, Form(dataset.copy(deep=False), held), 2**12 * len(dataset.variables) + len(key))


def decoded_as(form: Form, raw: Raw, opened: Opened, asked: Mapping[str, Any], dry: bool, index_of: Any) -> xr.Dataset:
    """Decode a file as the one that its form is known from.

    Parameters
    ----------
    index_of
        Makes the index of a dimension from its name and its decoded coordinate.
    """
    variables: dict[Any, xr.Variable] = {}
    indexes: dict[Any, Any] = dict(form.dataset.xindexes)
    for name, like in {str(n): v for n, v in form.dataset.variables.items()}.items():
        stored, encoding = raw.variables[name], like.encoding | {n: raw.variables[name].encoding.get(n) for n in OWN}
        if like.dims != (name,):
            data = _rebased(like._data, ReferenceArray(opened, name, stored, dry))
            variables[name] = xr.Variable(like.dims, data, like.attrs, encoding, fastpath=True)
        else:
            if raw.held[name].tobytes() != form.held[name]:
                indexes[name] = index_of(name, _decoded(name, stored, raw.held[name], asked))
            variables[name] = _coordinate(name, indexes[name], like, encoding)
    sizes, coords = dict(form.dataset.sizes), set(form.dataset.coords)
    return xr.Dataset._construct_direct(variables, coords, sizes, dict(form.dataset.attrs), indexes)


def _along(raw: Raw) -> set[str]:
    return {name for name, variable in raw.variables.items() if variable.dims == (name,)}


def _shared(encoding: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: value for name, value in encoding.items() if name not in OWN}


def _decoded(name: str, stored: xr.Variable, values: Any, asked: Mapping[str, Any]) -> xr.Variable:
    """Decode the values of a coordinate; what becomes of its attributes is known from the form."""
    bare = as_from_file(variable_of(stored.dims, values, stored.attrs, stored.encoding))
    if not asked:
        return bare
    found, _, _ = xr.conventions.decode_cf_variables({name: bare}, {}, **{**asked, "decode_coords": False})
    return found[name]


def _coordinate(name: str, index: PandasIndex, like: xr.Variable, encoding: Mapping[Any, Any]) -> xr.Variable:
    bare = xr.Variable((name,), like._data, like.attrs, encoding, fastpath=True)
    return index.create_variables({name: bare})[name]


def _rebased(data: Any, reference: ReferenceArray) -> Any:
    """Give the layers that decode an array, over another array."""
    if isinstance(data, ReferenceArray):
        return reference
    other = copy.copy(data)
    other.array = _rebased(data.array, reference)
    return other
