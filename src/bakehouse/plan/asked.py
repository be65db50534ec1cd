"""What a recipe asks of single variables: refused where it would be silently ignored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bakehouse.errors import RecipeError, did_you_mean

CF_KEYS = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "units", "calendar", "dtype")
ZARR_KEYS = ("chunks", "shards", "compressors", "compressor", "filters", "serializer")


def check_encoding(encoding: Mapping[str, Mapping[str, Any]], variables: Iterable[str], label: str) -> None:
    """Insist that an encoding names variables of the dataset, and keys that are honoured.

    Raises
    ------
    RecipeError
        If a variable or a key is unknown.

    Examples
    --------
    >>> check_encoding({"sst": {"dtype": "int16"}}, ["sst"], "oisst")
    """
    names = list(variables)
    for name, asked in encoding.items():
        if name not in names:
            raise RecipeError(
                f"encoding names a variable '{name}' that the dataset does not have", label, None, did_you_mean(name, names)
            )
        for key in asked:
            if key not in (*CF_KEYS, *ZARR_KEYS):
                known = did_you_mean(key, (*CF_KEYS, *ZARR_KEYS))
                raise RecipeError(f"encoding of '{name}' has a key '{key}' that is not honoured", label, None, known)
