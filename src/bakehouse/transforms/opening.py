"""From a pattern's URLs to Datasets of references."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import apache_beam as beam
import xarray as xr

from bakehouse.context import Context, current
from bakehouse.errors import SourceError
from bakehouse.openers.formats import group_in, is_hdf5
from bakehouse.openers.hdf5 import known_header, read_headers
from bakehouse.openers.survey import Survey, survey_at
from bakehouse.openers.xarray import open_dataset
from bakehouse.patterns import CombineOp, FilePattern, FileType, Index, key_of
from bakehouse.storage import Reach, Source, Target, as_target, make_source
from bakehouse.storage.together import AT_ONCE, together
from bakehouse.transforms.absent import may_be_absent, note_absent
from bakehouse.transforms.fresh import is_changed, is_wanted, is_witness, may_pass_over
from bakehouse.transforms.index import SourcedIndex, show_index

BATCH = 64
"""Inputs that one worker thread looks at together."""
HEADED = ("unknown", "netcdf4", "netcdf3", "grib")
"""File types whose files are known by their first bytes."""


@dataclass
class OpenURLWithFSSpec(beam.PTransform):
    """Find out how each input is reached and what identifies it.

    Only what has to be copied is read here: every input if there is a cache that lacks it; else those of servers
    without byte ranges, and those of which a server tells neither etag nor modification time.

    Parameters
    ----------
    cache
        Where copies of inputs are kept: a URL, a path, a `Target`, or an object with a `root_path` as Pangeo Forge's;
        None keeps none. Left out, the run's own cache is used, if it has one.
    secrets
        Query parameters that are appended to each URL where it is read.
    open_kwargs
        Options for `fsspec.open`; a source that needs any goes through fsspec.
    max_concurrency
        How many inputs are asked for at the same time by one worker thread.
    fsspec_sync_patch
        Accepted for Pangeo Forge's sake; reading needs no event loop here.

    Raises
    ------
    SourceError
        If an input can't be reached; it names the URL and the index.
    """

    cache: Any = ...
    secrets: dict[str, str] | None = None
    open_kwargs: dict[str, Any] | None = None
    max_concurrency: int | None = None
    fsspec_sync_patch: bool = False

    def expand(self, pcoll: Any) -> Any:
        """Spread the inputs over the workers, then identify each."""
        context = current()
        url_map = dict(context.url_map) if context else {}
        reach = _reach(context, as_target(self.cache))
        identify = _Identify(self.open_kwargs or {}, self.secrets, url_map, reach, context)
        several = _Several(identify, self.max_concurrency or AT_ONCE, _Changed(context))
        spread = _is_spread(pcoll)
        if context and may_pass_over(context):
            pcoll = pcoll | "Wanted" >> beam.Filter(_Wanted(context))
        if not spread:
            pcoll = pcoll | "Spread" >> beam.Reshuffle()
        batches = pcoll | "Batch" >> beam.BatchElements(min_batch_size=BATCH, max_batch_size=BATCH)
        return batches | "Identify" >> beam.FlatMap(several)


def _is_spread(pcoll: Any) -> bool:
    """Say whether the inputs come from Beam's `Create`, which spreads them over the workers itself."""
    made_by = getattr(getattr(pcoll.producer, "parent", None), "transform", None)
    return isinstance(made_by, beam.Create) and made_by.reshuffle


def _reach(context: Context | None, cache: Any) -> Reach:
    """Say how inputs are read: with the run's cache if the recipe names none, and spare copies in the run's staging."""
    if context is None:
        folder = Path(tempfile.gettempdir(), f"bakehouse-inputs-{uuid.uuid4().hex[:12]}")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return Reach(None if cache is ... else cache, Target(str(folder)))
    return Reach(
        context.cache if cache is ... else cache,
        context.staging.child("inputs"),
        context.staging.child("notes"),
        fill=context.mode != "plan" and context.grow != "changed",
    )


@dataclass
class _Wanted:
    """Pass over the inputs that a run that builds on a published version does not look at."""

    context: Context

    def __call__(self, element: tuple[Index, str]) -> bool:
        return is_wanted(self.context, key_of(element[0]), str(element[1]))


@dataclass
class _Changed:
    """Pass over the inputs that are still what the published version was made from."""

    context: Context | None

    def __call__(self, element: tuple[Index, Source]) -> bool:
        index, source = element
        if self.context is None or is_witness(self.context, key_of(index)):
            return True
        return is_changed(self.context, key_of(index), source.url, source.identity)


@dataclass
class _Several:
    """Look at a batch of inputs at the same time: each answer may take a while. Those that have changed go on."""

    each: _Identify
    at_once: int
    changed: _Changed

    def __call__(self, batch: list[tuple[Index, str]]) -> Iterator[tuple[Index, Source]]:
        found = together(lambda element: list(self.each(element)), batch, self.at_once)
        return (element for several in found for element in several if self.changed(element))


