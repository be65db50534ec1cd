"""From written objects to a published, registered version: check, prove, publish, enter."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr

from bakehouse.bake.entry import make_entry
from bakehouse.bake.job import Job
from bakehouse.bake.outcome import Outcome
from bakehouse.bake.previews import with_preview
from bakehouse.catalog.entry import Entry, Gap
from bakehouse.catalog.lines import opening_line
from bakehouse.catalog.register import register
from bakehouse.context import Context, work_folder
from bakehouse.errors import CatalogError
from bakehouse.storage import Target
from bakehouse.verify import check_dataset, check_grid, check_objects, check_tasks, stop_on
from bakehouse.writers.carry import carry, kept_rows
from bakehouse.writers.icechunk import Branch
from bakehouse.writers.intact import AHEAD, are_noted, is_noted
from bakehouse.writers.lock import insist_held
from bakehouse.writers.publish import advance_documents, consolidated, publish_documents, read_candidate, withdraw
from bakehouse.writers.reading import Reading, reading_at
from bakehouse.writers.receipts import Receipt, Row, Written, read_receipts, write_proof
from bakehouse.writers.resume import forget_damaged
from bakehouse.writers.store import CandidateStore
from bakehouse.writers.template import Documents, root_names
from bakehouse.writers.versions import INPUTS, PROOF, VERSION, beside, hexdigest, load_proof, save

PHASES = ("survey", "write", "verify", "preview", "publish")


@dataclass(frozen=True)
class Run:
    """One run of a pipeline that has written its objects, and what it noted."""

    job: Job
    context: Context
    note: dict[str, Any]
    started: datetime
    snapshot: str | None = None

    @property
    def plan(self) -> dict[str, Any]:
        """Give the plan's summary."""
        return dict(self.note["plan"])

    @property
    def growth(self) -> dict[str, Any] | None:
        """Say how the plan builds on a published version."""
        return self.plan["growth"]

    @property
    def in_place(self) -> bool:
        """Say whether the new version shares its prefix with the one that it builds on."""
        return bool(self.growth and self.growth["in_place"])

    @property
    def folder(self) -> Target:
        """Give the store's prefix."""
        return self.job.target.child(self.plan["prefix"])

    @property
    def store(self) -> Reading:
        """Give the store as it is read: its prefix, or the snapshot of the repository there."""
        return reading_at(self.folder.url, self.folder.options, self.snapshot)

    @property
    def branch(self) -> Branch | None:
        """Give the branch that the version was made on, if its store is a repository of snapshots."""
        return Branch(self.folder, self.plan["version"]) if self.plan["format"] == "icechunk" else None

    @property
    def work(self) -> Target:
        """Give the folder beside the store."""
        return replace(self.job.target, url=self.note["work"])

    @property
    def candidate(self) -> Target:
        """Give the folder of the candidate's documents."""
        return self.work.child("candidate", self.context.run_id)

    @property
    def cost_usd(self) -> float | None:
        """Give what the run is estimated to have cost, if a service did it and says what it used."""
        return dict(self.note.get("job", {})).get("cost_usd")

    @property
    def label(self) -> str:
        """Name the store as messages do."""
        return f"{self.context.label} ({self.folder.url})"


def finish(run: Run, catalog: Path | None) -> Outcome:
    """Verify what was written, publish it and register it.

    Raises
    ------
    BakehouseError
        If anything is not as planned. What was published before is untouched.
    """
    plan, planned = run.plan, set(run.plan["task_ids"])
    receipts = {task: receipt for task, receipt in read_receipts(run.work).items() if task in planned}
    kept = _kept(run, receipts)
    withdraw(run.folder, run.work)
    run, documents = _settled(run)
    _verify(run, documents, receipts, kept)
    run.note["marks"]["verify"] = time.time()
    proof = write_proof(receipts.values(), kept)
    save(run.job.target, plan["version"], PROOF, proof)
    save(run.job.target, plan["version"], INPUTS, run.work.get(INPUTS) or b"")
    entry, root = _entry(run, documents, proof, [*kept, *_rows(receipts)])
    enter = catalog if catalog and run.job.enters else None
    if enter:
        saved = saved_entry(run, entry)
        entry = with_preview(run.job, entry, CandidateStore(run.store, documents, read_only=True), saved)
        run.note["marks"]["preview"] = time.time()
        if saved is None:
            save(run.job.target, plan["version"], VERSION, version_document(entry, root))
    fresh = _publish(run, documents)
    registered = enter_catalog(enter, entry) if enter else None
    clear_candidate(run)
    outcome = outcome_of(run, "published" if fresh else "unchanged", entry)
    return replace(outcome, entry=str(registered) if registered else None, line=opening_line(entry))


