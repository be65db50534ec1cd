"""What the project's meta.yaml says of a bakery on Google Cloud Dataflow, in Beam's own words."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, field_validator

from bakehouse.meta.base import Listed, Strict, refusal

_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}=[a-z0-9_-]{0,63}")
_BUCKET = re.compile(r"gs://[a-z0-9][-_a-z0-9.]*[a-z0-9]/.+")


def _folder(url: str) -> str:
    if not _BUCKET.fullmatch(url):
        raise refusal("BH502", f"{url!r} is no folder in a bucket of Google Cloud", "write gs://BUCKET/FOLDER")
    return url


GcsFolder = Annotated[str, AfterValidator(_folder)]
"""A folder in a bucket of Google Cloud Storage: ``gs://BUCKET/FOLDER``."""


class Prices(Strict):
    """What a worker's resources cost, in US dollars: the list prices of batch jobs in us-central1.

    They are those of https://cloud.google.com/dataflow/pricing, as Beam 2.77 has them in
    `apache_beam.testing.load_tests.dataflow_cost_consts`, read in November 2026.
    """

    vcpu_hour_usd: float = Field(default=0.056, ge=0, description="One virtual CPU for an hour")
    memory_gb_hour_usd: float = Field(default=0.003557, ge=0, description="One GB of memory for an hour")
    disk_gb_hour_usd: float = Field(default=0.000054, ge=0, description="One GB of standard disk for an hour")
    ssd_gb_hour_usd: float = Field(default=0.000298, ge=0, description="One GB of SSD for an hour")
    shuffle_gb_usd: float = Field(default=0.011, ge=0, description="One GB that the service shuffles")


class Dataflow(Strict):
    """Where and with what jobs run on Dataflow. Who they run for is found as Google's libraries do; never say it here.

    Examples
    --------
    >>> Dataflow(project="sea", region="us-central1", temp_location="gs://sea-scratch/beam").machine_type
    'n1-highmem-2'
    """

    project: str | None = Field(
        default=None, description="The project that is billed; left out, the variable GOOGLE_CLOUD_PROJECT names it"
    )
    region: str | None = Field(
        default=None, description="Where workers run, best where the data are; else CLOUDSDK_COMPUTE_REGION names it"
    )
    temp_location: GcsFolder | None = Field(default=None, description="gs:// folder for what jobs only need meanwhile")
    staging_location: GcsFolder | None = Field(
        default=None, description="gs:// folder for what is shipped to workers; temp_location if left out"
    )
    machine_type: str = Field(default="n1-highmem-2", description="Compute Engine's name of the kind of worker")
    max_num_workers: PositiveInt | None = Field(default=None, description="Most workers at once")
    num_workers: PositiveInt | None = Field(default=None, description="How many workers a job begins with")
    disk_size_gb: PositiveInt | None = Field(default=None, description="Size of each worker's disk")
    worker_zone: str | None = Field(default=None, description="Zone of the region that workers run in")
    service_account_email: str | None = Field(default=None, description="Identity that the workers have")
    network: str | None = Field(default=None, description="Network of the workers")
    subnetwork: str | None = Field(
        default=None, description="Subnetwork of the workers: regions/REGION/subnetworks/NAME, or its URL"
    )
    use_public_ips: bool | None = Field(
        default=None, description="Whether workers reach, and are reached by, the internet directly"
    )
    sdk_container_image: str | None = Field(
        default=None,
        description="Image that workers run, with this very engine in it; left out, the engine and the feedstock's "
        "requirements are installed as workers start",
    )
    dataflow_kms_key: str | None = Field(default=None, description="Key that encrypts what the service keeps")
    dataflow_service_options: Listed[str] = Field(
        default=(), description="Options of the service, such as enable_prime"
    )
    labels: dict[str, str] = Field(default={}, description="Labels of the job, for bills")
    max_cost_usd: PositiveFloat | None = Field(
        default=None, description="Refuse what is estimated to cost more, and cancel a job that has"
    )
    prices: Prices = Field(default=Prices(), description="Prices that cost is estimated with")

    @field_validator("labels")
    @classmethod
    def _fit(cls, labels: dict[str, str]) -> dict[str, str]:
        for key, value in labels.items():
            if not _LABEL.fullmatch(f"{key}={value}"):
                fix = "lower-case letters, digits, '_' and '-', at most 63 of them, beginning with a letter"
                raise refusal("BH502", f"'{key}: {value}' can't be a label on Google Cloud", fix, at=(key,))
        return labels