@dataclass
class _Identify:
    open_kwargs: Mapping[str, Any]
    secrets: Mapping[str, str] | None
    url_map: Mapping[str, str]
    reach: Reach
    context: Context | None = None

    def __call__(self, element: tuple[Index, str]) -> Iterator[tuple[Index, Source]]:
        index, url = element
        source = make_source(url, self.open_kwargs, self.url_map, show_index(index))
        if self.secrets:
            joint = "&" if "?" in source.location else "?"
            source = replace(source, location=f"{source.location}{joint}{urlencode(self.secrets)}")
        try:
            source = self.reach(source.identified())
        except SourceError as error:
            if not isinstance(error.__cause__, FileNotFoundError) or not may_be_absent(self.context, key_of(index)):
                raise
            note_absent(self.context, index, url)
            return
        yield SourcedIndex.of(index, source), source


@dataclass
class OpenWithXarray(beam.PTransform):
    """Open each input as a Dataset whose arrays are references: coordinates of dimensions are loaded, nothing else.

    Parameters
    ----------
    file_type
        The pattern's file type; the file's own signature decides where they disagree.
    load
        Load all values at once.
    copy_to_local
        Accepted for Pangeo Forge's sake; formats that need a local file get one.
    xarray_open_kwargs
        Keyword arguments for `xarray.open_dataset`.
    """

    file_type: Any = FileType.unknown
    load: bool = False
    copy_to_local: bool = False
    xarray_open_kwargs: dict[str, Any] | None = field(default_factory=dict)

    def expand(self, pcoll: Any) -> Any:
        """Open each input where it lands; the first bytes of remote ones are fetched together."""
        context = current()
        dry = context is not None and context.mode == "plan"
        name = getattr(self.file_type, "name", str(self.file_type))
        openers = beam.ParDo(_Open(name, dict(self.xarray_open_kwargs or {}), self.load, dry, context))
        return pcoll | "Heads" >> beam.BatchElements(min_batch_size=BATCH, max_batch_size=BATCH) | "Open" >> openers


class _Open(beam.DoFn):
    """Open a batch of sources one after the other; without reading data when only planning.

    Headers that an earlier run read from the same states of the files are not read again. What is verified, or made
    anew, is read from the files themselves.
    """

    def __init__(
        self, file_type: str, kwargs: Mapping[str, Any], load: bool, dry: bool, context: Context | None = None
    ) -> None:
        self.file_type, self.kwargs, self.load, self.dry, self.context = file_type, kwargs, load, dry, context
        self.group = group_in(kwargs)

    def process(self, batch: list[tuple[Index, Any]]) -> Iterator[tuple[Index, xr.Dataset]]:
        """Open several inputs."""
        found = [(index, _as_source(index, each)) for index, each in batch]
        sources, survey = [source for _, source in found], self._survey()
        if survey:
            survey.recall(sources, self.group)
        ranged = [source for _, source in found if source.is_ranged and self.file_type in HEADED]
        fresh = [source for source in ranged if known_header(source, self.group) is None]
        begun = [*zip(fresh, together(_begin, fresh), strict=True)]
        if self.kwargs.get("engine") in (None, "h5netcdf"):
            read_headers((source for source, head in begun if is_hdf5(head)), self.group)
        for index, source in found:
            yield SourcedIndex.of(index, source), open_dataset(source, self.file_type, self.kwargs, self.load, self.dry)
        if survey and not self.dry:
            survey.keep(sources, self.group)

    def _survey(self) -> Survey | None:
        context = self.context
        if context is None or context.mode == "verify" or context.refresh:
            return None
        return survey_at(context.surveys, context.run_id)


def _as_source(index: Index, found: Any) -> Source:
    return found if isinstance(found, Source) else make_source(str(found), {}, {}, show_index(index)).identified()


def _begin(source: Source) -> bytes:
    """Read what a file begins with, which stays in memory for whoever opens it; errors are for the opener to tell."""
    with suppress(SourceError), source.open() as file:
        return bytes(file.read(8))
    return b""


@dataclass
class LabelNewDims(beam.PTransform):
    """Give each Dataset its pattern key as the coordinate of a concat dimension that its file does not have.

    Parameters
    ----------
    pattern
        The pattern whose keys name the positions: dates, scenarios, stations.
    """

    pattern: FilePattern

    def expand(self, pcoll: Any) -> Any:
        """Label each element."""
        keys = {dim.name: list(dim.keys) for dim in self.pattern.combine_dims if dim.operation is CombineOp.CONCAT}
        return pcoll | "Label" >> beam.MapTuple(_Label(keys))


@dataclass
class _Label:
    keys: Mapping[str, list[Any]]

    def __call__(self, index: Index, dataset: xr.Dataset) -> tuple[Index, xr.Dataset]:
        new = {
            d: self.keys[d][p] for d, p in key_of(index) if d in self.keys and d not in {*dataset.dims, *dataset.coords}
        }
        return index, dataset.assign_coords(new)
