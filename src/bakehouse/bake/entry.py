"""From a published store and its plan to the catalog entry."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xarray as xr
import zarr

from bakehouse.bake.job import Job
from bakehouse.catalog.entry import (
    Check,
    Digests,
    Entry,
    Note,
    Provenance,
    Reader,
    Run,
    Storage,
    Store,
)
from bakehouse.catalog.harvest import harvest
from bakehouse.catalog.said import author_fields
from bakehouse.catalog.urls import protocol_of
from bakehouse.plan.types import VIRTUAL
from bakehouse.storage import Target

VERSIONED = ("bakehouse", "apache-beam", "xarray", "zarr", "h5netcdf")


def make_entry(
    job: Job,
    plan: dict[str, Any],
    store: Target,
    snapshot: str | None,
    opened: Any,
    root: str,
    proof: str,
    bytes_stored: int,
    values: int,
    started: datetime,
    cost_usd: float | None = None,
) -> Entry:
    """Say what the author said, what the store holds, how it was checked and what it was made from.

    Parameters
    ----------
    snapshot
        The snapshot of it that is published, if the store is a repository of them.
    opened
        The store with its documents, published or not, as zarr reads it.
    root, proof
        Digests of the root document and of the proof.
    cost_usd
        What the run is estimated to have cost, if that is known.
    """
    dataset = xr.open_zarr(opened, consolidated=True, chunks=None)
    group = zarr.open_group(opened, mode="r", zarr_format=plan["zarr_format"])
    facts = harvest(dataset, group, bytes_stored=bytes_stored, objects=plan["objects"])
    finished = datetime.now(UTC)
    return Entry(
        feedstock=job.feedstock.id,
        recipe=job.recipe,
        kind="virtual" if plan["format"] in VIRTUAL else "baked",
        facts=facts,
        version=plan["version"],
        published_at=finished,
        **author_fields(job.feedstock.meta, job.feedstock.id),
        store=Store(
            url=store.url,
            format="kerchunk" if plan["format"] in VIRTUAL else plan["format"],
            zarr_format=plan["zarr_format"],
            consolidated=snapshot is None,
            storage=storage_of(store),
            snapshot=snapshot,
        ),
        check=Check(
            level=plan["check"]["level"],
            checked_at=finished,
            objects_checked=plan["check"]["objects"],
            objects_total=plan["objects"],
            values_compared=values,
            values_total=_values(plan),
            sources=_how(plan),
        ),
        provenance=_provenance(job, plan, started, finished, cost_usd),
        digests=Digests(root=root, proof=proof),
        notes=(*_pruned(job), *(Note(message=text) for text in plan["notes"])),
        readers=(Reader(name="xarray", version=xr.__version__, outcome="opened"),),
        aliases=_aliases(plan, job),
    )


def _pruned(job: Job) -> tuple[Note, ...]:
    """Say that a store is a part, so that nobody takes it for the dataset."""
    text = f"a trial, not the dataset: made of the first {job.prune} inputs of each concat dimension"
    return (Note(kind="pruned", message=text),) if job.prune else ()


def storage_of(store: Target) -> Storage:
    """Say how a store below a target is reached."""
    options = {**store.options, **dict(store.options.get("client_kwargs", {}))}
    endpoint = options.get("endpoint_url") or options.get("endpoint")
    anonymous = True if options.get("anon") or options.get("skip_signature") else None
    return Storage(
        protocol=protocol_of(store.url), endpoint=endpoint, region=options.get("region"), anonymous=anonymous
    )


def _provenance(
    job: Job, plan: dict[str, Any], started: datetime, finished: datetime, cost_usd: float | None
) -> Provenance:
    names = (*VERSIONED, *(["icechunk"] if plan["format"] == "icechunk" else []))
    versions = {name: version(name) for name in names}
    return Provenance(
        recipe_commit=_commit(job.feedstock.folder),
        recipe_digest=f"sha256:{plan['digests']['recipe']}",
        inputs_digest=f"sha256:{plan['digests']['inputs']}",
        inputs_count=plan["inputs"]["count"],
        inputs_bytes=plan["inputs"]["bytes"],
        input_identity=plan["inputs"]["identity"],
        options=plan["options"],
        run=Run(
            started_at=started,
            finished_at=finished,
            duration_s=(finished - started).total_seconds(),
            runner=job.bakery.runner,
            cost_usd=cost_usd,
            versions={**versions, "python": platform.python_version()},
        ),
    )


def _commit(folder: Path) -> str | None:
    """Give the commit that the feedstock is at, marked where the folder has changes; None outside of git."""
    ask = ["git", "-C", str(folder)]
    head = subprocess.run([*ask, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode:
        return None
    changed = subprocess.run(
        [*ask, "status", "--porcelain", "--", "."], capture_output=True, text=True, check=False
    ).stdout
    return head.stdout.strip() + ("-dirty" if changed.strip() else "")


def _values(plan: dict[str, Any]) -> int:
    total = 0
    for array in plan["arrays"]:
        count = 1
        for n in array["shape"]:
            count *= n
        total += count
    return total


def _how(plan: dict[str, Any]) -> str:
    if plan["format"] in VIRTUAL and plan["check"]["level"] != "full":
        return "a sample of the values read through the references and compared with their sources"
    if plan["check"]["level"] == "full":
        return "every value compared with its source"
    few = "; of arrays that were rechunked by way of tiles, what a few inputs have" if _any_spilled(plan) else ""
    return f"{plan['check']['tasks']} of {plan['tasks']} tasks compared with their sources, value by value{few}"


def _any_spilled(plan: dict[str, Any]) -> bool:
    return any(array["spills"] for array in plan["arrays"])


def _aliases(plan: dict[str, Any], job: Job) -> tuple[str, ...]:
    name = plan.get("store_name")
    return (name,) if name and name not in (job.feedstock.id, job.recipe, "store.zarr") else ()
