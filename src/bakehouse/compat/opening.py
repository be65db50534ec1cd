"""Opening inputs in upstream's spelling: what is passed on behaves as fsspec's open files do."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import apache_beam as beam
import fsspec
import xarray as xr
from fsspec.implementations.local import LocalFileOpener

from bakehouse import transforms as native
from bakehouse.compat.fsstore import FSStore
from bakehouse.context import current
from bakehouse.openers.formats import ENGINES
from bakehouse.patterns import Index
from bakehouse.storage import Source, make_source
from bakehouse.transforms.index import show_index

__all__ = ["OpenURLWithFSSpec", "OpenWithXarray"]
LOADED = "loaded"
BLOCK_BYTES = 2**20
READING = ("read", "readline", "readlines", "readinto", "seek", "tell", "size")


class _Raw(io.RawIOBase):
    """The bytes of an input."""

    def __init__(self, source: Source) -> None:
        self.file = source.open()

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read anywhere."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a byte."""
        return int(self.file.seek(offset, whence))

    def tell(self) -> int:
        """Say where the next byte comes from."""
        return int(self.file.tell())

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        super().close()


class OpenedInput(io.BufferedReader):
    """An open input that travels as what it reads from: it is opened again where it arrives."""

    def __init__(self, source: Source) -> None:
        super().__init__(_Raw(source), BLOCK_BYTES)
        self.source, self.path = source, source.path

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Leave the open file behind."""
        return OpenedInput, (self.source,)


class OpenSource(Source):
    """An input as steps of a recipe know it: an fsspec open file, to be opened, entered, or read from at once.

    What it opens can be pickled, open or closed: Beam pickles Datasets that refer to it.
    """

    @property
    def source(self) -> Source:
        """Give the input as the engine reads it."""
        return Source(*(getattr(self, f.name) for f in fields(self)))

    def open(self) -> Any:
        """Open the input for random reading."""
        return OpenedInput(self.source)

    @property
    def fs(self) -> Any:
        """Give the fsspec file system that the input is read from."""
        return fsspec.core.url_to_fs(self.location, **self.options)[0]

    @property
    def full_name(self) -> str:
        """Give the place with its protocol."""
        return f"file://{self.path}" if self.is_local else self.location

    def __enter__(self) -> Any:
        """Open the input."""
        object.__setattr__(self, "_entered", self.open())
        return vars(self)["_entered"]

    def __exit__(self, *said: object) -> None:
        """Close it."""
        vars(self).pop("_entered").close()

    def close(self) -> None:
        """Close what was read from at once."""
        if (file := vars(self).pop("_reading", None)) is not None:
            file.close()

    def __getattr__(self, name: str) -> Any:
        """Read as from an open file."""
        if name not in READING:
            raise AttributeError(f"an input has no '{name}'")
        if name == "size":
            return self.identity.size_bytes
        if "_reading" not in vars(self):
            object.__setattr__(self, "_reading", self.open())
        return getattr(vars(self)["_reading"], name)

    def __reduce__(self) -> Any:
        """Leave open files behind."""
        return OpenSource, tuple(getattr(self, f.name) for f in fields(self))


@dataclass
class OpenURLWithFSSpec(native.OpenURLWithFSSpec):
    """Find out how each input is reached, and pass it on as an open file.

    Parameters are those of `bakehouse.transforms.OpenURLWithFSSpec`. A `cache` of None, which upstream's runner
    replaces, is the run's own cache, if it has one.
    """

    cache: Any = None

    def expand(self, pcoll: Any) -> Any:
        """Identify the inputs."""
        cache = ... if self.cache is None else self.cache
        said = dict(self.open_kwargs or {})
        if said.get("block_size") == 0:
            del said["block_size"]  # fsspec's word for a stream, which has no byte ranges; what lacks them is copied
        reach = native.OpenURLWithFSSpec(cache, self.secrets, said, self.max_concurrency)
        return pcoll | "Reach" >> reach | "Open" >> beam.MapTuple(_as_open)


def _as_open(index: Index, source: Source) -> tuple[Index, OpenSource]:
    return index, OpenSource(*(getattr(source, f.name) for f in fields(source)))


@dataclass
class OpenWithXarray(native.OpenWithXarray):
    """Open inputs as Datasets: URLs, paths, what `OpenURLWithFSSpec` gives, and file objects of a recipe's own.

    Parameters are those of `bakehouse.transforms.OpenWithXarray`. File objects that are not a place that can be read
    again are loaded at once.
    """

    def expand(self, pcoll: Any) -> Any:
        """Open each."""
        context = current()
        mirrors = dict(context.url_map) if context else {}
        load = _Load(getattr(self.file_type, "name", str(self.file_type)), dict(self.xarray_open_kwargs or {}))
        placed = pcoll | "Place" >> beam.Map(_Placed(mirrors, load)).with_outputs(LOADED, main="placed")
        opened = placed["placed"] | "Open" >> native.OpenWithXarray(
            self.file_type, self.load, self.copy_to_local, self.xarray_open_kwargs
        )
        return (opened, placed[LOADED]) | "Both" >> beam.Flatten()


@dataclass
class _Placed:
    """Say where what a step passes on can be read again; what can't be is loaded."""

    mirrors: Mapping[str, str]
    load: _Load

    def __call__(self, element: tuple[Index, Any]) -> Any:
        index, found = element
        if isinstance(found, Source):
            return index, found.source if isinstance(found, OpenSource) else found
        place = _place_of(found)
        if place is None:
            return beam.pvalue.TaggedOutput(LOADED, (index, self.load(found)))
        url, options = place
        return index, make_source(url, options, self.mirrors, show_index(index)).identified()


def _place_of(found: Any) -> tuple[str, Mapping[str, Any]] | None:
    """Give URL and options of what a step passed on; None if it is no place."""
    if isinstance(found, FSStore):
        return str(found.fs.unstrip_protocol(found.path)), dict(found.fs.storage_options)
    if isinstance(found, fsspec.core.OpenFile) and not found.compression:
        return found.full_name, dict(found.fs.storage_options)
    if isinstance(found, fsspec.FSMap):
        return str(found.fs.unstrip_protocol(found.root)), dict(found.fs.storage_options)
    if isinstance(found, fsspec.spec.AbstractBufferedFile):
        return found.full_name, dict(found.fs.storage_options)
    if isinstance(found, fsspec.core.OpenFile) or hasattr(found, "read"):
        return (found.path, {}) if isinstance(found, LocalFileOpener) else None
    return str(found), {}


@dataclass
class _Load:
    """Open a file object and load all of it."""

    file_type: str
    kwargs: Mapping[str, Any]

    def __call__(self, found: Any) -> xr.Dataset:
        file = found.open() if isinstance(found, fsspec.core.OpenFile) else found
        engine = {"engine": ENGINES[self.file_type]} if self.file_type in ENGINES else {}
        return xr.open_dataset(file, **{**engine, **self.kwargs}).load()
