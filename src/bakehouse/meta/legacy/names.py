"""The names of earlier releases that are gone since pangeo-forge-recipes 0.10, and where a module imports them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

UPSTREAM = "pangeo_forge_recipes"
CLASSES = ("XarrayZarrRecipe", "HDFReferenceRecipe")
"""Recipe classes whose new form can be written."""
LEFT = (
    *("aggregation", "chunk_grid", "combiners", "injections", "openers", "patterns", "rechunking", "serialization"),
    *("storage", "transforms", "types", "utils", "writers"),
)
"""The modules that upstream still has."""
GONE: Mapping[str, tuple[str, ...]] = {
    "patterns": ("prune_pattern", "VariableFilePattern", "ChunkIndex", "DimIndex", "DimKey", "DimVal", "AutoIncrement"),
    "storage": ("MetadataTarget", "StorageConfig", "temporary_storage_config"),
    "utils": ("fix_scalar_attr_encoding", "chunked_iterable", "closest_nested_chunk", "file_opener"),
}
"""Names that are gone from modules that stayed."""


@dataclass(frozen=True)
class GoneName:
    """One imported name that is gone: its place, what it is called upstream, and what it is called in the module."""

    node: ast.Import | ast.ImportFrom
    alias: ast.alias
    full: str
    local: str

    @property
    def name(self) -> str:
        """Give its last part."""
        return self.full.rpartition(".")[2]


def is_gone(module: str, name: str | None = None) -> bool:
    """Say whether upstream's later releases lack a module, or a name in it.

    Examples
    --------
    >>> is_gone("pangeo_forge_recipes.recipes.reference_hdf_zarr"), is_gone("pangeo_forge_recipes.transforms")
    (True, False)
    >>> is_gone("pangeo_forge_recipes.patterns", "prune_pattern"), is_gone("pangeo_forge_recipes", "recipes")
    (True, True)
    """
    top, _, rest = module.partition(".")
    if top == "pangeo_forge":
        return True
    if top != UPSTREAM:
        return False
    if not rest:
        return name is not None and (name in CLASSES or name in ("recipes", "executors", "reference", "recorder"))
    inner = rest.partition(".")[0]
    return inner not in LEFT or name in GONE.get(inner, ())


def gone_names(tree: ast.AST) -> list[GoneName]:
    """List the imported names of a module that are gone, wherever they are imported."""
    return [found for node in ast.walk(tree) for found in _of(node)]


def _of(node: ast.AST) -> Iterator[GoneName]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if is_gone(alias.name):
                yield GoneName(node, alias, alias.name, alias.asname or alias.name)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            if is_gone(node.module, alias.name):
                yield GoneName(node, alias, f"{node.module}.{alias.name}", alias.asname or alias.name)


def dotted(node: ast.AST) -> str | None:
    """Give the text of a plain dotted name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else None
    return None


def class_of(node: ast.AST, gone: list[GoneName]) -> str | None:
    """Give the legacy class that an expression names, whatever it was imported as."""
    text = dotted(node)
    for found in gone if text else ():
        if text == found.local and found.name in CLASSES:
            return found.name
        if text and text.startswith(f"{found.local}.") and text.rpartition(".")[2] in CLASSES:
            return text.rpartition(".")[2]
    return None
