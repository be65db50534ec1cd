"""Store combined references in upstream's spelling: during a bake as a virtual store, verified and catalogued."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam

from bakehouse import transforms as native
from bakehouse.compat.combining import CombineReferences, ReferenceMap
from bakehouse.compat.files import as_text, write_reference_files
from bakehouse.compat.fsstore import Candidate
from bakehouse.compat.targets import RequiredAtRuntimeDefault, ZarrWriterMixin
from bakehouse.context import Context, current
from bakehouse.openers.kerchunk import NAMES
from bakehouse.patterns import Index
from bakehouse.storage import Source
from bakehouse.transforms.index import SourcedIndex

__all__ = ["WriteCombinedReference", "WriteReference"]


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
