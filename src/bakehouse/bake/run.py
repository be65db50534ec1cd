"""Bake, plan, test and verify: what the commands do."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr

from bakehouse.bake.entry import make_entry
from bakehouse.bake.job import Job, run_job
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.lines import opening_line
from bakehouse.catalog.register import register
from bakehouse.context import Context, work_folder
from bakehouse.errors import CatalogError, VerifyError
from bakehouse.storage import Target
from bakehouse.verify import check_dataset, check_documents, check_objects, check_tasks, stop_on
from bakehouse.writers.publish import consolidated, publish_documents, read_candidate
from bakehouse.writers.receipts import Receipt, Written, read_receipts, write_proof
from bakehouse.writers.resume import forget_damaged
from bakehouse.writers.store import CandidateStore
from bakehouse.writers.template import Documents, root_names


@dataclass(frozen=True)
class Outcome:
    """What a run of one recipe came to; sizes in bytes, duration in seconds."""

    feedstock: str
    recipe: str
    status: str
    version: str
    url: str
    objects: int
    bytes_stored: int
    tasks_done_before: int
    tasks: int
    level: str
    values_compared: int
    duration_s: float
    notes: tuple[str, ...] = ()
    entry: str | None = None
    line: str | None = None


def bake(job: Job, catalog: Path | None) -> Outcome:
    """Bake one recipe: write, verify, publish, register.

    A run that was cut at any point is completed by calling this again; finished objects are not written again.

    Parameters
    ----------
    catalog
        The catalog folder to register in; None registers nothing.

    Raises
    ------
    BakehouseError
        Whatever stopped it. The version that was published before is untouched.
    """
    started = datetime.now(UTC)
    context = job.context("bake")
    note = run_job(job, context)
    plan, store, work = note["plan"], *_places(job.target, note["plan"])
    planned, candidate = set(plan["task_ids"]), work.child("candidate", context.run_id)
    receipts = {task: receipt for task, receipt in read_receipts(work).items() if task in planned}
    documents = consolidated(read_candidate(candidate), plan["zarr_format"])
    _verify_candidate(job, note, store, documents, receipts)
    proof = _keep_proof(job.target, plan["prefix"], receipts)
    fresh = publish_documents(store, documents, plan["zarr_format"])
    values, stored = _compared(work.child("checks")), sum(o.size_bytes for r in receipts.values() for o in r.objects)
    root = store.get(root_names(plan["zarr_format"])[-1]) or b""
    entry = make_entry(job, plan, store, root, hashlib.sha256(proof).hexdigest(), stored, values, started)
    registered = _register(catalog, entry) if catalog and not job.prune else None
    candidate.delete([key for key, _ in candidate.list()])
    status = "published" if fresh else "unchanged"
    outcome = _outcome(job, note, status, store, stored, values, started)
    return replace(outcome, entry=str(registered) if registered else None, line=opening_line(entry))


def plan_recipe(job: Job) -> dict[str, Any]:
    """Say what a bake would do, reading headers and coordinates only, and writing nothing."""
    with tempfile.TemporaryDirectory(prefix="bakehouse-plan-") as folder:
        return dict(run_job(job, job.context("plan", Target(folder)))["plan"])


def try_recipe(job: Job) -> Outcome:
    """Bake a pruned recipe in a sandbox, compare every value, reopen it, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="bakehouse-test-") as folder:
        sandbox = replace(job, target=Target(folder), prune=job.prune or 2, level="full")
        return replace(bake(sandbox, None), status="tested", entry=None, line=None, url="")


def verify_recipe(job: Job, entry: Entry) -> Outcome:
    """Compare a published store with its proof and with its sources.

    Raises
    ------
    VerifyError
        If an object is missing, changed or not accounted for; if the root is not the registered one; if a value
        differs from its source; if the inputs are no longer those that it was made from.
    """
    started = datetime.now(UTC)
    store = Target(entry.store.url, job.target.options)
    written = _read_proof(job.target, entry)
    problems = check_documents(store, entry.store.zarr_format, entry.digests.root)
    problems += check_objects(store, written, hashes=job.level == "full")
    stop_on(problems, f"{entry.id} ({store.url})")
    context = job.context("verify")
    note = _run_verify(job, context, entry)
    checks = context.notebook.child(context.run_id)
    values = _compared(checks)
    checks.delete([key for key, _ in checks.list()])
    return _outcome(job, note, "verified", store, sum(o.size_bytes for o in written), values, started)


