"""Targets that are written and sources that are read, by URL.

Objects go through obstore (local disk, S3, GCS, HTTP): no event loop, byte ranges, retries with backoff and
conditional writes. Sources that obstore does not speak, or that need fsspec's own options, go through fsspec.
"""

from bakehouse.storage.cache import Cache
from bakehouse.storage.changes import Change, source_changes
from bakehouse.storage.foreseen import coalesced
from bakehouse.storage.range_file import RangeFile
from bakehouse.storage.ranges import each_range, read_ranges
from bakehouse.storage.reach import Reach, as_target
from bakehouse.storage.remote import RETRIES, local_path
from bakehouse.storage.source import Source, make_source
from bakehouse.storage.target import Target

__all__ = [
    "RETRIES",
    "Cache",
    "Change",
    "RangeFile",
    "Reach",
    "Source",
    "Target",
    "as_target",
    "coalesced",
    "each_range",
    "local_path",
    "make_source",
    "read_ranges",
    "source_changes",
]
