"""Run a recipe as a job on a service: start it or find it running, follow it to its end, say how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bakehouse.bake.job import Job
from bakehouse.bake.jobnote import JobNote, forget_job, labels_of, name_of, note_job, noted
from bakehouse.bake.travelled import from_text, without_stages
from bakehouse.bakeries.dataflow.options import settled
from bakehouse.bakeries.dataflow.service import Seen, Service
from bakehouse.bakeries.dataflow.submit import AlreadyRunningError, service_of, submit
from bakehouse.bakeries.dataflow.waiting import DONE, ENDED, Ended, LostJobError, follow
from bakehouse.context import Context
from bakehouse.errors import JobError, UsageError

SAID = 3
"""How many of a job's last messages an error shows."""
LONG = 600


class EndedJobError(JobError):
    """A job that is over, and was not done."""


class DetachedError(KeyboardInterrupt):
    """Ctrl-C while a job was followed; the job goes on."""


@dataclass(frozen=True)
class Finished:
    """A job that is done: what the catalog may say of it."""

    note: JobNote
    ended: Ended


def adopted(job: Job, context: Context) -> Context | None:
    """Give the context of a job that does this very work already, or has done it and was not finished; else None.

    Raises
    ------
    UsageError
        If a job was asked for by id that does not exist, is other work, or was finished.
    """
    insist_reachable(job)
    service, note = service_of(job.bakery), noted(job, context)
    seen = _asked(job, context, service) if job.job_id else _known(service, note, name_of(job, context))
    if seen is None or not seen.run_id:
        return None
    found = replace(context, run_id=seen.run_id)
    if seen.state == DONE and not _has_noted(found):
        return None
    if seen.state in ENDED and seen.state != DONE and not job.job_id:
        note_job(job, found, seen.id)
        clean_up(job, found)
        return None
    note_job(job, found, seen.id)
    return found


def _known(service: Service, note: JobNote | None, name: str) -> Seen | None:
    """Find the job that a note is about, or one of the name that runs."""
    if note is not None and note.job_id:
        return service.job(note.job_id)
    jobs = service.named(name)
    own = [job for job in jobs if note is not None and job.run_id == note.run_id]
    return next(iter([*own, *(job for job in jobs if job.state not in ENDED)]), None)


def _asked(job: Job, context: Context, service: Service) -> Seen:
    """Find the job that was asked for by id, and insist that it does what the command is about."""
    seen = service.job(str(job.job_id))
    if seen is None:
        fix = "list them: gcloud dataflow jobs list; or leave --job-id out"
        raise UsageError(f"there is no job '{job.job_id}'", service.page(str(job.job_id)), None, fix)
    if seen.state == DONE and not _has_noted(replace(context, run_id=seen.run_id)):
        cause = "its run has no notes at the target any more"
        raise UsageError(f"job {seen.id} was finished before", service.page(seen.id), cause, f"run: {job.again}")
    if seen.name != (name := name_of(job, context)):
        cause = f"its name is {seen.name}; the recipe, options and catalog as they are here make {name}"
        fix = "use the checkout and the options that it was started with, or leave --job-id out"
        raise UsageError(f"job {seen.id} does other work", service.page(seen.id), cause, fix)
    return seen


def _has_noted(context: Context) -> bool:
    """Say whether a run's notes are there, which are dropped once all that it made is finished."""
    return context.notebook.get(f"{context.run_id}.json") is not None


def insist_reachable(job: Job) -> None:
    """Refuse what workers on other machines can't reach, before anything is started.

    Raises
    ------
    UsageError
        If the target, the cache or a mirror lies on this machine.
    """
    places = {"target": job.target.url, "cache": job.cache.url if job.cache else "s3://", **{
        f"mirror of {start}": url for start, url in job.url_map.items()}}  # fmt: skip
    for what, url in places.items():
        if "://" not in url or url.startswith(("file:", "local:", "memory:")):
            cause = f"the {job.bakery.runner} runner's workers are on other machines"
            raise UsageError(f"{what} {url} lies on this machine", None, cause, "name a bucket: gs://…, s3://…")


