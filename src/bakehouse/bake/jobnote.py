"""What is noted at the target of a job on a service, so that it is found again: which run it is, and its id."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from bakehouse.bake.job import Job
from bakehouse.bakeries.dataflow.names import job_name, label_value
from bakehouse.bakeries.dataflow.service import RUN
from bakehouse.context import Context
from bakehouse.storage import Target


@dataclass(frozen=True)
class JobNote:
    """One job: its name, the run that it is, and its id once the service has given one."""

    name: str
    run_id: str
    job_id: str | None = None
    started_at: str = ""

    @property
    def started(self) -> datetime:
        """Give the time at which the job was made."""
        return datetime.fromisoformat(self.started_at)


def noted(job: Job, context: Context) -> JobNote | None:
    """Give the note of the job that does this work, if one was started and has not been finished."""
    data = _folder(context).get(f"{name_of(job, context)}.json")
    return JobNote(**json.loads(data)) if data else None


def note_job(job: Job, context: Context, job_id: str | None = None) -> JobNote:
    """Note a job: before it is submitted, so that it can be found by its run, and again with its id."""
    there = noted(job, context)
    made = JobNote(name_of(job, context), context.run_id, job_id, datetime.now(UTC).isoformat())
    if there is not None and there.run_id == made.run_id:
        made = replace(there, job_id=job_id or there.job_id)
    _folder(context).put(f"{made.name}.json", json.dumps(asdict(made), indent=1).encode())
    return made


def forget_job(job: Job, context: Context) -> None:
    """Drop what a run noted that is over and done with, and the note of its job; another run's note stays."""
    there = noted(job, context)
    if there is not None and there.run_id == context.run_id:
        _folder(context).delete([f"{there.name}.json"])
    context.notebook.delete([f"{context.run_id}.json"])


def name_of(job: Job, context: Context) -> str:
    """Name the job that does a piece of work: the same recipe, inputs' choice, checks and base at the same target."""
    work = [
        context.target.url, context.recipe_digest, context.grow, context.refresh, context.level, context.missing,
        context.base, context.base_snapshot, sorted(context.url_map.items()), sorted(context.defaults.items()),
    ]  # fmt: skip
    return job_name(job.job_name or context.label, json.dumps(work))


def labels_of(job: Job, context: Context) -> dict[str, str]:
    """Give the labels by which a job is found in the console and on bills."""
    return {
        "bakehouse-feedstock": label_value(job.feedstock.id),
        "bakehouse-recipe": label_value(job.recipe),
        RUN: context.run_id,
    }


def _folder(context: Context) -> Target:
    return context.notebook.child("jobs")
