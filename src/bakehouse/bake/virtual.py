"""From gathered references to a published, registered virtual store: check, spell, prove, enter, publish."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import xarray as xr

from bakehouse.bake.entry import make_entry
from bakehouse.bake.finish import (
    Run,
    clear_candidate,
    compared,
    enter_catalog,
    outcome_of,
    saved_entry,
    version_document,
)
from bakehouse.bake.outcome import Outcome
from bakehouse.bake.previews import with_preview
from bakehouse.catalog.entry import Entry, Gap
from bakehouse.catalog.lines import opening_line
from bakehouse.catalog.urls import protocol_of
from bakehouse.errors import StorageError
from bakehouse.verify import check_dataset, check_tasks, stop_on
from bakehouse.writers.publish import consolidated, read_candidate
from bakehouse.writers.receipts import Receipt, Taken, Written, read_receipts, write_proof
from bakehouse.writers.references.kerchunk import PARQUET_NAME
from bakehouse.writers.references.table import Table
from bakehouse.writers.references.view import TableView
from bakehouse.writers.references.write import publish_references, read_table, spelt
from bakehouse.writers.store import CandidateStore
from bakehouse.writers.versions import INPUTS, PROOF, VERSION, hexdigest, save


def finish_virtual(run: Run, catalog: Path | None) -> Outcome:
    """Verify the references that were gathered, publish them and register them.

    Raises
    ------
    BakehouseError
        If anything is not as planned. What was published before is untouched.
    """
    plan, table = run.plan, _table(run)
    documents = consolidated(read_candidate(run.candidate), plan["zarr_format"])
    receipts = read_receipts(run.work)
    opened = CandidateStore(TableView(run.folder.url, table), documents, read_only=True)
    dataset = xr.open_zarr(opened, consolidated=True, chunks=None)
    found = check_tasks(receipts, plan["task_ids"])
    stop_on(found + check_dataset(dataset, plan["concat"], run.note["ordered"], plan["arrays"]), run.label)
    run.note["marks"]["verify"] = time.time()
    objects, rows = spelt(plan["format"], table, documents)
    proof = write_proof([_proven(receipts[task], rows) for task in plan["task_ids"]])
    save(run.job.target, plan["version"], PROOF, proof)
    save(run.job.target, plan["version"], INPUTS, run.work.get(INPUTS) or b"")
    root = {**documents, **objects}[PARQUET_NAME]
    size_bytes = sum(len(data) for data in objects.values())
    entry = _entry(run, opened, table, hexdigest(root), hexdigest(proof), size_bytes)
    enter = catalog if catalog and run.job.enters else None
    if enter:
        saved = saved_entry(run, entry)
        entry = with_preview(run.job, entry, opened, saved)
        run.note["marks"]["preview"] = time.time()
        if saved is None:
            save(run.job.target, plan["version"], VERSION, version_document(entry, root))
    fresh = publish_references(run.folder, plan["format"], objects)
    registered = enter_catalog(enter, entry) if enter else None
    clear_candidate(run)
    outcome = outcome_of(run, "published" if fresh else "unchanged", entry)
    return replace(outcome, entry=str(registered) if registered else None, line=opening_line(entry))


def _table(run: Run) -> Table:
    table = read_table(run.work)
    if table is None:
        raise StorageError("the references that were gathered are gone", run.work.url, None, "run the bake again")
    return table


def _proven(receipt: Receipt, rows: list[dict[str, object]]) -> Receipt:
    """Say of which inputs each object is; one document has references to all."""
    written = tuple(Written(str(row["key"]), int(str(row["size_bytes"])), str(row["sha256"])) for row in rows)
    everything = tuple(Taken(url, "", ()) for url in sorted({taken.input for taken in receipt.sources}))
    return Receipt(receipt.task, written, (*receipt.sources, *everything))


def _entry(run: Run, opened: CandidateStore, table: Table, root: str, proof: str, size_bytes: int) -> Entry:
    plan, values = run.plan, compared(run.work.child("checks"))
    made = (run.job, plan, run.folder, None, opened, root, proof, size_bytes, values, run.started, run.cost_usd)
    entry = make_entry(*made)
    protocols = sorted({protocol_of(url) for url in table.urls})
    store = entry.store.model_copy(update={"references": protocols[0] if len(protocols) == 1 else None})
    gaps = tuple(Gap(inputs=(g["input"],), ranges=g["ranges"], reason="not there") for g in run.note["gaps"])
    return entry.model_copy(update={"gaps": gaps, "store": store})
