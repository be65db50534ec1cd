"""Kerchunk references in upstream's spelling: scanned and combined by kerchunk, published as a virtual store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import apache_beam as beam
import fsspec
from pangeo_forge_recipes.openers import open_with_kerchunk

from bakehouse import transforms as native
from bakehouse.compat.alike import insist_alike
from bakehouse.compat.files import as_text, write_reference_files
from bakehouse.compat.fsstore import Candidate
from bakehouse.compat.targets import RequiredAtRuntimeDefault, ZarrWriterMixin
from bakehouse.context import Context, current
from bakehouse.errors import SourceError
from bakehouse.openers.formats import choose_engine
from bakehouse.openers.kerchunk import NAMES
from bakehouse.patterns import FileType, Index, key_of
from bakehouse.storage import Source, make_source, read_ranges
from bakehouse.transforms.index import SourcedIndex, show_index

__all__ = ["CombineReferences", "OpenWithKerchunk", "WriteCombinedReference", "WriteReference"]
INLINED_BYTES = 500
"""What `MultiZarrToZarr` puts into the references unless it is told otherwise."""
SCANNED = {"h5netcdf": "netcdf4", "scipy": "netcdf3", "cfgrib": "grib"}


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


class ReferenceMap(fsspec.FSMap):
    """A mapping of a virtual dataset's keys to bytes, as upstream passes it on, with the references themselves."""

    def __init__(self, refs: Mapping[str, Any], names: Mapping[str, str], access: Mapping[str, Any]) -> None:
        self.refs, self.names, self.access = dict(refs), dict(names), dict(access)
        super().__init__(
            "", fsspec.filesystem("reference", fo=dict(self.refs), skip_instance_cache=True, **self.access)
        )

    def __reduce__(self) -> Any:
        """Travel as the references."""
        return ReferenceMap, (self.refs, self.names, self.access)


