"""Verify a published version again: what lies there, then what its sources say."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bakehouse.bake.job import Job
from bakehouse.bake.outcome import Outcome
from bakehouse.bake.pipeline import run_job
from bakehouse.catalog.entry import Entry
from bakehouse.context import Context
from bakehouse.errors import BakehouseError, StorageError
from bakehouse.plan.sample import FULL_BYTES
from bakehouse.schema import Identity
from bakehouse.storage import Target
from bakehouse.storage.source import make_source
from bakehouse.verify import (
    Checked,
    Published,
    Registered,
    Statement,
    check_coordinates,
    check_inputs,
    check_published,
    check_values,
    check_version,
    stop_on,
)
from bakehouse.writers.reading import Reading, reading_at
from bakehouse.writers.versions import PROOF, beside, load_base

WHOLE, AGREE = "the store is not whole", "the store does not agree with its sources"
DAMAGED = "the proof or an object is damaged"

ASKING = 8

Note = dict[str, Any]


def verify_recipe(job: Job, entry: Entry) -> Outcome:
    """Compare a published store with its proof and with its sources; say what was looked at.

    Raises
    ------
    NotWholeError
        With all problems at once: an object that is missing, changed or not accounted for, a root or a proof that is
        not the registered one, a coordinate that runs both ways, a value that differs from its source, inputs that are
        no longer those that the store was made from.
    """
    started = datetime.now(UTC)
    job, store = replace(job.here(), entry=entry), reading_at(entry.store.url, job.target.options, entry.store.snapshot)
    published = check_published(store, job.target, registered(entry), _hashes_all(job, entry, store))
    note, values, found = _ask_sources(job, entry, published.safe)
    here = published.checked + _check_coordinates(store, published, note, entry)
    fix = f"build it anew, beside the old: bakehouse bake {entry.id} --refresh"
    checked = here + found
    stop_on(checked, f"{entry.id} ({store.url})", fix, WHOLE if here else AGREE)
    return _outcome(job, note or {}, store, published, values, started, checked)


def registered(entry: Entry) -> Registered:
    """Say what the catalog has of a baked store."""
    name = beside(entry.version or "", PROOF)
    return Registered(entry.store.zarr_format, entry.digests.root, entry.digests.proof, name)


def _hashes_all(job: Job, entry: Entry, store: Reading) -> bool:
    """Say whether every object is read: where that is cheap, asked for, or every one is decoded anyway."""
    small = entry.facts is not None and entry.facts.bytes_decoded <= FULL_BYTES
    return job.level == "full" or store.is_local or (job.level == "auto" and small)


def _ask_sources(job: Job, entry: Entry, safe: bool) -> tuple[Note | None, int, Checked]:
    """Compare with the sources; only with their headers, if what would be decoded is damaged."""
    context, error = job.context("verify" if safe else "plan"), None
    try:
        note: Note | None = run_job(job, context)
    except BakehouseError as caught:
        note, error = _left_behind(context), caught
    compared = _compared(context.notebook.child(context.run_id))
    provenance = entry.provenance
    digests = {"inputs": provenance.inputs_digest, "recipe": provenance.recipe_digest}
    found = check_version(entry.version or "", digests, note["plan"] if note else None, error)
    if found and note and digests["inputs"] != f"sha256:{note['plan']['digests']['inputs']}":
        found += _check_identities(job, entry)
    if note:
        why = "the inputs or the recipe now make another version" if found else "" if safe else DAMAGED
        found += check_values(note["plan"], len(compared), sum(compared), error, why)
    return note, sum(compared), found


def _check_identities(job: Job, entry: Entry) -> Checked:
    """Name the inputs that are not what they were; those that can't be asked are left out."""
    try:
        base = load_base(job.target, entry.version or "", entry.provenance.inputs_digest)
    except StorageError:
        return Checked()
    then = {known.url: known.identity for known in base.inputs if not known.gap}

    def ask(url: str) -> Identity:
        try:
            return make_source(url, {}, job.url_map).identified().identity
        except BakehouseError:
            return then[url]

    with ThreadPoolExecutor(ASKING, "bakehouse-ask") as pool:
        return check_inputs(then, dict(zip(then, pool.map(ask, then), strict=True)))


def _left_behind(context: Context) -> Note | None:
    """Take the note of a run that stopped after it had planned."""
    name = f"{context.run_id}.json"
    data = context.notebook.get(name)
    context.notebook.delete([name])
    return json.loads(data) if data else None


def _compared(checks: Target) -> list[int]:
    """Take the comparisons of a run: how many values each task had."""
    keys = [key for key, _ in checks.list()]
    found = [json.loads(data)["values"] for key in keys if (data := checks.get(key))]
    checks.delete(keys)
    return found


def _check_coordinates(store: Reading, published: Published, note: Note | None, entry: Entry) -> Checked:
    """Check what a reader sees; against the plan, if that is still the plan of this version."""
    if note is None:
        return Checked.of(Statement("coordinates", 0, 1, "", "", "the inputs can't be planned"), [])
    plan, ordered = note["plan"], note["ordered"]
    if plan["version"] != entry.version:
        return check_coordinates(store, published, {dim: {} for dim in plan["concat"]}, ordered)
    return check_coordinates(store, published, plan["concat"], ordered, tuple(plan["arrays"]))


def _outcome(
    job: Job, note: Note, store: Reading, published: Published, values: int, started: datetime, checked: Checked
) -> Outcome:
    plan = note["plan"]
    return Outcome(
        job.feedstock.id,
        job.recipe,
        "verified",
        plan["version"],
        store.url,
        len(published.proof.rows),
        published.proof.bytes_stored,
        0,
        plan["tasks"],
        plan["check"]["level"],
        values,
        (datetime.now(UTC) - started).total_seconds(),
        tuple(plan["notes"]),
        checks=checked.statements,
    )
