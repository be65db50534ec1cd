"""Shared recipes: where they lie, and which parameters they take."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

import bakehouse
from bakehouse.errors import RecipeError, did_you_mean
from bakehouse.meta.parameters import Parameters

HEAVY = ("apache_beam", "dask", "fsspec", "h5netcdf", "h5py", "icechunk", "kerchunk", "netCDF4", "numpy", "obstore",
         "pandas", "pangeo_forge_recipes", "pyarrow", "scipy", "virtualizarr", "xarray", "zarr")  # fmt: skip
LIGHT_ROOMS = ("bakehouse.errors", "bakehouse.meta")


def shared_recipes(root: Path | None) -> dict[str, Path]:
    """Map the name of each shared recipe to its file: those of the wheel, and over them the project's own."""
    folders = [_shipped(), *([root / "recipes"] if root else [])]
    files = [file for folder in folders if folder.is_dir() for file in sorted(folder.glob("*.py"))]
    return {file.stem: file for file in files if not file.stem.startswith("_")}


def _shipped() -> Path:
    """Give the folder of the recipes that come with the engine: in the wheel, or in the checkout that it runs from."""
    package = Path(bakehouse.__file__).parent
    return package / "recipes" if (package / "recipes").is_dir() else package.parents[1] / "recipes"


def find_shared_recipe(name: str, root: Path | None) -> Path:
    """Find a shared recipe's file by name: in the project's `recipes`, then among those that are shipped.

    Raises
    ------
    RecipeError
        If there is none of that name.
    """
    known = shared_recipes(root)
    if name not in known:
        raise RecipeError(f"there is no shared recipe '{name}'", None, None, did_you_mean(name, known))
    return known[name]


def load_shared_recipe(file: Path) -> ModuleType:
    """Import a shared recipe under a name of its own.

    Raises
    ------
    RecipeError
        If the module can't be imported.
    """
    name = f"_bakehouse_recipe_{file.stem}_{hashlib.sha256(file.read_bytes() + str(file).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RecipeError("not a Python module", str(file))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise RecipeError(f"can't be imported: {type(error).__name__}: {error}", str(file)) from error
    return module


def parameters_class(module: ModuleType) -> type[Parameters]:
    """Give the type of the parameters of a shared recipe: the annotation of its function's first argument.

    Raises
    ------
    RecipeError
        If the module has no function ``recipe(p: X)`` with X a subclass of `Parameters`.
    """
    function = getattr(module, "recipe", None)
    first = next(iter(inspect.signature(function).parameters.values()), None) if inspect.isfunction(function) else None
    kind = first.annotation if first else None
    found = getattr(module, kind, None) if isinstance(kind, str) else kind
    if isinstance(found, type) and issubclass(found, Parameters):
        return found
    fix = "define: def recipe(p: X), where X is a subclass of bakehouse.meta.parameters.Parameters"
    raise RecipeError("has no function recipe(p: X) with typed parameters", str(module.__file__), None, fix)


def heavy_imports(tree: ast.Module) -> list[tuple[ast.stmt, str]]:
    """List the imports at a module's top that lint must not pay for, each with the module's name."""
    found = []
    for node in tree.body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found += [(node, name) for name in names if _is_heavy(name)]
    return found


def _is_heavy(name: str) -> bool:
    top = name.split(".")[0]
    light = any(name == room or name.startswith(f"{room}.") for room in LIGHT_ROOMS)
    return top in HEAVY or (top == "bakehouse" and not light)
