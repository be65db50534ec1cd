"""Combine the references of all inputs with kerchunk, in upstream's spelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import apache_beam as beam
import fsspec

from bakehouse.compat.alike import insist_alike
from bakehouse.compat.files import as_text
from bakehouse.errors import SourceError
from bakehouse.openers.kerchunk import file_at
from bakehouse.patterns import Index, key_of
from bakehouse.storage import read_ranges
from bakehouse.transforms.index import show_index

__all__ = ["CombineReferences", "ReferenceMap"]
INLINED_BYTES = 500
"""What `MultiZarrToZarr` puts into the references unless it is told otherwise."""


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
    source = file_at(place, options)
    return bytes(read_ranges(source, [(span[0], span[0] + span[1])])[0]) if span else source.read()


def _listed(found: Any) -> list[dict[str, Any]]:
    return list(found) if isinstance(found, list | tuple) else [found]


def _first(refs: Mapping[str, Any]) -> str:
    """Give the place of the first chunk that a document refers to."""
    found = (value for value in refs.get("refs", refs).values() if isinstance(value, list | tuple))
    return str(next(found, [""])[0])


def _local(place: str) -> str:
    return place if "://" in place else f"file://{place}"
