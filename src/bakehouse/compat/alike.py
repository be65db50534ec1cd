"""Refuse references whose inputs mean different things by their values: kerchunk takes what the first one says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bakehouse.errors import SchemaError

MEANING = ("units", "calendar", "_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned")


def insist_alike(inputs: Sequence[tuple[str, Mapping[str, Any]]], combine: Any) -> None:
    """Compare what attributes and array metadata say of each variable with what the first input says.

    Parameters
    ----------
    inputs
        Each input's name and reference document.
    combine
        The `CombineReferences`: dimensions whose coordinates it decodes (``cf:``) may differ in units.

    Raises
    ------
    SchemaError
        If inputs differ; it names variable, both inputs and both values.
    """
    coo_map = combine.mzz_kwargs.get("coo_map") or {}
    decoded = {name for name, how in coo_map.items() if str(how).startswith("cf:")}
    first: dict[tuple[str, str], tuple[str, Any]] = {}
    for name, refs in inputs:
        for (variable, what), value in _meaning(refs).items():
            where, known = first.setdefault((variable, what), (name, value))
            if known != value and variable not in decoded:
                raise SchemaError(
                    f"'{variable}' has {what} {value!r} in one input and {known!r} in another",
                    name,
                    f"{where} has {known!r}; references can't change values",
                    _fix(variable, combine.concat_dims),
                )


def _meaning(refs: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    documents = refs.get("refs", refs)
    for key, text in documents.items():
        variable, _, kind = key.rpartition("/")
        if variable and kind in (".zattrs", ".zarray"):
            said = json.loads(text) if isinstance(text, str | bytes) else text
            names = MEANING if kind == ".zattrs" else ("dtype",)
            found |= {(variable, what): said.get(what) for what in names}
    return found


def _fix(variable: str, concat_dims: Sequence[str]) -> str:
    if variable in concat_dims:
        return f'decode it while combining: mzz_kwargs={{"coo_map": {{"{variable}": "cf:{variable}"}}}}'
    return "store the values instead: OpenWithXarray and StoreToZarr decode each input"
