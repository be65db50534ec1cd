"""Kerchunk's scan of each input, in upstream's spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import apache_beam as beam
from pangeo_forge_recipes.openers import open_with_kerchunk

from bakehouse.context import current
from bakehouse.errors import SourceError
from bakehouse.openers.formats import choose_engine
from bakehouse.patterns import FileType, Index
from bakehouse.storage import Source, make_source
from bakehouse.transforms.index import SourcedIndex, show_index

__all__ = ["OpenWithKerchunk"]
SCANNED = {"h5netcdf": "netcdf4", "scipy": "netcdf3", "cfgrib": "grib"}
"""What upstream calls the files that an engine reads."""


@dataclass
class OpenWithKerchunk(beam.PTransform):
    """Scan each input with kerchunk: (index, list of reference documents), one for each message of a GRIB file.

    Parameters
    ----------
    file_type
        netcdf4, netcdf3 or grib; unknown looks at the file's first bytes.
    inline_threshold
        Chunks of up to so many bytes are held in the references.
    storage_options
        Options of the inputs' file system.
    remote_protocol
        Protocol of inputs whose address has none.
    kerchunk_open_kwargs
        Further arguments of kerchunk's reader: ``{"filter": {…}}`` of GRIB, ``{"max_chunk_size": …}`` of netCDF3.

    Raises
    ------
    SourceError
        If an input can't be scanned; it names the input.
    """

    file_type: Any = "unknown"
    inline_threshold: int | None = 300
    storage_options: dict[str, Any] | None = field(default_factory=dict)
    remote_protocol: str | None = None
    kerchunk_open_kwargs: dict[str, Any] | None = field(default_factory=dict)

    def expand(self, pcoll: Any) -> Any:
        """Scan each."""
        context = current()
        scan = _Scan(
            str(getattr(self.file_type, "value", self.file_type)),
            dict(self.storage_options or {}),
            self.remote_protocol,
            {"inline_threshold": self.inline_threshold, "kerchunk_open_kwargs": self.kerchunk_open_kwargs},
            dict(context.url_map) if context else {},
        )
        return pcoll | "Spread" >> beam.Reshuffle() | "Scan" >> beam.Map(scan)


@dataclass
class _Scan:
    file_type: str
    options: Mapping[str, Any]
    protocol: str | None
    kwargs: Mapping[str, Any]
    mirrors: Mapping[str, str]

    def __call__(self, element: tuple[Index, Any]) -> tuple[Index, list[dict[str, Any]]]:
        index, found = element
        source = self._source(index, found).identified()
        kind = SCANNED.get(choose_engine(source, self.file_type, {}), self.file_type)
        place = f"file://{source.path}" if source.is_local else source.location
        try:
            refs = open_with_kerchunk(place, FileType(kind), storage_options=dict(source.options), **self.kwargs)
        except Exception as error:
            raise SourceError(
                "kerchunk can't scan the file", source.where, f"{type(error).__name__}: {error}",
                "check file_type; a format without references is opened with OpenWithXarray",
            ) from error  # fmt: skip
        return SourcedIndex.of(index, source), [_spelt_out(each) for each in refs]

    def _source(self, index: Index, found: Any) -> Source:
        if isinstance(found, Source):
            return found
        url = str(getattr(found, "full_name", found))
        if self.protocol and "://" not in url:
            url = f"{self.protocol}://{url}"
        source = make_source(url, self.options, self.mirrors, show_index(index))
        mirrored = urlsplit(source.location).scheme != urlsplit(url).scheme
        return make_source(url, {}, self.mirrors, show_index(index)) if mirrored else source


def _spelt_out(document: dict[str, Any]) -> dict[str, Any]:
    """Put the addresses that a document abbreviates where they belong."""
    short = {f"{{{{{name}}}}}": value for name, value in document.get("templates", {}).items()}
    if not short:
        return document
    refs = {k: [short.get(v[0], v[0]), *v[1:]] if isinstance(v, list) else v for k, v in document["refs"].items()}
    return {"version": 1, "refs": refs}