def _run_verify(job: Job, context: Context, entry: Entry) -> dict[str, Any]:
    """Compare with the sources; inputs or a recipe that make another version say so instead of how values differ."""
    try:
        note = run_job(job, context)
    except VerifyError as error:
        left = context.notebook.get(f"{context.run_id}.json")
        context.notebook.delete([f"{context.run_id}.json"])
        _same_version(json.loads(left) if left else None, entry)
        raise error
    _same_version(note, entry)
    return note


def _same_version(note: dict[str, Any] | None, entry: Entry) -> None:
    if note and note["plan"]["version"] != entry.version:
        raise VerifyError(
            f"inputs or recipe are no longer those of version {entry.version}",
            entry.id,
            f"they would make version {note['plan']['version']}",
            f"bakehouse bake {entry.feedstock}",
        )


def _places(target: Target, plan: dict[str, Any]) -> tuple[Target, Target]:
    return target.child(plan["prefix"]), work_folder(target, plan["prefix"])


def _verify_candidate(
    job: Job, note: dict[str, Any], store: Target, documents: Documents, receipts: dict[str, Receipt]
) -> None:
    plan = note["plan"]
    problems = check_tasks(receipts, plan["task_ids"])
    problems += check_objects(
        store, [o for r in receipts.values() for o in r.objects], hashes=plan["check"]["level"] == "full"
    )
    if problems:
        forget_damaged(store, work_folder(job.target, plan["prefix"]), receipts)
    stop_on(problems, f"{job.feedstock.id}/{job.recipe} ({store.url})")
    dataset = xr.open_zarr(CandidateStore(store, documents, read_only=True), consolidated=True, chunks=None)
    problems = check_dataset(dataset, plan["concat"], note["ordered"], plan["arrays"])
    stop_on(problems, f"{job.feedstock.id}/{job.recipe} ({store.url})")


def _keep_proof(target: Target, prefix: str, receipts: dict[str, Receipt]) -> bytes:
    """Write the proof beside the store, once: it belongs to a version, as the store does."""
    name = f"{prefix}.proof.parquet"
    if (there := target.get(name)) is None:
        there = write_proof(receipts.values())
        target.put(name, there)
    return there


def _compared(checks: Target) -> int:
    found = [checks.get(key) for key, _ in checks.list()]
    return sum(json.loads(data)["values"] for data in found if data)


def _read_proof(target: Target, entry: Entry) -> list[Written]:
    import io

    import pyarrow.parquet as pq

    name = f"{entry.store.url.rstrip('/').rpartition('/')[2]}.proof.parquet"
    data = target.get(name)
    if data is None or f"sha256:{hashlib.sha256(data).hexdigest()}" != entry.digests.proof:
        raise VerifyError(
            "the proof is missing or is not the one that was registered",
            f"{entry.id} ({target.url}/{name})",
            None,
            f"bakehouse bake {entry.feedstock}",
        )
    return [Written(r["key"], r["size_bytes"], r["sha256"]) for r in pq.read_table(io.BytesIO(data)).to_pylist()]


def _register(catalog: Path, entry: Entry) -> Path:
    """Register an entry, unless the catalog has this very version: then run times must not change it."""
    path = catalog / entry.feedstock / f"{entry.recipe}.json"
    if not _is_registered(path, entry):
        register(catalog, entry)
    return path


def _is_registered(path: Path, entry: Entry) -> bool:
    try:
        there = Entry.from_json(path.read_bytes())
    except (FileNotFoundError, CatalogError):
        return False
    return (there.version, there.digests, there.store) == (entry.version, entry.digests, entry.store)


def _outcome(
    job: Job, note: dict[str, Any], status: str, store: Target, stored: int, values: int, started: datetime
) -> Outcome:
    plan = note["plan"]
    return Outcome(
        job.feedstock.id,
        job.recipe,
        status,
        plan["version"],
        store.url,
        plan["objects"],
        stored,
        len(note["done"]),
        plan["tasks"],
        plan["check"]["level"],
        values,
        (datetime.now(UTC) - started).total_seconds(),
        tuple(plan["notes"]),
    )
