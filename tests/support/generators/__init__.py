"""Files with the true names, dimensions, packing, chunks and attributes of public archives, and made-up values.

Each generator takes a folder and the URLs of a feedstock's inputs, and writes ``https://host/path`` to
``folder/host/path``, so that `tests.support.http.Server.url_map` leads a recipe there. Values follow closed forms
that tests can repeat. Grids are coarser than the archive's unless ``coarsen=1``.
"""

from tests.support.generators.files import path_of
from tests.support.generators.gpcp_daily import gpcp
from tests.support.generators.ncep_reanalysis import ncep
from tests.support.generators.noaa_oisst import oisst

__all__ = ["gpcp", "ncep", "oisst", "path_of"]
