"""From a bakery on Dataflow to Beam's pipeline options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bakehouse.errors import UsageError, did_you_mean
from bakehouse.meta.dataflow import Dataflow
from bakehouse.meta.project import Bakery

EXTRA = "bakehouse[dataflow]"
SUBMITTED = ("google.cloud.dataflow", "google.cloud.storage", "google_auth_httplib2")
OWN = ("max_cost_usd", "prices", "labels")
"""Settings of a bakery that are no options of Beam, or are spelt differently there."""
# The second keeps Beam from shipping what pip freeze says of this environment, where addresses may hold credentials.
EXPERIMENTS = ["use_runner_v2", "disable_logging_submission_environment"]
FIXED = {
    "runner": "DataflowRunner",
    "streaming": False,
    "save_main_session": False,
    "pickle_library": "cloudpickle",
    # Beam would download every requirement's source; workers install wheels by themselves.
    "requirements_cache": "skip",
    "experiments": EXPERIMENTS,
}


@dataclass(frozen=True)
class Shipment:
    """Files that workers install as they start: the engine's wheel and a list of requirements."""

    wheel: Path
    requirements: Path


def settled(bakery: Bakery) -> Dataflow:
    """Give a bakery's settings with what the environment says where they are silent; all that is missing is said.

    Raises
    ------
    UsageError
        If something is missing that no job can do without, or the library that submits jobs is not installed.
    """
    if missing := [name for name in SUBMITTED if not _is_there(name)]:
        cause = f"not installed: {', '.join(missing)}"
        raise UsageError("jobs can't be submitted to Dataflow", None, cause, f"pip install '{EXTRA}'")
    found = bakery.dataflow or Dataflow()
    asked = {"project": "GOOGLE_CLOUD_PROJECT", "region": "CLOUDSDK_COMPUTE_REGION"}
    found = found.model_copy(update={k: getattr(found, k) or os.environ.get(v) for k, v in asked.items()})
    needed = {"project": "NAME", "region": "us-central1", "temp_location": "gs://BUCKET/FOLDER"}
    if lacking := {name: example for name, example in needed.items() if not getattr(found, name)}:
        said = ", ".join(f"{name}: {example}" for name, example in lacking.items())
        fix = f"write into the bakery: dataflow: {{{said}}}"
        raise UsageError(f"a bakery on Dataflow needs {', '.join(lacking)}", "meta.yaml", None, fix)
    return found


def job_options(
    bakery: Bakery, name: str, labels: Mapping[str, str], shipment: Shipment | None, workers: int | None = None
) -> Any:
    """Make Beam's options for one job.

    Parameters
    ----------
    shipment
        What workers install; None if their image has it all.
    workers
        Most workers at once, instead of what the bakery says.

    Raises
    ------
    UsageError
        If an option is missing, or is none of Beam's.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    said = settled(bakery)
    given = {k: v for k, v in said.model_dump(exclude={*OWN}).items() if v not in (None, ())}
    given["max_num_workers"] = workers or said.max_num_workers or bakery.workers
    given["number_of_worker_harness_threads"] = bakery.threads
    given["dataflow_service_options"] = list(said.dataflow_service_options)
    given["labels"] = [f"{key}={value}" for key, value in {**said.labels, **labels}.items()]
    given["job_name"] = name
    if shipment:
        given |= {"extra_packages": [str(shipment.wheel)], "requirements_file": str(shipment.requirements)}
    made = PipelineOptions(flags=[], **{**FIXED, **given, **_own_experiments(bakery.options)})
    _insist_known(made, bakery.options)
    return made


def _own_experiments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Add a bakery's experiments to those that every job has."""
    if "experiments" not in options:
        return dict(options)
    return {**options, "experiments": [*EXPERIMENTS, *options["experiments"]]}


def _insist_known(made: Any, options: Mapping[str, Any]) -> None:
    known = made.get_all_options()
    for name in options:
        if name not in known:
            raise UsageError(f"Beam has no option '{name}'", "meta.yaml, options", None, did_you_mean(name, known))


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
