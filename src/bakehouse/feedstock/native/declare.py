"""Say a recipe in YAML where it does no more than `files_to_zarr`, and prove that both mean the same inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from bakehouse.errors import BakehouseError
from bakehouse.feedstock.native.ranges import as_range, dates_in, decoded, plain_keys
from bakehouse.feedstock.native.template import find_template
from bakehouse.meta.base import is_safe_name
from bakehouse.meta.parameters import OpenSpec, Parameters, PatternSpec, StoreSpec
from bakehouse.patterns import combine_dims_of, key_of

SHARED = "files_to_zarr"
OPENING, OPENED, STORED = "OpenURLWithFSSpec", "OpenWithXarray", "StoreToZarr"
DONE_ANYWAY = ("ConsolidateDimensionCoordinates", "ConsolidateMetadata")
MOST_LISTED = 50
"""How many keys or files are still listed one by one."""
_TAKEN = {
    OPENING: ("open_kwargs", "fsspec_sync_patch"),
    OPENED: ("file_type", "xarray_open_kwargs", "load", "copy_to_local"),
    STORED: ("store_name", "target_chunks", "attrs", "encoding"),
}


_PRIVATE = re.compile(r'"[^"]*(user|pass|pw|key|secret|token|auth|credential|cookie)[^"]*":', re.IGNORECASE)
"""A key of options that YAML, which is committed, must not hold."""


class NotSimple(Exception):
    """Why a recipe is not said in YAML."""


class _FilesToZarr(Parameters):
    """What is checked here of the shared recipe's parameters."""

    pattern: PatternSpec
    open: OpenSpec = OpenSpec()
    store: StoreSpec = StoreSpec()


