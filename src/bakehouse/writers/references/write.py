"""Write a virtual store: gather what inputs refer to, keep it beside the store, spell it, make it visible."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import zarr

from bakehouse.errors import BakehouseError, PublishError
from bakehouse.manifests import Manifest
from bakehouse.openers.plain import variable_of
from bakehouse.openers.reference import ReferenceArray
from bakehouse.plan.types import ArrayPlan, Axis, Part
from bakehouse.plan.virtual import is_held
from bakehouse.schema import thaw
from bakehouse.storage import Source, Target
from bakehouse.writers.assemble import Fragment, assemble, decoded_values, overlaps
from bakehouse.writers.encode import cf_encoding, encode
from bakehouse.writers.receipts import Receipt, Row, Taken, receipt_key
from bakehouse.writers.references.kerchunk import root_name, spell
from bakehouse.writers.references.refer import address
from bakehouse.writers.references.table import Index, Piece, Table, tabulate
from bakehouse.writers.store import memory_store, open_planned_array
from bakehouse.writers.tasks import Prepared
from bakehouse.writers.template import Documents

TABLE = "references.npz"


def write_references(prepared: Prepared, pieces: list[Piece], held: Iterable[Fragment]) -> Receipt:
    """Gather the references of all inputs, and the values that the store holds; leave a receipt.

    Raises
    ------
    SchemaError
        If inputs do not fill arrays exactly once.
    """
    template, fragments = prepared.plan.template, sorted(held, key=lambda fragment: fragment.key)
    values = {n: _held_chunks(prepared, n, fragments) for n, a in template.arrays.items() if is_held(a)}
    table = tabulate(template.arrays.values(), sorted(pieces, key=lambda p: (p.array, p.origin)), values)
    prepared.work.put(TABLE, table.to_bytes())
    task = prepared.plan.tasks[0]
    taken = {(p.array, p.input) for p in pieces} | {(n, f.url) for f in fragments for n in f.variables}
    receipt = Receipt(task.id, (), tuple(Taken(url, name, ()) for name, url in sorted(taken)))
    prepared.work.put(receipt_key(task.id), receipt.to_json())
    return receipt


def read_table(work: Target) -> Table | None:
    """Read what was gathered; None if it was not, or not wholly."""
    data = work.get(TABLE)
    return Table.from_bytes(data) if data else None


def sources_of(fragments: Iterable[Fragment]) -> dict[str, Source]:
    """Give the inputs of fragments by the address that references have; a zarr store is reached by its objects' own."""
    sources: dict[str, Source] = {}
    for data in (data for fragment in fragments for data in _references(fragment)):
        manifest = data.manifest() if data.opened.engine == "kerchunk" else None
        files = manifest.files if isinstance(manifest, Manifest) else (data.opened.source,)
        if data.opened.engine != "zarr":
            sources |= {address(file): file for file in files}
    return sources


def options_of(fragment: Fragment) -> Mapping[str, Any]:
    """Give the access that an input is read with."""
    return next((data.opened.source.options for data in _references(fragment)), {})


def _references(fragment: Fragment) -> Iterator[ReferenceArray]:
    """Find the references to the input below a fragment's variables."""
    for variable in fragment.variables.values():
        data: Any = variable._data
        while data is not None and not isinstance(data, ReferenceArray):
            data = getattr(data, "array", None)
        if data is not None:
            yield data


def spelt(format: str, table: Table, documents: Documents) -> tuple[Documents, list[Row]]:
    """Give a virtual store's objects, and what its proof says of them."""
    objects = spell(format, table, documents)
    rows: list[Row] = [
        {"key": key, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for key, data in objects.items()
        if key != root_name("kerchunk-parquet")
    ]
    return objects, rows


def publish_references(folder: Target, format: str, objects: Mapping[str, bytes]) -> bool:
    """Put a virtual store's objects, the one that makes it visible last; say whether this call published it.

    Raises
    ------
    PublishError
        If other references are there.
    """
    last = root_name(format)
    if folder.get(last) is None:
        for key, data in objects.items():
            if key != last:
                folder.put(key, data)
        if folder.create(last, objects[last]):
            return True
    if folder.get(last) != objects[last]:
        raise PublishError(
            "other references are there already",
            f"{folder.url}/{last}",
            "another release of the engine made this version, or it was changed",
            "bake to another target, or remove the version",
        )
    return False


def _held_chunks(prepared: Prepared, name: str, fragments: list[Fragment]) -> dict[Index, bytes]:
    """Encode the values of an array that the store holds: one chunk, as zarr writes it."""
    template, documents = prepared.plan.template, prepared.documents
    array, store = template.arrays[name], memory_store({})
    opened: zarr.Array = open_planned_array(store, documents, name)
    part = Part(name, tuple((0, n) for n in array.shape), 1, 0)
    mine = [f for f in fragments if name in f.variables or array.fills]
    values = _encoded_at_once(array, template.axes, part, mine, prepared.asked.get(name, {}))
    if values is None or values.dtype != opened.dtype:
        values, _ = assemble(array, template.axes, part, mine, opened.dtype, prepared.asked.get(name, {}))
    opened[...] = values
    index = (0,) * len(array.shape)
    return {index: store._store_dict[f"{name}/{opened.metadata.encode_chunk_key(index)}"].to_bytes()}


def _encoded_at_once(
    array: ArrayPlan, axes: Mapping[str, Axis], part: Part, fragments: list[Fragment], asked: Mapping[str, Any]
) -> Any:
    """Encode what inputs hold in memory of numbers and times in one go; None where it has to go input by input."""
    if array.raw is not None or not array.dims or array.dtype == "string" or array.dtype.startswith("cftime"):
        return None
    out, filled = np.empty(array.shape, array.dtype), np.zeros(array.shape, bool)
    for found in overlaps(array, axes, part, fragments):
        if array.name not in found.fragment.variables or filled[found.box].any():
            return None
        out[found.box], filled[found.box] = decoded_values(array, found), True
    if not filled.all():
        return None
    try:
        return encode(
            array.name, variable_of(array.dims, out, thaw(array.attrs)), cf_encoding(array, dict(asked))
        ).values
    except BakehouseError:
        return None  # one by one, the input that is to blame is named
