"""Bake, update, plan and test: what the commands do."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakehouse.bake.finish import Run, clear_candidate, finish, outcome_of
from bakehouse.bake.history import complete
from bakehouse.bake.job import Job
from bakehouse.bake.outcome import Outcome
from bakehouse.bake.pipeline import run_job
from bakehouse.bake.virtual import finish_virtual
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.lines import opening_line
from bakehouse.context import Context, work_folder
from bakehouse.errors import CatalogError, PublishError, UsageError
from bakehouse.plan.base import ANEW
from bakehouse.plan.types import VIRTUAL
from bakehouse.storage import Target
from bakehouse.verify import Checked, Statement, check_documents, check_objects, stop_on
from bakehouse.writers.intact import Additions
from bakehouse.writers.lock import single_writer
from bakehouse.writers.receipts import Written
from bakehouse.writers.template import root_names
from bakehouse.writers.versions import hexdigest, load_base, load_proof


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
    job = replace(job, entry=registered(catalog, job) if catalog else None)
    context = _begun(job, job.context("bake"))
    run = _run(job, context, started)
    if run.note["same"]:
        return _over(run, _as_it_is(run, catalog))
    return _over(run, finish_virtual(run, catalog) if run.plan["format"] in VIRTUAL else finish(run, catalog))


def _begun(job: Job, context: Context) -> Context:
    """Give the context of a run: where a service does the work already, that of its job; else see what it may cost.

    Raises
    ------
    UsageError
        If the bakery can't be used as it is, or what is asked for is estimated to cost more than it may.
    """
    if not job.bakery.is_service:
        return context
    from bakehouse.bake.remote import adopted

    found = adopted(job, context)
    if found is None:
        _insist_affordable(job)
    return found or context


def _insist_affordable(job: Job) -> None:
    from bakehouse.bakeries.dataflow.cost import estimate
    from bakehouse.bakeries.dataflow.options import settled

    said = settled(job.bakery)
    if said.max_cost_usd is None:
        return
    found = estimate(plan_recipe(job), said, job.workers)
    if found.usd > said.max_cost_usd:
        raise UsageError(
            f"the bake is estimated to cost more than it may: max_cost_usd is {said.max_cost_usd:g}",
            f"{job.feedstock.id}/{job.recipe}",
            str(found),
            "raise max_cost_usd in the bakery, or bake less at once: --prune N",
        )


def _run(job: Job, context: Context, started: datetime) -> Run:
    note = run_job(job, context)
    if "job" in note:
        started = datetime.fromisoformat(note["job"]["started_at"])
    return Run(job, context, note, started)


def _over(run: Run, outcome: Outcome) -> Outcome:
    """Drop the notes of a service's job, now that there is nothing left to do for it."""
    if "job" not in run.note:
        return outcome
    from bakehouse.bake.remote import clean_up

    clean_up(run.job, run.context)
    said = run.note["job"]
    return replace(outcome, job_id=said["id"], job_name=said["name"], cost_usd=said["cost_usd"])


def update(job: Job, catalog: Path, changed: bool = False) -> Outcome:
    """Bring a published store up to date: append new inputs, fill gaps whose inputs have come.

    Inputs that the store was made from already are not read; with `changed` each is asked whether it is still what it
    was, and those that are not are written anew. An append adds to the published prefix; anything else makes a version
    beside it that shares what it can. Doing it twice changes nothing. A virtual store is made anew beside the old.

    Raises
    ------
    UsageError
        If the recipe was never baked.
    BakehouseError
        Whatever stopped it. What was published before is untouched.
    """
    started = datetime.now(UTC)
    job = replace(job, grow="changed" if changed else "new", entry=registered(catalog, job))
    if job.entry is not None and job.entry.kind == "virtual":
        found = bake(replace(job, grow=""), catalog)  # references are made anew at the cost of looking at headers
        return replace(found, status="updated") if found.status == "published" else found
    if job.entry is None or not job.entry.version:
        raise UsageError(
            "there is nothing to update",
            f"{job.feedstock.id}/{job.recipe}",
            "it was never baked",
            f"bakehouse bake {job.feedstock.id}",
        )
    context = _begun(job, job.context("bake"))
    base = load_base(job.target, job.entry.version, job.entry.provenance.inputs_digest)
    with _alone(job, base.prefix, context.run_id):
        job = replace(job, entry=_still_there(catalog, job, base.prefix))
        context = replace(job.context("bake"), run_id=context.run_id)
        run = _run(job, context, started)
        if run.note["same"]:
            return _over(run, _as_it_is(run, catalog))
        return _over(run, replace(finish(run, catalog), status="updated"))