def declared(found: Mapping[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    """Give the parameters with which `files_to_zarr` reads the same inputs and stores them alike.

    Parameters
    ----------
    found
        The recipe as `look` describes it.
    ids
        Names that are not given to a store: its recipe's, which it has anyway, and those of other stores.

    Raises
    ------
    NotSimple
        If there are none; it says why.
    """
    steps, pattern = found["steps"], found["pattern"]
    arguments = _arguments(steps)
    if pattern is None:
        raise NotSimple("its inputs are not those of one pattern")
    if pattern["has_secrets"]:
        raise NotSimple("its URLs take secrets")
    spec = _pattern(pattern, arguments)
    given = {"pattern": spec, "open": _open(arguments[OPENED]), "store": _store(arguments[STORED], pattern, ids)}
    given = {key: value for key, value in given.items() if value}
    _insist_same(given, pattern)
    return given


def _arguments(steps: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give each step's arguments; a step or an argument that YAML has no place for is named."""
    names = [step["name"] for step in steps]
    core = [name for name in names if name not in DONE_ANYWAY]
    if core not in (["Create", OPENING, OPENED, STORED], ["Create", OPENED, STORED]):
        odd = next((name for name in core if name not in ("Create", *_TAKEN)), None)
        raise NotSimple(f"its step {odd} has no place in {SHARED}" if odd else f"its steps are {' | '.join(core)}")
    found: dict[str, dict[str, Any]] = {OPENING: {}}
    for step in steps:
        if step["name"] not in _TAKEN:
            continue
        if not step["known"]:
            raise NotSimple(f"its step {step['name']} is its own")
        for key, value in step["arguments"].items():
            if key not in _TAKEN[step["name"]] or "value" not in value:
                raise NotSimple(f"{step['name']}({key}=…) has no place in {SHARED}")
        found[step["name"]] = {key: value["value"] for key, value in step["arguments"].items()}
    return found


def _pattern(pattern: Mapping[str, Any], arguments: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    file_type = arguments[OPENED].get("file_type", "unknown")
    if file_type == "opendap":
        raise NotSimple("its inputs are read by OPeNDAP")
    spec = _urls(pattern)
    if file_type != "unknown":
        spec["file_type"] = file_type
    if options := arguments[OPENING].get("open_kwargs"):
        if _PRIVATE.search(json.dumps(options)):
            raise NotSimple("its open_kwargs may hold a credential")
        spec["open_kwargs"] = options
    return spec


def _urls(pattern: Mapping[str, Any]) -> dict[str, Any]:
    """Write the URLs by a rule in their keys, in their dates, or one by one."""
    dims = pattern["dims"]
    keys = {dim["name"]: [decoded(key) for key in dim["keys"]] for dim in dims}
    if any(key is None for values in keys.values() for key in values):
        raise NotSimple("its keys are of a kind that YAML does not have")
    spec = _template(pattern, keys) or _template(pattern, {**keys, **_dates(pattern)})
    if spec is None and len(dims) == 1 and dims[0]["kind"] == "concat" and len(pattern["items"]) <= MOST_LISTED:
        length = {"nitems_per_file": dims[0]["nitems"]} if dims[0]["nitems"] else {}
        by_place = sorted(pattern["items"])
        spec = {"files": [url for _, url in by_place], "concat": {dims[0]["name"]: length}}
    if spec is None:
        raise NotSimple("its URLs follow no rule in their keys")
    return spec


def _dates(pattern: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Read the dates of a lone concat dimension from the URLs."""
    concat = [dim for dim in pattern["dims"] if dim["kind"] == "concat"]
    if len(concat) != 1:
        return {}
    name = concat[0]["name"]
    first: dict[int, str] = {}
    for key, url in pattern["items"]:
        first.setdefault(dict(key)[name], url)
    dates = dates_in([first[place] for place in sorted(first)])
    return {name: list(dates)} if dates else {}


def _template(pattern: Mapping[str, Any], keys: Mapping[str, Sequence[Any]]) -> dict[str, Any] | None:
    dims = pattern["dims"]
    names = [dim["name"] for dim in dims]
    inputs = {tuple(keys[name][dict(key)[name]] for name in names): url for key, url in pattern["items"]}
    url = find_template(names, inputs) if all(name.isidentifier() for name in names) else None
    if url is None:
        return None
    spec: dict[str, Any] = {"url": url, "concat": {}, "merge": {}}
    for dim in dims:
        values = keys[dim["name"]]
        if dim["kind"] == "merge":
            spec["merge"][dim["name"]] = _some(values)
            continue
        concat = as_range(values) or {"keys": _some(values)}
        length = {"nitems_per_file": dim["nitems"]} if dim["nitems"] else {}
        spec["concat"][dim["name"]] = {**concat, **length} if length or "keys" not in concat else concat["keys"]
    return {key: value for key, value in spec.items() if value}


def _some(keys: Sequence[Any]) -> list[Any]:
    if len(keys) > MOST_LISTED:
        raise NotSimple(f"its {len(keys)} keys are no range of dates")
    return plain_keys(keys)


def _open(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give known options their own place."""
    given = dict(arguments.get("xarray_open_kwargs") or {})
    own = {key: given.pop(key) for key in OpenSpec.model_fields if key in given and key != "xarray_open_kwargs"}
    if isinstance(own.get("drop_variables"), str):
        own["drop_variables"] = [own["drop_variables"]]
    return {**own, **({"xarray_open_kwargs": given} if given else {})}


def _store(arguments: Mapping[str, Any], pattern: Mapping[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    """Give chunks as upstream would cut them: a concat dimension that is not named, as an input is long."""
    name = arguments.get("store_name")
    lengths = {dim["name"]: dim["nitems"] for dim in pattern["dims"] if dim["kind"] == "concat" and dim["nitems"]}
    attrs = {f"pangeo-forge:{key}": value for key, value in arguments.get("attrs", {}).items()}
    found = {
        "name": name if name and is_safe_name(name) and name not in (*ids, "store.zarr") else None,
        "chunks": {**lengths, **arguments.get("target_chunks", {})},
        "attrs": attrs,
        "encoding": arguments.get("encoding"),
    }
    return {key: value for key, value in found.items() if value}


def unsaid_chunks(given: Mapping[str, Any]) -> list[str]:
    """List the concat dimensions of which upstream takes the first input's length as chunk, and nobody says it."""
    return [dim for dim in given["pattern"].get("concat", {}) if dim not in given.get("store", {}).get("chunks", {})]


def _insist_same(given: Mapping[str, Any], pattern: Mapping[str, Any]) -> None:
    """Expand what was declared, and compare every input's place and URL, and how long each dimension's inputs are."""
    try:
        made = _FilesToZarr.model_validate(given).pattern.to_file_pattern()
    except ValidationError as error:
        raise NotSimple(str(error.errors()[0]["msg"])) from error
    except BakehouseError as error:
        raise NotSimple(error.message) from error
    items = sorted([[list(step) for step in key_of(index)], url] for index, url in made.items())
    same = items == sorted([[list(step) for step in key], url] for key, url in pattern["items"])
    dims = {dim["name"]: dim["kind"] for dim in pattern["dims"]}
    lengths = {dim["name"]: dim["nitems"] for dim in pattern["dims"] if dim["kind"] == "concat"}
    same &= combine_dims_of(made.combine_dim_keys) == dims
    same &= {
        dim.name: getattr(dim, "nitems_per_file", None) for dim in made.combine_dims if dim.name in lengths
    } == lengths
    if not same:
        raise NotSimple("its URLs follow no rule in their keys")
