"""Run one recipe's pipeline in one mode, and give what it noted."""

from __future__ import annotations

import json
import shutil
from contextlib import chdir, suppress
from dataclasses import replace
from threading import Event, Thread
from typing import Any

from bakehouse.bake.heap import few_heaps, give_back
from bakehouse.bake.job import Job, Progress
from bakehouse.bake.travelled import from_text, without_stages
from bakehouse.bakeries import keep_in_process, pipeline_options, quiet_beam
from bakehouse.context import Context, using
from bakehouse.errors import BakehouseError, RecipeError
from bakehouse.feedstock import blame, load_recipes, recipe_place
from bakehouse.patterns import pruned
from bakehouse.writers.publish import withdraw

POLL_S = 0.5


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
        return type(error)(without_stages(error.message), where, error.cause, error.fix)
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
