"""Follow a job to its end: only the service's own word that it is done counts as success."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from bakehouse.bakeries.dataflow.cost import cost_usd
from bakehouse.bakeries.dataflow.service import Seen, Service, UnreachableError
from bakehouse.errors import BakehouseError, JobError
from bakehouse.meta.dataflow import Prices

POLL_S = 15.0
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
LOST_S = 900.0
"""How long the service may be out of reach, or say nothing of a job's state, before it is given up."""
EXPLAINED_S = 60.0
"""How long a job that failed is asked for the reason, which takes its time to show."""
DONE = "DONE"
ENDED = (DONE, "FAILED", "CANCELLED", "UPDATED", "DRAINED")
UNSAID = "UNKNOWN"


@dataclass(frozen=True)
class Ended:
    """How a job ended: its state, what it said went wrong, and what it is estimated to have cost."""

    state: str
    errors: tuple[str, ...] = ()
    cost_usd: float | None = None
    over_usd: float | None = None


class LostJobError(JobError):
    """A job that may go on, but that could not be followed to its end."""


def follow(
    service: Service,
    job_id: str,
    watch: Callable[[Seen], None] = lambda seen: None,
    cap_usd: float | None = None,
    prices: Prices | None = None,
) -> Ended:
    """Wait until a job has ended, and say how.

    Parameters
    ----------
    watch
        Called with what was seen of it, now and then.
    cap_usd
        Cancel the job once it is estimated to have cost more.

    Raises
    ------
    LostJobError
        If it could not be followed to its end: the service was out of reach, or did not say how the job is, for long.
    """
    prices, over = prices or Prices(), None
    for seen in _sightings(service, job_id):
        watch(seen)
        spent = _spent(service, job_id, prices)
        if seen.state in ENDED:
            errors = () if seen.state == DONE else _errors(service, job_id, seen.state)
            return Ended(seen.state, errors, spent, over)
        if cap_usd is not None and over is None and spent is not None and spent > cap_usd:
            with suppress(UnreachableError):
                service.cancel(job_id)
                over = spent
    raise AssertionError("a job is seen until it has ended, or is lost")


def _sightings(service: Service, job_id: str) -> Iterator[Seen]:
    """Look at a job now and then; what can't be seen is looked for more often at first, then less."""
    well, retry = time.monotonic(), FIRST_RETRY_S
    while True:
        pause, cause, seen = POLL_S, "it does not say which state the job is in", None
        try:
            seen = service.job(job_id)
        except (UnreachableError, JobError) as error:  # a login that runs out is no end of the job
            cause, pause = f"{error.cause}", retry * random.uniform(0.7, 1.3)
            retry = min(2 * retry, LONGEST_RETRY_S)
        else:
            if seen is None:
                raise LostJobError("the Dataflow service knows no such job", service.page(job_id))
        if seen is not None and seen.state != UNSAID:
            well, retry = time.monotonic(), FIRST_RETRY_S
            yield seen
        if time.monotonic() - well > LOST_S:
            raise _lost(service, job_id, cause)
        time.sleep(pause)


def _lost(service: Service, job_id: str, cause: str) -> LostJobError:
    gone = f"the Dataflow job {job_id} was lost out of sight for {LOST_S:.0f} s; it may go on, and cost"
    return LostJobError(gone, service.page(job_id), cause, "check the network and who is logged in")


def _spent(service: Service, job_id: str, prices: Prices) -> float | None:
    """Estimate what a job has cost; metrics come late, and a job goes on without them."""
    try:
        return cost_usd(service.usage(job_id), prices)
    except (BakehouseError, LookupError):
        return None


def _errors(service: Service, job_id: str, state: str) -> tuple[str, ...]:
    until = time.monotonic() + (EXPLAINED_S if state == "FAILED" else 0)
    while True:
        with suppress(BakehouseError, LookupError):
            if found := service.errors(job_id):
                return tuple(found)
        if time.monotonic() >= until:
            return ()
        time.sleep(min(POLL_S, 3.0))
