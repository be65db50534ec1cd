"""Lines of code that open a dataset, as a comment may show them for people to copy."""

from __future__ import annotations

import ast

_PARTS = (
    *(ast.Expression, ast.Call, ast.keyword, ast.Attribute, ast.Name, ast.Load, ast.Constant),
    *(ast.Dict, ast.List, ast.Tuple, ast.UnaryOp, ast.USub),
)
_MODULES = ("xarray", "icechunk")
_CALLS = (
    *("xarray.open_zarr", "xarray.open_dataset", "icechunk.Repository.open", "icechunk.s3_storage"),
    *("icechunk.local_filesystem_storage", "readonly_session"),
)


def is_opening(line: str) -> bool:
    """Say whether a line opens a store, and does nothing else.

    Examples
    --------
    >>> is_opening("xarray.open_zarr('s3://bucket/a.zarr', storage_options={'anon': True})")
    True
    >>> is_opening("xarray.open_zarr(__import__('os').system('x'))"), is_opening("xarray.os.system('x')")
    (False, False)
    """
    try:
        parsed = ast.parse(line.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    nodes = list(ast.walk(parsed))
    plain = all(isinstance(node, _PARTS) for node in nodes)
    names = all(node.id in _MODULES for node in nodes if isinstance(node, ast.Name))
    calls = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
    return plain and names and bool(calls) and all(call.endswith(_CALLS) for call in calls)


def snippet(feedstock: str, recipe: str, plain_line: str | None) -> str:
    """Write the code that opens an entry from the catalog, and its store without it.

    Examples
    --------
    >>> print(snippet("sst", "monthly", None))
    import bakehouse
    <BLANKLINE>
    ds = bakehouse.open("sst/monthly")
    """
    name = feedstock if feedstock == recipe else f"{feedstock}/{recipe}"
    lines = ["import bakehouse", "", f'ds = bakehouse.open("{name}")']
    if plain_line and is_opening(plain_line):
        modules = [each for each in _MODULES if f"{each}." in plain_line]
        lines += ["", "# or without Bakehouse", f"import {', '.join(modules)}", "", f"ds = {plain_line.strip()}"]
    return "\n".join(lines)