def saved_entry(run: Run, entry: Entry) -> Entry | None:
    """Give the version's entry if it lies beside it already: then run times must not change it."""
    data = run.job.target.get(beside(run.plan["version"], VERSION))
    found = Entry.from_json(json.dumps(json.loads(data)["entry"]), lenient=True) if data else None
    return found if found is not None and (found.digests, found.store) == (entry.digests, entry.store) else None


def _settled(run: Run) -> tuple[Run, Documents]:
    """Take the documents as later steps left them; in a repository, settle on the snapshot that has them."""
    documents = read_candidate(run.candidate)
    if run.branch is None:
        return run, consolidated(documents, run.plan["zarr_format"])
    snapshot = run.note["made"] or run.branch.settle(documents)
    return replace(run, snapshot=snapshot), run.branch.view(snapshot).documents


def version_document(entry: Entry, root: bytes) -> bytes:
    """Give what a rollback to a version needs: its entry and its root document."""
    return json.dumps({"entry": json.loads(entry.to_json()), "root": root.decode()}, indent=1).encode()


def clear_candidate(run: Run) -> None:
    """Drop the candidate's documents."""
    run.candidate.delete([key for key, _ in run.candidate.list()])


def outcome_of(run: Run, status: str, entry: Entry) -> Outcome:
    """Say what a run came to."""
    plan, facts = run.plan, entry.facts
    return Outcome(
        run.job.feedstock.id,
        run.job.recipe,
        status,
        plan["version"],
        entry.store.url,
        (facts.objects if facts else None) or plan["objects"],
        (facts.bytes_stored if facts else None) or 0,
        len(run.note["done"]),
        plan["tasks"],
        entry.check.level,
        compared(run.work.child("checks")),
        (datetime.now(UTC) - run.started).total_seconds(),
        tuple(plan["notes"]),
        added=_added(plan),
        phases_s=_phases(run),
    )


def _phases(run: Run) -> dict[str, float]:
    """Say how long each phase took; one that the run did not come to is left out."""
    marks = {**run.note.get("marks", {}), "publish": time.time()}
    reached = [(name, marks[name]) for name in PHASES if name in marks]
    starts = [run.started.timestamp(), *(at for _, at in reached)]
    return {name: round(at - start, 3) for (name, at), start in zip(reached, starts, strict=False)}


def _added(plan: dict[str, Any]) -> str | None:
    growth = plan["growth"]
    if not growth or not growth["along"]:
        return None
    return f"{growth['along']} {growth['start']} → {plan['dims'].get(growth['along'], growth['start'])}"


def _rows(receipts: dict[str, Receipt]) -> list[Row]:
    return [{"key": o.key, "size_bytes": o.size_bytes} for r in receipts.values() for o in r.objects]


def _kept(run: Run, receipts: dict[str, Receipt]) -> list[Row]:
    """Give what is kept of the version that this one builds on; bring it to a prefix of its own if it has one."""
    if run.growth is None:
        return []
    written = {o.key for receipt in receipts.values() for o in receipt.objects}
    rows = kept_rows(load_proof(run.job.target, run.growth["version"]), run.plan["arrays"], written)
    if not run.in_place:
        carry(rows, run.job.target.child(run.growth["prefix"]), run.folder)
        rows = _as_carried(run, rows)
    return rows


def _as_carried(run: Run, rows: list[Row]) -> list[Row]:
    """Take objects that an interrupted update had reached into as they are: all that was published is in them."""
    growth = run.growth or {}
    work, version = work_folder(run.job.target, growth["prefix"]), growth["version"]
    if not are_noted(work, version):
        return rows
    found = []
    for row in rows:
        data = run.folder.get(row["key"]) or b""
        if is_noted(work, version, row["key"], data):
            row = {**row, "size_bytes": len(data), "sha256": hexdigest(data).removeprefix("sha256:")}
        found.append(row)
    return found


