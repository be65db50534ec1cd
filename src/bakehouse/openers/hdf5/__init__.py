"""HDF5 and netCDF4: what a file's header says, read once, and where the chunks of its variables lie."""

from bakehouse.openers.hdf5.known import forget, known_header, manifest_of, raw_group, read_headers, remember

__all__ = ["forget", "known_header", "manifest_of", "raw_group", "read_headers", "remember"]