def run_job_remotely(job: Job, context: Context, recipe: Any, watch: Callable[[str], None]) -> Finished:
    """Start the job of a run, or find it where it was started, and follow it to its end.

    Parameters
    ----------
    watch
        Called with a phrase on how the job is, now and then.

    Raises
    ------
    EndedJobError
        If it ended as anything but done.
    JobError
        If it could not be started, or was lost out of sight.
    DetachedError
        If Ctrl-C was pressed. The job goes on.
    """
    service, note = service_of(job.bakery), noted(job, context)
    if note is None or note.run_id != context.run_id or not note.job_id:
        note = _start(job, context, recipe, service, watch)
    return _followed(job, context, note, service, watch)


def _start(job: Job, context: Context, recipe: Any, service: Service, watch: Callable[[str], None]) -> JobNote:
    """Submit a job, noting it before and after: a crash in between leaves its run's name, which it has as a label."""
    watch("shipping to Dataflow")
    note = note_job(job, context)
    try:
        job_id = submit(recipe, job.bakery, job.feedstock, note.name, labels_of(job, context), job.workers)
    except AlreadyRunningError as error:
        cause = "another command started it a moment ago"
        raise JobError(error.message, context.label, cause, f"follow it: {job.again}") from None
    note = note_job(job, context, job_id)
    watch(f"Dataflow job {job_id} submitted, {service.page(job_id)}")
    return note


def _followed(job: Job, context: Context, note: JobNote, service: Service, watch: Callable[[str], None]) -> Finished:
    said, job_id = settled(job.bakery), str(note.job_id)

    def look(seen: Seen) -> None:
        watch(f"Dataflow job {seen.id} is {seen.state.lower()}")

    try:
        ended = follow(service, job_id, look, said.max_cost_usd, said.prices)
    except KeyboardInterrupt:
        stop = f"gcloud dataflow jobs cancel {job_id} --region {service.region} --project {service.project}"
        raise DetachedError(f"Dataflow job {job_id} goes on; to stop it: {stop}") from None
    except LostJobError as error:
        fix = f"{error.fix or 'check the project and the region'}, then follow it again: {job.again}"
        raise LostJobError(error.message, f"{context.label}, {error.where}", error.cause, fix) from None
    if ended.state != DONE:
        raise _failed(job, context, ended, service.page(job_id), job_id)
    return Finished(note, ended)


def _failed(job: Job, context: Context, ended: Ended, page: str, job_id: str) -> EndedJobError:
    """Say how a job ended, what stopped it and where, and how to go on."""
    inner = from_text(without_stages("\n\n".join(ended.errors)))
    message = f"Dataflow job {job_id} ended as {ended.state}"
    if ended.over_usd is not None:
        message += f": cancelled, as it had cost about ${ended.over_usd:.2f}"
    where = ", ".join(part for part in (context.label, inner.where if inner else None, page) if part)
    again = f"then go on (finished tasks stay done): {job.again}"
    if inner is not None:
        cause = "\n".join(part for part in (inner.message, inner.cause) if part)
        return EndedJobError(message, where, cause, f"{inner.fix or 'see the cause'}; {again}")
    last = "\n".join(_short(text) for text in ended.errors[-SAID:])
    fix = "raise max_cost_usd, or narrow the recipe" if ended.over_usd is not None else "see the job's page"
    return EndedJobError(message, where, last or None, f"{fix}; {again}")


def _short(text: str) -> str:
    """Keep the end of a message, where tracebacks say what happened."""
    return text.strip() if len(text) <= LONG else f"…{text.strip()[-LONG:]}"


def clean_up(job: Job, context: Context) -> None:
    """Drop what a run that is over has left for itself."""
    context.staging.delete([key for key, _ in context.staging.list()])
    forget_job(job, context)
