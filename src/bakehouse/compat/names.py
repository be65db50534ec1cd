"""Serve modules of this package under the names by which feedstocks import them."""

from __future__ import annotations

import copyreg
import importlib
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
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
    "pangeo_forge_recipes.storage": "bakehouse.compat.storage",
    "pangeo_forge_recipes.writers": "bakehouse.compat.writers",
}
"""Upstream's own modules, some of whose names are replaced by ours."""
MENDED_LATER: Mapping[str, str] = {"pangeo_forge_recipes.rechunking": "bakehouse.compat.writers"}
"""Those that are mended when somebody imports them: they import dask's arrays, which takes as long as Beam."""


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


class _Mended(Loader):
    """Replace some names of an installed module as soon as it is imported."""

    def __init__(self, upstream: Loader, ours: str) -> None:
        self.upstream, self.ours = upstream, ours

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        """Make the module as its own loader does."""
        return self.upstream.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill the module as its own loader does, then mend it."""
        self.upstream.exec_module(module)
        _mend(module, self.ours)


def _refusal(module: str, names: Sequence[str]) -> Callable[[str], Any]:
    def refuse(name: str) -> Any:
        hint = "" if name.startswith("__") else f" ({did_you_mean(name, names)})"
        raise AttributeError(f"module '{module}' has no '{name}'{hint}")

    return refuse


class _Finder(MetaPathFinder):
    """Find the served and mended modules before anybody else does."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Give the module's spec, if it is one that is served or mended here."""
        if name in SERVED:
            return ModuleSpec(name, _Served(SERVED[name]), is_package=name in PACKAGES)
        spec = PathFinder.find_spec(name, path, target) if name in MENDED_LATER else None
        if spec and spec.loader:
            spec.loader = _Mended(spec.loader, MENDED_LATER[name])
        return spec


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
        _mend(importlib.import_module(name), ours)


def _by_name(module: types.ModuleType) -> tuple[Callable[[str], Any], tuple[str]]:
    return importlib.import_module, (module.__name__,)


def _mend(upstream: types.ModuleType, module: str) -> None:
    ours = importlib.import_module(module)
    for name in ours.__all__:
        if hasattr(upstream, name):
            setattr(upstream, name, getattr(ours, name))