@dataclass
class CombineReferences(beam.PTransform):
    """Combine the references of all inputs, in the order of the pattern, with kerchunk's `MultiZarrToZarr`.

    Parameters
    ----------
    concat_dims, identical_dims, target_options, remote_options, remote_protocol, mzz_kwargs
        As `kerchunk.combine.MultiZarrToZarr` takes them.
    max_refs_per_merge
        Accepted for upstream's sake: all are combined at once.

    Raises
    ------
    SchemaError
        If inputs differ in what their values mean, which kerchunk would not notice.
    """

    concat_dims: list[str]
    identical_dims: list[str]
    target_options: dict[str, Any] | None = field(default_factory=lambda: {"anon": True})
    remote_options: dict[str, Any] | None = field(default_factory=lambda: {"anon": True})
    remote_protocol: str | None = None
    max_refs_per_merge: int = 5
    mzz_kwargs: dict[str, Any] = field(default_factory=dict)

    def expand(self, pcoll: Any) -> Any:
        """Gather the references of all inputs, and combine them."""
        return pcoll | "Gather" >> beam.combiners.ToList() | "Combine" >> beam.FlatMap(self._combine)

    def _combine(self, elements: Iterable[tuple[Index, Any]]) -> Iterable[ReferenceMap]:
        ordered = sorted(elements, key=lambda element: key_of(element[0]))
        if not ordered:
            return
        sources = [getattr(index, "source", None) for index, _ in ordered]
        names = {source.location: source.url for source in sources if source is not None}
        scanned = next((dict(source.options) for source in sources if source is not None), {})
        access = self._access([each for _, found in ordered for each in _listed(found)], scanned)
        options = dict(access.get("remote_options") or {})
        asked = [[self._held(each, options) for each in _listed(found)] for _, found in ordered]
        inputs = [self._of_one(found, access) for found in asked]
        called = [names.get(_first(refs), show_index(i)) for (i, _), refs in zip(ordered, inputs, strict=True)]
        called = [source.where if source else show_index(i) for source, (i, _) in zip(sources, ordered, strict=True)]
        insist_alike(list(zip(called, inputs, strict=True)), self)
        combined = inputs[0] if len(inputs) == 1 else self._merged(inputs, access)
        yield ReferenceMap(combined.get("refs", combined), {_local(k): v for k, v in names.items()} | names, access)

    def _held(self, document: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
        """Hold what kerchunk reads while it combines: coordinates of concat dims, and small chunks.

        Its own reading of remote ones runs two event loops into each other.
        """
        limit = self.mzz_kwargs.get("inline_threshold", INLINED_BYTES)
        how = {**{name: f"data:{name}" for name in self.concat_dims}, **(self.mzz_kwargs.get("coo_map") or {})}
        wanted = {*how, *(str(said).partition(":")[2].partition(":")[0] for said in how.values())}
        refs = dict(document["refs"])
        for key, ref in refs.items():
            small = isinstance(ref, list | tuple) and len(ref) == 3 and ref[2] <= limit
            if isinstance(ref, list | tuple) and (small or key.rpartition("/")[0] in wanted):
                refs[key] = as_text(_read(ref, options))
        return {"version": 1, "refs": refs}

    def _of_one(self, found: list[dict[str, Any]], access: Mapping[str, Any]) -> dict[str, Any]:
        """Give one document for an input: the messages of a GRIB file are combined."""
        if not found:
            raise SourceError("kerchunk found nothing in the file", None, None, "check the filter of OpenWithKerchunk")
        return found[0] if len(found) == 1 else self._merged(found, access)

    def _merged(self, found: list[dict[str, Any]], access: Mapping[str, Any]) -> dict[str, Any]:
        from kerchunk.combine import MultiZarrToZarr

        kwargs = {**self.mzz_kwargs, "coo_map": dict(self.mzz_kwargs.get("coo_map") or {})}
        return dict(
            MultiZarrToZarr(
                found,
                concat_dims=list(self.concat_dims),
                identical_dims=list(self.identical_dims),
                target_options=self.target_options,
                remote_protocol=access.get("remote_protocol"),
                remote_options=dict(access.get("remote_options") or {}),
                **kwargs,
            ).translate()
        )

    def _access(self, found: list[dict[str, Any]], scanned: Mapping[str, Any]) -> dict[str, Any]:
        """Say how what is referred to is read: as it was scanned, if the recipe does not say it."""
        protocol = next((urlsplit(place).scheme for each in found if "://" in (place := _first(each))), "file")
        mine = self.remote_protocol in (protocol, None) and protocol not in ("file", "http", "https")
        options = {**scanned, **(dict(self.remote_options or {}) if mine else {})}
        return {"remote_protocol": protocol, "remote_options": options}


def _read(ref: Any, options: Mapping[str, Any]) -> bytes:
    """Read what a reference points to."""
    place, *span = ref
    remote = "://" in place and not place.startswith("file://")
    source = Source(place, place.removeprefix("file://"), dict(options) if remote else {})
    return bytes(read_ranges(source, [(span[0], span[0] + span[1])])[0]) if span else source.read()


def _listed(found: Any) -> list[dict[str, Any]]:
    return list(found) if isinstance(found, list | tuple) else [found]


def _first(refs: Mapping[str, Any]) -> str:
    """Give the place of the first chunk that a document refers to."""
    found = (value for value in refs.get("refs", refs).values() if isinstance(value, list | tuple))
    return str(next(found, [""])[0])


def _local(place: str) -> str:
    return place if "://" in place else f"file://{place}"


@dataclass
class WriteReference(beam.PTransform, ZarrWriterMixin):
    """Store combined references: during a bake as a virtual store that is verified, published and catalogued.

    Parameters
    ----------
    store_name
        The store's name.
    concat_dims, mzz_kwargs
        Accepted for upstream's sake: the references are combined already.
    target_root
        Where to write when the pipeline runs outside of ``bakehouse bake``.
    output_file_name
        Ends with ``.json`` or ``.parquet``; outside of a bake it is the file's name below the store's.

    Raises
    ------
    RecipeError
        If the name has another ending, or there is no target.
    """

    store_name: str
    concat_dims: list[str] = field(default_factory=list)
    target_root: Any = field(default_factory=RequiredAtRuntimeDefault)
    output_file_name: str = "reference.json"
    mzz_kwargs: dict[str, Any] = field(default_factory=dict)

    def expand(self, pcoll: Any) -> Any:
        """Write them."""
        context = current()
        if context is None:
            return pcoll | "Write" >> beam.Map(write_reference_files, self.get_full_target(), self.output_file_name)
        kind = "kerchunk-parquet" if self.output_file_name.endswith(".parquet") else "kerchunk-json"
        return (
            pcoll
            | "Keep" >> beam.Map(_Keep(context, self.store_name))
            | "Open" >> beam.ParDo(_Open(context.mode == "plan"))
            | "Store" >> native.StoreToZarr([], self.store_name, format=kind, order="any")
            | "Stored" >> beam.Map(Candidate)
        )


@dataclass
class _Keep:
    """Keep combined references where workers find them, as the run's one input."""

    context: Context
    store_name: str

    def __call__(self, found: ReferenceMap) -> tuple[Source, Mapping[str, Any]]:
        key = f"references/{self.store_name}.json"
        used = sorted({str(v[0]) for v in found.refs.values() if isinstance(v, list | tuple)})
        names = {place: found.names[place] for place in used if place in found.names}
        data = json.dumps({"version": 1, "refs": found.refs, NAMES: names}, sort_keys=True, default=as_text).encode()
        self.context.staging.put(key, data)
        place = self.context.staging.child(key)
        return Source(key, place.url, dict(place.options)), found.access


class _Open(beam.DoFn):
    """Open kept references as a Dataset."""

    def __init__(self, dry: bool) -> None:
        self.dry = dry

    def process(self, element: tuple[Source, Mapping[str, Any]]) -> Iterable[tuple[Index, Any]]:
        """Open one."""
        from bakehouse.openers.xarray import open_dataset
        from bakehouse.storage.whole import read_whole

        source, access = element
        source = read_whole(source).identified
        index = SourcedIndex.of(Index(), source)
        yield index, open_dataset(source, "kerchunk", {"storage_options": dict(access)}, dry=self.dry)


@dataclass
class WriteCombinedReference(beam.PTransform, ZarrWriterMixin):
    """Combine the references of all inputs and store them: `CombineReferences`, then `WriteReference`.

    Parameters
    ----------
    store_name, target_root, output_file_name
        As in `WriteReference`.
    concat_dims, identical_dims, mzz_kwargs, remote_options, remote_protocol
        As in `CombineReferences`.
    """

    store_name: str
    concat_dims: list[str]
    identical_dims: list[str]
    mzz_kwargs: dict[str, Any] = field(default_factory=dict)
    remote_options: dict[str, Any] | None = field(default_factory=dict)
    remote_protocol: str | None = None
    target_root: Any = field(default_factory=RequiredAtRuntimeDefault)
    output_file_name: str = "reference.json"

    def expand(self, pcoll: Any) -> Any:
        """Combine and write."""
        options = self.remote_options
        combine = CombineReferences(
            self.concat_dims, self.identical_dims, options, options, self.remote_protocol, mzz_kwargs=self.mzz_kwargs
        )
        write = WriteReference(self.store_name, self.concat_dims, self.target_root, self.output_file_name)
        return pcoll | "Combine" >> combine | "Write" >> write
