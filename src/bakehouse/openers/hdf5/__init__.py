"""HDF5 and netCDF4: what a file's header says, read once, and where the chunks of its variables lie."""

from bakehouse.openers.hdf5.known import forget, manifest_of, raw_group

__all__ = ["forget", "manifest_of", "raw_group"]
