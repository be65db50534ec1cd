"""What recipes take from `zarr.convenience`, which zarr 3 no longer has."""

from zarr import consolidate_metadata, copy, copy_all, copy_store, load, open, open_array, open_group, save, tree

__all__ = [
    "consolidate_metadata",
    "copy",
    "copy_all",
    "copy_store",
    "load",
    "open",
    "open_array",
    "open_group",
    "save",
    "tree",
]
