"""Write reference files outside of a bake, as upstream does: a JSON document, or a folder of Parquet."""

from __future__ import annotations

import base64
import json
from typing import Any

import fsspec

from bakehouse.errors import RecipeError


def write_reference_files(found: Any, target: Any, output_file_name: str) -> Any:
    """Write combined references below a target.

    Parameters
    ----------
    found
        What `CombineReferences` gives.
    target
        An `FSSpecTarget` with the store's name.
    output_file_name
        Ends with ``.json`` or ``.parquet``.

    Returns
    -------
    fsspec.FSMap
        The references as they are read back from there.

    Raises
    ------
    RecipeError
        If the name has another ending.
    """
    place = target._full_path(output_file_name)
    if output_file_name.endswith(".json"):
        document = {"version": 1, "refs": found.refs}
        target.fs.pipe_file(place, json.dumps(document, default=as_text).encode())
    elif output_file_name.endswith(".parquet"):
        from kerchunk.df import refs_to_dataframe

        refs_to_dataframe({"refs": found.refs}, target.fs.unstrip_protocol(place), target.fs.storage_options)
    else:
        raise RecipeError(f"output_file_name is '{output_file_name}'", None, None, "end it with .json or .parquet")
    return fsspec.filesystem(
        "reference", fo=place, target_protocol=target.get_fsspec_remote_protocol(), lazy=True, **found.access
    ).get_mapper("")


def as_text(value: Any) -> str:
    """Spell bytes as reference documents do."""
    return f"base64:{base64.b64encode(bytes(value)).decode()}"
