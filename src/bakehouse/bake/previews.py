"""Add to an entry what was made of its version to show it: no bake fails for a preview, nor waits long for one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import xarray as xr

from bakehouse.bake.job import Job
from bakehouse.catalog.entry import Entry, Note
from bakehouse.catalog.facts import Variable
from bakehouse.previews import Made, Statistics, make_preview
from bakehouse.storage import Target
from bakehouse.writers.versions import preview_folder


def with_preview(job: Job, entry: Entry, opened: Any, saved: Entry | None) -> Entry:
    """Make a version's preview, or take the one that was made when the version was first published.

    Parameters
    ----------
    opened
        The version with its documents, published or not, as zarr reads it.
    saved
        The entry that lies beside the version already.
    """
    if saved is not None:
        return _as_made(entry, saved)
    if not job.previews:
        return entry
    try:
        folder = _emptied(job.target.child(preview_folder(entry.version or "")))
        return _with(entry, make_preview(xr.open_zarr(opened, consolidated=True, chunks=None), folder))
    except Exception as error:
        text = f"no preview: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return entry.model_copy(update={"notes": (*entry.notes, Note(kind="preview", message=text))})


def _emptied(folder: Target) -> Target:
    """Drop what a run that was cut short left of the same version's preview."""
    folder.delete([key for key, _ in folder.list()])
    return folder


def _with(entry: Entry, made: Made) -> Entry:
    facts = entry.facts and entry.facts.model_copy(
        update={"variables": tuple(_seen(each, made.statistics.get(each.name)) for each in entry.facts.variables)}
    )
    notes = (*entry.notes, *made.notes)
    return entry.model_copy(update={"preview": made.preview, "facts": facts, "notes": notes})


def _seen(variable: Variable, said: Statistics | None) -> Variable:
    return variable.model_copy(update=asdict(said)) if said else variable


def _as_made(entry: Entry, saved: Entry) -> Entry:
    notes = (*entry.notes, *(note for note in saved.notes if note.kind == "preview"))
    return entry.model_copy(update={"preview": saved.preview, "facts": saved.facts, "notes": notes})
