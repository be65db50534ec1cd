"""Serve modules of this package under the names by which feedstocks import them."""

from __future__ import annotations

import copyreg
import importlib
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

from bakehouse.errors import did_you_mean

SERVED: Mapping[str, str | None] = {
    "pangeo_forge_recipes.transforms": "bakehouse.compat.transforms",
    "leap_data_management_utils": "bakehouse.compat.leap",
    "leap_data_management_utils.data_management_transforms": "bakehouse.compat.leap",
    "leap_data_management_utils.cmip_transforms": "bakehouse.compat.cmip",
    "pangeo_forge_ndpyramid": None,
    "pangeo_forge_ndpyramid.transforms": "bakehouse.compat.pyramids",
    "zarr.convenience": "bakehouse.compat.convenience",
}
"""Module that feedstocks import, and the one of ours whose names it has, if any."""
PACKAGES = ("leap_data_management_utils", "pangeo_forge_ndpyramid")
MENDED: Mapping[str, str] = {
    "pangeo_forge_recipes.rechunking": "bakehouse.compat.writers",
    "pangeo_forge_recipes.storage": "bakehouse.compat.storage",
    "pangeo_forge_recipes.writers": "bakehouse.compat.writers",
}
"""Upstream's own modules, some of whose names are replaced by ours."""


class _Served(Loader):
    """Fill a new module with the public names of one of ours."""

    def __init__(self, target: str | None) -> None:
        self.target = target

    def exec_module(self, module: types.ModuleType) -> None:
        """Copy the names; what is not there is refused with a suggestion."""
        found = importlib.import_module(self.target) if self.target else None
        names = {name: getattr(found, name) for name in found.__all__} if found else {}
        vars(module).update(names, __doc__=found.__doc__ if found else None)
        if found:
            vars(module)["__getattr__"] = _refusal(module.__name__, list(names))


def _refusal(module: str, names: Sequence[str]) -> Callable[[str], Any]:
    def refuse(name: str) -> Any:
        hint = "" if name.startswith("__") else f" ({did_you_mean(name, names)})"
        raise AttributeError(f"module '{module}' has no '{name}'{hint}")

    return refuse


class _Finder(MetaPathFinder):
    """Find the served modules before any installed package does."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Give the module's spec, if it is one that is served here."""
        if name not in SERVED:
            return None
        return ModuleSpec(name, _Served(SERVED[name]), is_package=name in PACKAGES)


def install() -> None:
    """Make the names importable in this process; doing it twice changes nothing."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    import zarr.storage

    from bakehouse.compat.fsstore import FSStore

    zarr.storage.FSStore = FSStore  # type: ignore[attr-defined]  # zarr 3 has no such name: that is why it is set
    if type(zarr.storage) is not types.ModuleType:
        copyreg.pickle(type(zarr.storage), _by_name)  # a kind of module of its own, which pickle does not know
    for name in SERVED:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, _Finder())
    for name, ours in MENDED.items():
        _mend(importlib.import_module(name), importlib.import_module(ours))


def _by_name(module: types.ModuleType) -> tuple[Callable[[str], Any], tuple[str]]:
    return importlib.import_module, (module.__name__,)


def _mend(upstream: types.ModuleType, ours: types.ModuleType) -> None:
    for name in ours.__all__:
        if hasattr(upstream, name):
            setattr(upstream, name, getattr(ours, name))