def _still_there(catalog: Path, job: Job, prefix: str) -> Entry:
    """Give the entry as it is once nobody else can change its store.

    Raises
    ------
    PublishError
        If another run has made it name a store at another prefix meanwhile.
    """
    entry = registered(catalog, job)
    if entry is None or entry.store.url != job.target.child(prefix).url:
        raise PublishError(
            "another run has published a version meanwhile", job.target.url, None, "run the update again"
        )
    return entry


def _alone(job: Job, prefix: str, run_id: str) -> AbstractContextManager[None]:
    """Be the only one who adds to a published store; a repository takes the first of several itself."""
    if job.entry is not None and job.entry.store.format == "icechunk":
        return nullcontext()
    return single_writer(work_folder(job.target, prefix), run_id, goes_on=job.bakery.is_service)


def registered(catalog: Path, job: Job) -> Entry | None:
    """Give the recipe's entry; one that a crash kept from following its published root is written now.

    An entry that can't be read is none for a bake, which replaces it.

    Raises
    ------
    CatalogError
        If there is an entry that can't be read, and the run would build on it.
    """
    path = catalog / job.feedstock.id / f"{job.recipe}.json"
    if not path.is_file():
        return None
    try:
        entry = Entry.from_json(path.read_bytes(), str(path))
    except CatalogError:
        if job.grow:
            raise
        return None
    return complete(catalog, job.target, entry) or entry


def _as_it_is(run: Run, catalog: Path | None) -> Outcome:
    """Leave a version as it is that would be made again just so; an update looks at its root alone.

    Raises
    ------
    NotWholeError
        If it is not whole: what updates made can't be written anew in place.
    """
    entry = run.job.entry
    if entry is None:
        raise CatalogError("the published version has no entry", run.label)
    run = replace(run, snapshot=entry.store.snapshot)
    clear_candidate(run)
    stop_on(_changes_since(run, entry), run.label, ANEW)
    path = str(catalog / entry.feedstock / f"{entry.recipe}.json") if catalog else None
    return replace(outcome_of(run, "unchanged", entry), entry=path, line=opening_line(entry))


def _changes_since(run: Run, entry: Entry) -> Checked:
    """Say what is no longer as it was published."""
    if run.job.grow:
        root = run.store.get(root_names(entry.store.zarr_format)[-1])
        same = root is not None and hexdigest(root) == entry.digests.root
        return Checked.of(Statement("root", 1, 1, "", "the registered one"), [] if same else ["the root has changed"])
    rows = load_proof(run.job.target, entry.version or "", entry.digests.proof)
    written = [Written(row["key"], row["size_bytes"], row["sha256"]) for row in rows]
    added = Additions(run.job.target, run.plan["prefix"], entry.version or "")
    found = check_documents(run.store, entry.store.zarr_format, entry.digests.root)
    return found + check_objects(run.store, written, hashes=False, added=added)


def plan_recipe(job: Job) -> dict[str, Any]:
    """Say what a bake would do, reading headers and coordinates only, and writing nothing."""
    with tempfile.TemporaryDirectory(prefix="bakehouse-plan-") as folder:
        return dict(run_job(job.here(), job.here().context("plan", Target(folder)))["plan"])


def try_recipe(job: Job, keep: Path | None = None) -> Outcome:
    """Bake a pruned recipe in a sandbox, compare every value, and reopen it.

    Parameters
    ----------
    keep
        Where the store, its preview and its entry stay, below `stores` and `catalog`; left out, nothing is left behind.
    """
    trial = replace(job.here(), prune=job.prune or 2, level="full")
    if keep is not None:
        target = Target(str(keep.resolve() / "stores")).child(job.feedstock.id, job.recipe)
        kept = replace(trial, target=target, previews=True, sandbox=True)
        return replace(bake(kept, keep.resolve() / "catalog"), status="tested")
    with tempfile.TemporaryDirectory(prefix="bakehouse-test-") as folder:
        return replace(
            bake(replace(trial, target=Target(folder)), None), status="tested", entry=None, line=None, url=""
        )
