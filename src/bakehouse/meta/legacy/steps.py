"""The new form of a legacy recipe: the same values as a chain of steps."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bakehouse.meta.legacy.chunks import target_chunks
from bakehouse.meta.legacy.find import LegacyRecipe
from bakehouse.meta.legacy.spelling import called, spelled, unless

WIDTH = 100
_OFF = ("None", "False", "{}")
_RUN = "a run brings its own target and cache"
_WHOLE = "inputs are read region by region, never whole"
_COMBINE = "inputs are combined as xarray.concat does with join='exact' and compat='equals'"
DROPPED: Mapping[str, str] = {
    "cache_inputs": "inputs are kept with 'bakehouse bake --cache'",
    "subset_inputs": _WHOLE,
    "open_input_with_kerchunk": "headers are read by byte range as it is",
    "open_input_with_fsspec_reference": "headers are read by byte range as it is",
    "lock_timeout": "tasks write whole objects, so nothing is locked",
    "delete_input_encoding": "StoreToZarr takes encoding",
    "xarray_concat_kwargs": _COMBINE,
    "xarray_concat_args": _COMBINE,
    "output_intake_yaml_fname": "the catalog has an entry instead",
    "output_storage_options": _RUN,
    "template_count": "references are not templated",
    **dict.fromkeys(("storage_config", "target", "input_cache", "metadata_cache", "metadata", "cache_metadata"), _RUN),
}
"""Arguments that have no place in the new form, and why."""


@dataclass
class NewForm:
    """Lines of the new form without the brackets around them, and the transforms that they name.

    What is `left_out` is of no use any more; what is `undecided` a person has to look at.
    """

    lines: list[str] = field(default_factory=list)
    transforms: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    def text(self, indent: str = "") -> str:
        """Write it as an expression in brackets; lines after the first begin with `indent`."""
        notes = [f"# left out: {each}" for each in (*self.left_out, *self.undecided)]
        body = "\n".join(f"{indent}    {line}" for line in [*notes, *self.lines])
        return f"(\n{body}\n{indent})"

    def one_line(self) -> str:
        """Write it without notes on one line."""
        return spelled(ast.parse(self.text(), mode="eval"))

    def step(self, name: str, **arguments: str | None) -> None:
        """Add one of upstream's steps; arguments that are None are left out."""
        self.transforms.add(name)
        self.call(name, *(f"{key}={value}" for key, value in arguments.items() if value is not None))

    def call(self, name: str, *arguments: str) -> None:
        """Add a step; a long one has an argument a line."""
        line = f"| {name}({', '.join(arguments)})"
        if len(line) <= WIDTH:
            self.lines.append(line)
        else:
            self.lines += [f"| {name}(", *(f"    {each}," for each in arguments), ")"]


def new_form(recipe: LegacyRecipe, pattern: str, store: str) -> NewForm:
    """Write a recipe anew.

    Parameters
    ----------
    recipe
        What was found.
    pattern
        An expression that names its pattern and may be repeated.
    store
        The store's name, as an expression.
    """
    given = {each.arg: spelled(each.value) for each in recipe.call.keywords if each.arg}
    form = NewForm([f"beam.Create({pattern}.items())"])
    form.left_out += [
        f"{name}={value}; {DROPPED[name]}" for name, value in given.items() if name in DROPPED and value not in _OFF
    ]
    form.undecided += _unread(recipe, given)
    if recipe.kind == "HDFReferenceRecipe":
        _references(form, given, pattern, store)
    else:
        _zarr(form, recipe, given, pattern, store)
    return form


TAKEN = {
    "XarrayZarrRecipe": (
        *("file_pattern", "inputs_per_chunk", "target_chunks", "process_input", "process_chunk", "xarray_open_kwargs"),
        *("copy_input_to_local_file", "consolidate_zarr", "consolidate_dimension_coordinates"),
    ),
    "HDFReferenceRecipe": (
        *("file_pattern", "netcdf_storage_options", "inline_threshold", "output_json_fname", "concat_dims"),
        *("identical_dims", "coo_map", "coo_dtypes", "preprocess", "postprocess"),
    ),
}


def _unread(recipe: LegacyRecipe, given: Mapping[str, str]) -> Iterator[str]:
    """Name the arguments that nothing is known of."""
    for each in recipe.call.args[1:]:
        yield f"{spelled(each)}; what a second positional argument means changed between releases"
    for keyword in recipe.call.keywords:
        if keyword.arg is None:
            yield f"**{spelled(keyword.value)}; what is in it is not known before the recipe runs"
    for name in given:
        if name not in DROPPED and name not in TAKEN[recipe.kind]:
            yield f"{name}={given[name]}; {recipe.kind} is not known to take it"


def _zarr(form: NewForm, recipe: LegacyRecipe, given: Mapping[str, str], pattern: str, store: str) -> None:
    known = recipe.pattern
    if not known.is_opendap:
        form.step(
            "OpenURLWithFSSpec",
            cache="None" if given.get("cache_inputs") == "False" else None,
            open_kwargs=f"{pattern}.fsspec_open_kwargs" if known.has("fsspec_open_kwargs") else None,
            secrets=f"{pattern}.query_string_secrets" if known.has("query_string_secrets") else None,
        )
    form.step(
        "OpenWithXarray",
        file_type=f"{pattern}.file_type",
        copy_to_local=unless(given.get("copy_input_to_local_file"), "False"),
        xarray_open_kwargs=unless(given.get("xarray_open_kwargs"), "{}"),
    )
    if process := unless(given.get("process_input")):
        call = f"lambda index, ds, pattern={pattern}: (index, {called(process)}(ds, pattern[index]))"
        form.call('"process_input" >> beam.MapTuple', call)
    if process := unless(given.get("process_chunk")):
        form.call('"process_chunk" >> beam.MapTuple', f"lambda index, ds: (index, {called(process)}(ds))")
    chunks, undecided = target_chunks(recipe.pattern, given)
    form.undecided += [undecided] if undecided else []
    form.step(
        "StoreToZarr",
        store_name=store,
        combine_dims=f"{pattern}.combine_dim_keys",
        target_chunks=chunks,
    )
    if given.get("consolidate_dimension_coordinates") != "False":
        form.step("ConsolidateDimensionCoordinates")
    if given.get("consolidate_zarr") != "False":
        form.step("ConsolidateMetadata")


def _references(form: NewForm, given: Mapping[str, str], pattern: str, store: str) -> None:
    options = unless(given.get("netcdf_storage_options"), "{}")
    form.step(
        "OpenWithKerchunk",
        file_type=f"{pattern}.file_type",
        inline_threshold=given.get("inline_threshold"),
        storage_options=options,
    )
    combining = {name: value for name in ("coo_map", "coo_dtypes", "preprocess", "postprocess")
                 if (value := unless(given.get(name)))}  # fmt: skip
    form.step(
        "WriteCombinedReference",
        store_name=store,
        concat_dims=given.get("concat_dims", f"{pattern}.concat_dims"),
        identical_dims=unless(given.get("identical_dims")) or "[]",
        remote_options=options,
        mzz_kwargs="{" + ", ".join(f'"{name}": {value}' for name, value in combining.items()) + "}"
        if combining
        else None,
        output_file_name=given.get("output_json_fname"),
    )
