"""Ship a pipeline to Dataflow, with what its workers need."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bakehouse.bakeries.dataflow.options import Shipment, job_options, settled
from bakehouse.bakeries.dataflow.service import ENDPOINT, Service
from bakehouse.bakeries.dataflow.wheel import pack_wheel
from bakehouse.errors import BakehouseError, JobError
from bakehouse.feedstock import Feedstock
from bakehouse.feedstock.shipped import shipped_requirements
from bakehouse.meta.load import REQUIREMENTS
from bakehouse.meta.project import Bakery


def service_of(bakery: Bakery) -> Service:
    """Give the service that a bakery's jobs run on.

    Raises
    ------
    UsageError
        If the bakery does not say which project and region, or nobody is logged in.
    """
    said, options = settled(bakery), bakery.options
    endpoint, anonymous = str(options.get("dataflow_endpoint", ENDPOINT)), bool(options.get("no_auth"))
    found = Service(said.project or "", said.region or "", endpoint, anonymous)
    found.insist_known()
    return found


def submit(
    recipe: Any, bakery: Bakery, feedstock: Feedstock, name: str, labels: Mapping[str, str], workers: int | None = None
) -> str:
    """Start a job that runs a recipe; give its id.

    Raises
    ------
    AlreadyRunningError
        If a job of that name is running.
    JobError
        If the service does not take it.
    BakehouseError
        Whatever stops the pipeline from being built.
    """
    import apache_beam as beam

    with _shipment(bakery, feedstock) as shipment:
        options = job_options(bakery, name, labels, shipment, workers)
        pipeline = _submitting(lambda: beam.Pipeline(options=options), name)
        pipeline | recipe
        result = _submitting(pipeline.run, name)
    return str(result.job_id())


class AlreadyRunningError(JobError):
    """A job of the same name is running."""


@contextmanager
def _shipment(bakery: Bakery, feedstock: Feedstock) -> Iterator[Shipment | None]:
    """Make what workers install as they start, unless their image has it all."""
    if bakery.dataflow and bakery.dataflow.sdk_container_image:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="bakehouse-shipment-") as name:
        folder = Path(name)
        requirements = folder / REQUIREMENTS
        lines = shipped_requirements(feedstock.code / REQUIREMENTS)
        requirements.write_text("\n".join([*lines, ""]), encoding="utf-8")
        yield Shipment(pack_wheel(folder), requirements)


def _submitting(step: Any, name: str) -> Any:
    """Take a step that talks to Google Cloud; what goes wrong there is not the recipe's fault."""
    from google.api_core.exceptions import AlreadyExists, GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    try:
        return step()
    except BakehouseError:
        raise
    except AlreadyExists as error:
        raise AlreadyRunningError(f"a Dataflow job '{name}' is running", None, str(error)) from None
    except Exception as error:
        if type(error).__name__ == "DataflowJobAlreadyExistsError":
            raise AlreadyRunningError(f"a Dataflow job '{name}' is running", None, str(error)) from None
        if isinstance(error, GoogleAPIError | GoogleAuthError | RequestException | OSError | ValueError):
            fix = "check the bakery's project, region and folders, and the rights of who is logged in"
            said = f"{type(error).__name__}: {error}".strip()
            raise JobError("the job could not be submitted to Dataflow", name, said, fix) from None
        raise
