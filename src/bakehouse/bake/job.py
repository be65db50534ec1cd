"""Run one recipe's pipeline in one mode, and give what it noted."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from contextlib import chdir, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

from bakehouse.bake.heap import few_heaps, give_back
from bakehouse.bake.travelled import from_text
from bakehouse.bakeries import keep_in_process, pipeline_options, quiet_beam
from bakehouse.catalog.entry import Entry
from bakehouse.context import Context, using
from bakehouse.errors import BakehouseError, RecipeError
from bakehouse.feedstock import Feedstock, blame, load_recipes, recipe_place
from bakehouse.meta.project import Bakery
from bakehouse.patterns import pruned
from bakehouse.storage import Target
from bakehouse.writers.publish import withdraw
from bakehouse.writers.versions import INPUTS, beside

STAGE = re.compile(r" \[while running '.*?'\]", re.DOTALL)
POLL_S = 0.5


@dataclass(frozen=True)
class Progress:
    """How far a run is: tasks with a receipt, of how many."""

    recipe: str
    phase: str
    tasks_done: int = 0
    tasks: int = 0
    bytes_total: int = 0


@dataclass(frozen=True)
class Job:
    """All that one run of one recipe needs.

    Parameters
    ----------
    prune
        Keep the first n inputs of each concat dimension.
    cache
        Where copies of inputs are kept from run to run, if anywhere.
    watch
        Called now and then with the run's progress, from another thread.
    entry
        The catalog's entry of the recipe, if there is one.
    grow, refresh, missing
        As in `Context`.
    previews
        Whether to make images of what is registered, and a small store of what is big.
    sandbox
        Whether the run has a catalog of its own, in which pruned stores are shown.
    job_name
        What the job is called on a service, instead of after the recipe.
    job_id
        The job on a service that is to be followed, instead of starting one.
    again
        The command that does this once more.
    ready
        Called when the engine and the recipe are loaded, before the pipeline is built.
    """

    feedstock: Feedstock
    recipe: str
    bakery: Bakery
    target: Target
    prune: int | None = None
    level: str = "auto"
    workers: int | None = None
    url_map: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    watch: Callable[[Progress], None] | None = None
    debug: bool = False
    cache: Target | None = None
    entry: Entry | None = None
    grow: str = ""
    refresh: bool = False
    missing: str = "error"
    previews: bool = False
    sandbox: bool = False
    job_name: str | None = None
    job_id: str | None = None
    again: str = "bakehouse bake"
    ready: Callable[[], None] | None = None

    @property
    def enters(self) -> bool:
        """Say whether what is made may be registered."""
        return self.sandbox or not self.prune

    def here(self) -> Job:
        """Give a job that does on this machine what this one does on others."""
        return replace(self, bakery=self.bakery.here()) if self.bakery.is_service else self

    def context(self, mode: str, notes: Target | None = None) -> Context:
        """Make the context of a run."""
        base = None if self.prune else self._base()
        digest = self.feedstock.digest_of(self.recipe) + (f"+prune{self.prune}" if self.prune else "")
        return Context(
            self.target,
            f"run-{uuid.uuid4().hex[:12]}",
            self.feedstock.id,
            self.recipe,
            mode,
            digest,
            level=self.level,
            url_map=self.url_map,
            defaults=self.defaults,
            notes=notes,
            cache=self.cache,
            base=(base.version or "") if base else "",
            base_inputs=base.provenance.inputs_digest if base else None,
            base_snapshot=base.store.snapshot if base else None,
            grow=self.grow,
            refresh=self.refresh,
            missing=self.missing,
            scratch=self._scratch(),
        )

    def _scratch(self) -> str:
        """Name a folder on this machine's disk, if the target is none and all workers are here."""
        if self.target.is_local or self.bakery.runner != "direct":
            return ""
        return str(Path(tempfile.gettempdir()) / f"bakehouse-tiles-{uuid.uuid4().hex[:12]}")

    def _base(self) -> Entry | None:
        """Give the entry of the version that is published here, if it can be built on."""
        entry = self.entry
        here = entry is not None and entry.store.url.rpartition("/")[0] == self.target.url.rstrip("/")
        if entry is None or not here or not entry.version:
            return None
        return entry if self.target.size(beside(entry.version, INPUTS)) is not None else None


def run_job(job: Job, context: Context) -> dict[str, Any]:
    """Run the pipeline to its end; give the run's note (the plan's summary and the tasks that were done before).

    The working directory is the feedstock's meanwhile: recipes read files beside them by relative paths.

    Raises
    ------
    BakehouseError
        Whatever stopped the run, naming the input or the line of the recipe.
    """
    if not job.debug:
        quiet_beam()
    with using(context), pruned(job.prune), chdir(job.feedstock.workdir):
        recipe = load_recipes(job.feedstock, job.recipe)[job.recipe]
        if job.ready:
            job.ready()
        if job.bakery.is_service:
            return _run_on_service(job, context, recipe)
        try:
            _run(job, context, recipe)
            said, marks = _said(context), _marks(context)
        except BaseException:
            _hide(context)
            raise
        finally:
            context.staging.delete([key for key, _ in context.staging.list()])
            if context.scratch:
                shutil.rmtree(context.scratch, ignore_errors=True)
    found = _noted(job, context, said, marks)
    context.notebook.delete([f"{context.run_id}.json"])
    return found


