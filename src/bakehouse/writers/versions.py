"""What lies beside a store's prefix: its proof, the inputs that it was made from, and the entry that published it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from bakehouse.errors import StorageError, VerifyError
from bakehouse.plan.base import ANEW, Base, Kind, Known
from bakehouse.plan.types import ArrayPlan
from bakehouse.plan.version import digest_inputs
from bakehouse.storage import Target
from bakehouse.storage.tables import read_table
from bakehouse.writers.receipts import Row, read_proof

PROOF, INPUTS, VERSION = "proof.parquet", "inputs.parquet", "version.json"
PREVIEW = ".preview"
COLUMNS = ("url", "kind", "gap")


def beside(version: str, what: str) -> str:
    """Name a file that belongs to a version.

    Examples
    --------
    >>> beside("1a2b", PROOF)
    '1a2b.zarr.proof.parquet'
    """
    return f"{version}.zarr.{what}"


def preview_folder(version: str) -> str:
    """Name the folder of a version's preview, which is no part of it.

    Examples
    --------
    >>> preview_folder("1a2b")
    '1a2b.preview'
    """
    return f"{version}{PREVIEW}"


def inputs_table(base: Base) -> bytes:
    """Write what a version was made from as a Parquet table of one row per input.

    Columns: ``url``, ``gap``, ``kind``, and as JSON ``key``, ``identity``, ``spans``, ``extents``, ``digests``. What
    many inputs have in common is in the metadata of the table's schema, under ``bakehouse``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_row(known) for known in base.inputs]
    text = pa.string()
    fields = [("key", text), ("url", text), ("identity", text), ("spans", text), ("extents", text), ("digests", text)]
    shared = json.dumps(_shared(base), sort_keys=True).encode()
    schema = pa.schema([*fields, ("kind", pa.int32()), ("gap", pa.bool_())], metadata={"bakehouse": shared})
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def read_base(data: bytes) -> Base:
    """Read what `inputs_table` wrote."""
    table = read_table(data)
    shared = json.loads(table.schema.metadata[b"bakehouse"])
    arrays = TypeAdapter(dict[str, ArrayPlan]).validate_python(shared.pop("arrays"))
    kinds = TypeAdapter(tuple[Kind, ...]).validate_python(shared.pop("kinds"))
    values = {name: base64.b64decode(text) for name, text in shared.pop("values").items()}
    inputs = tuple(_known(row) for row in table.to_pylist())
    return Base(**shared, arrays=arrays, inputs=inputs, kinds=kinds, values=values)


_loaded: dict[tuple[str, str], Base] = {}


def load_base(target: Target, version: str, digest: str | None = None) -> Base:
    """Read what a published version was made from, once per process; `digest` is that of its inputs, as registered.

    Raises
    ------
    StorageError
        If it is missing or is not what was registered.
    """
    if found := _loaded.get((target.url, version)):
        return found
    name = beside(version, INPUTS)
    if (data := target.get(name)) is None:
        raise StorageError("the list of inputs of the published version is missing", f"{target.url}/{name}", None, ANEW)
    try:
        base = read_base(data)
    except Exception as error:  # Parquet, JSON and pydantic each have their own word for a file that is cut or garbled
        cause = f"{type(error).__name__}: {error}"
        raise StorageError("the list of inputs can't be read", f"{target.url}/{name}", cause, ANEW) from error
    if digest and digest_inputs(base.inputs) != digest.removeprefix("sha256:"):
        raise StorageError("the list of inputs is not the one that was registered", f"{target.url}/{name}", None, ANEW)
    _loaded[target.url, version] = base
    return base


_proofs: dict[tuple[str, str], list[Row]] = {}


def load_proof(target: Target, version: str, digest: str | None = None) -> list[Row]:
    """Read the proof of a published version, once per process; `digest` is the one that the entry states.

    Raises
    ------
    VerifyError
        If it is missing or is not what was registered.
    """
    name = beside(version, PROOF)
    known = _proofs.get((target.url, version))
    if known is not None and digest is None:
        return known
    data = target.get(name)
    if data is None or (digest and hexdigest(data) != digest):
        raise VerifyError(
            "the proof is missing or is not the one that was registered", f"{target.url}/{name}", None, ANEW
        )
    return _proofs.setdefault((target.url, version), read_proof(data))


def save(target: Target, version: str, what: str, data: bytes) -> None:
    """Write a file that belongs to a version, unless it is there just so."""
    name = beside(version, what)
    if target.get(name) != data:
        target.put(name, data)
    _proofs.pop((target.url, version), None)


def hexdigest(data: bytes) -> str:
    """Give the digest of bytes as entries state it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _shared(base: Base) -> dict[str, Any]:
    return {
        "version": base.version,
        "built_on": base.built_on,
        "prefix": base.prefix,
        "digests": dict(base.digests),
        "options": dict(base.options),
        "arrays": {name: asdict(array) for name, array in base.arrays.items()},
        "kinds": [asdict(kind) for kind in base.kinds],
        "values": {name: base64.b64encode(data).decode() for name, data in base.values.items()},
    }


def _row(known: Known) -> dict[str, Any]:
    said = vars(known).items()
    return {name: v if name in COLUMNS else json.dumps(v, sort_keys=True, default=vars) for name, v in said}


def _known(row: dict[str, Any]) -> Known:
    plain = {name: value if name in COLUMNS else json.loads(value) for name, value in row.items()}
    return _ADAPTER.validate_python(plain)


_ADAPTER = TypeAdapter(Known)
