"""Turn archives into analysis-ready, cloud-optimised datasets that people can find, trust and open with one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    import xarray as xr

    __version__: str

__all__ = ["__version__", "open"]


def open(
    id: str, catalog: str | os.PathLike[str] | None = None, *, version: str | None = None, **kwargs: Any
) -> xr.Dataset:
    """Open a dataset from the catalog, lazily.

    Parameters
    ----------
    id
        ``feedstock/recipe``, or just ``feedstock`` where it has one store, or a store_name.
    catalog
        Folder or http(s) address of the catalog. Without it: the environment variable BAKEHOUSE_CATALOG, the
        project around the working directory, the published catalog that the project names.
    version
        A previous version instead of the current one.
    **kwargs
        ``storage_options``, and all that `xarray.open_dataset` takes.

    Raises
    ------
    CatalogError
        If the entry or its store cannot be found or read; the message lists what is there.
    """
    from bakehouse.catalog.read import open_dataset

    return open_dataset(id, catalog, version=version, **kwargs)


def __getattr__(name: str) -> str:
    """Read the version from the installed package when it is asked for."""
    if name != "__version__":
        raise AttributeError(f"module 'bakehouse' has no attribute '{name}'")
    from importlib.metadata import version

    return version("bakehouse")
