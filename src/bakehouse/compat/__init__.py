"""The names that Pangeo Forge and LEAP feedstocks import, on today's zarr.

Importing this package makes them importable under their own modules: `pangeo_forge_recipes`, `zarr.storage.FSStore`,
`leap_data_management_utils` and `pangeo_forge_ndpyramid`. Nothing of a feedstock's source is rewritten. A worker that
is sent a transform of this package imports it, and so has the names, too.
"""

from bakehouse.compat.names import install

__all__ = ["install"]

install()
