"""What a run of one recipe came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bakehouse.verify import Statement


@dataclass(frozen=True)
class Outcome:
    """What a run of one recipe came to; sizes in bytes, duration in seconds.

    `status` is published, unchanged, tested, verified or updated; `added` says how far the growing dimension reaches;
    `checks` what verifying looked at. `phases_s` says how long each phase took: survey, write, verify,
    preview, publish. `job_id`, `job_name` and `cost_usd`, an estimate, are those of a job on a service.
    """

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
    added: str | None = None
    checks: tuple[Statement, ...] = ()
    phases_s: Mapping[str, float] = field(default_factory=dict)
    job_id: str | None = None
    job_name: str | None = None
    cost_usd: float | None = None
