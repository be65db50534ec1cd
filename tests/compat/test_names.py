"""Every name that upstream's own source defines is served, with its arguments."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from pathlib import Path

import pytest

import bakehouse.compat  # noqa: F401  the names are served once this is imported

PACKAGE = Path(importlib.util.find_spec("pangeo_forge_recipes").submodule_search_locations[0])  # type: ignore
MODULES = ("transforms", "storage", "openers", "writers", "patterns", "types", "rechunking", "aggregation", "combiners")


def defined(module: str) -> dict[str, ast.AST]:
    """Read upstream's source: its public classes and functions."""
    nodes = ast.parse((PACKAGE / f"{module}.py").read_text()).body
    return {n.name: n for n in nodes if isinstance(n, ast.ClassDef | ast.FunctionDef) and not n.name.startswith("_")}


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_of_upstreams_modules_resolves(module: str) -> None:
    served = importlib.import_module(f"pangeo_forge_recipes.{module}")
    assert [name for name in defined(module) if not hasattr(served, name)] == []


@pytest.mark.parametrize("name", [n for n, node in defined("transforms").items() if isinstance(node, ast.ClassDef)])
def test_transforms_take_upstreams_arguments_in_upstreams_order(name: str) -> None:
    node = defined("transforms")[name]
    fields = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign)]  # type: ignore
    ours = getattr(importlib.import_module("pangeo_forge_recipes.transforms"), name)
    if fields:
        assert list(inspect.signature(ours).parameters)[: len(fields)] == fields


def test_a_name_that_upstream_never_had_is_refused_with_a_suggestion() -> None:
    transforms = importlib.import_module("pangeo_forge_recipes.transforms")
    with pytest.raises(AttributeError, match="did you mean 'StoreToZarr'"):
        transforms.StoreToZar  # noqa: B018
    with pytest.raises(ImportError):
        from pangeo_forge_recipes.transforms import StoreToZar  # type: ignore  # noqa: F401


def test_modules_of_leap_and_of_zarr_2_resolve() -> None:
    import zarr.storage
    from leap_data_management_utils.cmip_transforms import dynamic_chunking_func  # type: ignore
    from leap_data_management_utils.data_management_transforms import Copy, InjectAttrs  # type: ignore
    from pangeo_forge_ndpyramid.transforms import StoreToPyramid  # type: ignore
    from zarr.convenience import consolidate_metadata  # type: ignore

    assert all((Copy, InjectAttrs, dynamic_chunking_func, StoreToPyramid, zarr.storage.FSStore))
    assert consolidate_metadata is zarr.consolidate_metadata


def test_the_table_in_the_docs_has_every_public_name() -> None:
    table = (Path(__file__).parents[2] / "docs/reference/pangeo-forge-names.md").read_text()
    names = {name for module in (*MODULES, "chunk_grid", "serialization") for name in defined(module)}
    assert [name for name in sorted(names) if f"`{name}`" not in table] == []
