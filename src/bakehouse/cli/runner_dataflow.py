"""What pangeo-forge-runner's settings of a bakery on Dataflow mean here."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bakehouse.cli.traits import Traits
from bakehouse.errors import UsageError
from bakehouse.meta.dataflow import Dataflow
from bakehouse.meta.project import Bakery
from bakehouse.storage import Target

REGION = "us-central1"
"""Where upstream's jobs run unless they are told otherwise."""
NAMES = {
    "project_id": "project", "region": "region", "machine_type": "machine_type", "disk_size_gb": "disk_size_gb",
    "use_public_ips": "use_public_ips", "temp_gcs_location": "temp_location", "max_num_workers": "max_num_workers",
    "service_account_email": "service_account_email",
}  # fmt: skip
"""Upstream's traits, and what they are called here."""


def dataflow_bakery(traits: Traits, own: Bakery, target: Target | None) -> Bakery:
    """Make a bakery on Dataflow of a project's own one and what was set in its place.

    Raises
    ------
    UsageError
        If it can't be used: its target lies on this machine, or a value does not fit.
    """
    where = target or Target(own.target, own.storage_options)
    kept: dict[str, Any] = {"retention": own.retention, "options": own.options}
    kept |= {"catalog": own.catalog} if target is None else {}
    try:
        said = Dataflow.model_validate(_settings(traits, own.dataflow or Dataflow()))
        return Bakery(
            runner="dataflow", target=where.url, storage_options=dict(where.options), dataflow=said, **kept
        )  # fmt: skip
    except ValidationError as error:
        raise _unfit(traits, error) from None


def _settings(traits: Traits, own: Dataflow) -> dict[str, Any]:
    given = {name: traits.get("DataflowBakery", trait) for trait, name in NAMES.items()}
    given["sdk_container_image"] = traits.get("Bake", "container_image") or None
    found = {**own.model_dump(), **{name: value for name, value in given.items() if value is not None}}
    prime = ("enable_prime",) if traits.get("DataflowBakery", "use_dataflow_prime") else ()
    services = (*own.dataflow_service_options, *prime)
    return {**found, "region": found["region"] or REGION, "dataflow_service_options": services}


def _unfit(traits: Traits, error: ValidationError) -> UsageError:
    """Say what is wrong in one line, and where the bakery was asked for."""
    wanted = traits.find("Bake", "bakery_class")
    contexts = [each.get("ctx", {}) for each in error.errors()]
    said = [context.get("message") or each["msg"] for context, each in zip(contexts, error.errors(), strict=True)]
    fix = next((context["fix"] for context in contexts if context.get("fix")), None)
    return UsageError(f"the bakery can't be used: {'; '.join(said)}", wanted.place if wanted else None, None, fix)