def _verify(run: Run, documents: Documents, receipts: dict[str, Receipt], kept: list[Row]) -> None:
    """Check receipts and objects, then what a reader of the candidate sees.

    Where a version adds to a published one, the objects that it left alone are not looked at again.
    """
    plan, written = run.plan, [o for r in receipts.values() for o in r.objects]
    keys = [*(o.key for o in written), *(row["key"] for row in kept)]
    found = check_tasks(receipts, plan["task_ids"]) + check_grid(documents, keys)
    stop_on(found, run.label)
    listing, store = None, run.store
    if run.in_place:
        listing = {o.key: size for o in written if (size := store.size(o.key)) is not None}
    expected = written if run.in_place else [*written, *(Written(r["key"], r["size_bytes"], r["sha256"]) for r in kept)]
    found = check_objects(store, expected, hashes=plan["check"]["level"] == "full", listing=listing)
    if found:
        forget_damaged(store, run.work, receipts)
    stop_on(found, run.label)
    dataset = xr.open_zarr(CandidateStore(store, documents, read_only=True), consolidated=True, chunks=None)
    appends = run.growth and run.in_place and run.growth["appends"]
    since = {run.growth["along"]: run.growth["start"]} if run.growth and appends else None
    stop_on(check_dataset(dataset, plan["concat"], run.note["ordered"], plan["arrays"], since), run.label)


def _publish(run: Run, documents: Documents) -> bool:
    """Make the version visible; say whether this call did."""
    if run.branch is not None and run.snapshot is not None:
        return run.branch.publish(run.snapshot, run.note["main"])
    if run.growth is None or not run.in_place:
        return publish_documents(run.folder, documents, run.plan["zarr_format"])
    insist_held(work_folder(run.job.target, run.growth["prefix"]), run.context.run_id)
    entry, work = run.job.entry, work_folder(run.job.target, run.growth["prefix"])
    work.delete([f"{AHEAD}/{run.plan['version']}"])
    return advance_documents(run.folder, documents, run.plan["zarr_format"], entry.digests.root if entry else None)


def _entry(run: Run, documents: Documents, proof: bytes, rows: list[Row]) -> tuple[Entry, bytes]:
    """Make the entry, before anything is visible, with the root that it is about: one that is there stays."""
    name = root_names(run.plan["zarr_format"])[-1]
    root = (None if run.in_place else run.store.get(name)) or documents[name]
    stored, values = sum(row["size_bytes"] for row in rows), compared(run.work.child("checks"))
    plan, opened = {**run.plan, "objects": len(rows)}, CandidateStore(run.store, documents, read_only=True)
    digests = hexdigest(root), hexdigest(proof)
    entry = make_entry(
        run.job, plan, run.folder, run.snapshot, opened, *digests, stored, values, run.started, run.cost_usd
    )
    gaps = tuple(Gap(inputs=(g["input"],), ranges=g["ranges"], reason="not there") for g in run.note["gaps"])
    entry = entry.model_copy(update={"gaps": gaps})
    before = run.job.entry
    return (entry if run.growth is None or before is None else _with_checks_of(entry, before)), root


def _with_checks_of(entry: Entry, before: Entry) -> Entry:
    """Add what was checked of the values that were kept when they were published."""
    check, known = entry.check, before.check
    level = "full" if (check.level, known.level) == ("full", "full") else "sampled"
    values = (check.values_compared or 0) + (known.values_compared or 0)
    update = {
        "level": level,
        "values_compared": min(values, check.values_total) if check.values_total is not None else values,
        "objects_checked": None,
        "sources": f"{check.sources}; values kept from version {before.version} were compared when it was published",
    }
    return entry.model_copy(update={"check": check.model_copy(update=update)})


def compared(checks: Target) -> int:
    """Count the values that were compared with their sources."""
    found = [checks.get(key) for key, _ in checks.list()]
    return sum(json.loads(data)["values"] for data in found if data)


def enter_catalog(catalog: Path, entry: Entry) -> Path:
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