def _noted(job: Job, context: Context, said: list[str], marks: dict[str, float]) -> dict[str, Any]:
    """Give what a run has noted.

    Raises
    ------
    RecipeError
        If it noted nothing, because its pipeline stores nothing.
    """
    note = context.notebook.get(f"{context.run_id}.json")
    if note is None:
        where = f"{context.label}, {recipe_place(job.feedstock, job.recipe)}"
        raise RecipeError(
            "the recipe stored nothing",
            where,
            "the pipeline has no StoreToZarr step",
            "end the recipe with … | StoreToZarr(…)",
        )
    found = dict(json.loads(note))
    found["plan"]["notes"] += said
    return {**found, "marks": marks}


def _run_on_service(job: Job, context: Context, recipe: Any) -> dict[str, Any]:
    """Run the pipeline as a job of a service; what it left is kept as long as it goes on, or is not finished."""
    from bakehouse.bake.remote import EndedJobError, clean_up, run_job_remotely

    note: dict[str, Any] = {}

    def watch(phase: str) -> None:
        with suppress(BakehouseError):  # a listing that fails only costs one report
            if not note:
                note.update(json.loads(context.notebook.get(f"{context.run_id}.json") or b"{}"))
            if job.watch:
                job.watch(_progress(context, note or None, phase))

    try:
        done = run_job_remotely(job, context, recipe, watch)
    except EndedJobError:
        _hide(context)
        clean_up(job, context)
        raise
    except Exception as error:
        raise _explained(error, job, context) from (error if job.debug else None)
    found = _noted(job, context, _said(context), _marks(context))
    job_said = {"id": done.note.job_id, "name": done.note.name, "started_at": done.note.started_at}
    return {**found, "job": {**job_said, "cost_usd": done.ended.cost_usd}}


def _hide(context: Context) -> None:
    """Take away what a run that failed has shown of its version to other programs."""
    data = context.notebook.get(f"{context.run_id}.json")
    if data is not None and context.mode == "bake":
        note = json.loads(data)
        withdraw(context.target.child(note["plan"]["prefix"]), replace(context.target, url=note["work"]))


def _said(context: Context) -> list[str]:
    """Give what was noted while inputs were reached."""
    notes = context.staging.child("notes")
    return sorted((notes.get(key) or b"").decode() for key, _ in notes.list())


def _marks(context: Context) -> dict[str, float]:
    """Give the times, in seconds since 1970, at which the survey and the writing ended."""
    return {key: float(context.marks.get(key) or b"nan") for key, _ in context.marks.list()}


def _run(job: Job, context: Context, recipe: Any) -> None:
    import apache_beam as beam

    from bakehouse.bake.watchdog import watched

    few_heaps()
    stop = Event()
    watcher = Thread(target=_watch, args=(job, context, stop), daemon=True)
    try:
        options = pipeline_options(job.bakery, job.workers)
        pipeline = beam.Pipeline(options=options)
        keep_in_process(pipeline.runner)
        pipeline | recipe
        if job.watch:
            watcher.start()
        with watched(options, job.debug):
            state = pipeline.run().wait_until_finish()
    except Exception as error:
        raise _explained(error, job, context) from (error if job.debug else None)
    finally:
        stop.set()
        if watcher.is_alive():
            watcher.join()
        give_back()
    if str(state) not in ("DONE", "PipelineState.DONE"):
        raise RecipeError(f"the job ended as {state}", context.label)


def _explained(error: Exception, job: Job, context: Context) -> BakehouseError:
    """Name the recipe, and drop Beam's stage names from the message; what names nothing else gets the recipe's line."""
    error = from_text(str(error)) or error
    if isinstance(error, BakehouseError):
        where = error.where or ""
        if where in ("", context.label):
            where = f"{context.label}, {recipe_place(job.feedstock, job.recipe)}"
        elif not where.startswith(context.label):
            where = f"{context.label}, {where}"
        return type(error)(STAGE.sub("", error.message), where, error.cause, error.fix)
    return blame(error, job.feedstock, f"recipe '{job.recipe}' failed")


def _watch(job: Job, context: Context, stop: Event) -> None:
    """Report receipts as they appear; a listing that fails only costs one report."""
    note: dict[str, Any] | None = None
    while not stop.wait(POLL_S):
        try:
            note = note or json.loads(context.notebook.get(f"{context.run_id}.json") or b"null")
            if job.watch:
                job.watch(_progress(context, note))
        except BakehouseError:
            continue


def _progress(context: Context, note: dict[str, Any] | None, job: str = "") -> Progress:
    if note is None:
        return Progress(context.label, job or "reading headers")
    plan, work = note["plan"], replace(context.target, url=note["work"])
    done = sum(1 for _ in work.list("receipts"))
    phase = job or ("writing" if done < plan["tasks"] else "comparing with the sources")
    return Progress(context.label, phase, done, plan["tasks"], plan["decoded_bytes"])
