"""Models of the project's meta.yaml, in the root of the repository."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from bakehouse.errors import UsageError, did_you_mean
from bakehouse.meta.base import Listed, Strict, refusal
from bakehouse.meta.dataflow import Dataflow
from bakehouse.meta.models import LicenseLink, Maintainer


class Retention(Strict):
    """Which earlier versions `bakehouse gc` leaves, unless its options say otherwise."""

    keep: NonNegativeInt = Field(default=1, description="How many versions before the one in use stay")
    older_than_days: NonNegativeFloat = Field(default=30, description="Nothing younger than this many days is removed")


class Bakery(Strict):
    """A runner, the target that it writes to and the catalog that it registers in."""

    runner: Literal["direct", "dataflow", "flink", "dask"] = Field(default="direct", description="Beam runner")
    target: str = Field(description="Root of all stores: a URL, or a path relative to the project")
    catalog: Literal["local", "published"] = Field(
        default="local", description="Which catalog its bakes are registered in"
    )
    cache: str | None = Field(
        default=None, description="Where copies of inputs are kept: a URL, or a path relative to the project"
    )
    workers: PositiveInt | None = Field(default=None, description="Most workers at once; all cores if left out")
    threads: PositiveInt | None = Field(default=None, description="Threads per worker")
    retention: Retention = Field(default=Retention(), description="What `bakehouse gc` leaves")
    dataflow: Dataflow | None = Field(default=None, description="Where and with what jobs run, if runner is dataflow")
    options: dict[str, Any] = Field(default={}, description="Options of the Beam runner")
    storage_options: dict[str, Any] = Field(
        default={},
        description="Options of the file system of the target, and of a cache on the same one; never credentials",
    )

    @property
    def is_service(self) -> bool:
        """Say whether its jobs are a service's, which goes on with them whatever becomes of who started them."""
        return self.runner == "dataflow"

    @model_validator(mode="after")
    def _fits(self) -> Bakery:
        if self.dataflow and self.runner != "dataflow":
            cause = f"dataflow is set, but the runner is {self.runner}"
            raise refusal("BH503", cause, "write runner: dataflow, or leave it out", at=("dataflow",))
        for name in ("target", "cache") if self.is_service else ():
            url = getattr(self, name)
            if url is not None and ("://" not in url or url.startswith(("file:", "local:", "memory:"))):
                what = f"the {self.runner} runner's workers are on other machines, which can't reach '{url}'"
                raise refusal("BH503", what, "name a bucket: gs://…, s3://…", at=(name,))
        return self

    def here(self) -> Bakery:
        """Give a bakery that does on this machine what this one does on others."""
        return self.model_copy(update={"runner": "direct", "dataflow": None, "options": {}, "workers": None})


class Defaults(Strict):
    """What holds for every feedstock that does not say otherwise."""

    license: str | None = Field(default=None, description="SPDX identifier or expression")
    license_link: LicenseLink | None = None
    maintainers: Listed[Maintainer] = ()
    zarr_format: Literal[2, 3] = 3


class Project(Strict):
    """The project's meta.yaml: its title, its bakeries and what its feedstocks share."""

    title: str
    description: str | None = None
    url: str | None = Field(default=None, description="Home page of the project")
    catalog_url: str | None = Field(default=None, description="Where the published catalog.json can be read")
    default_bakery: str = "local"
    bakeries: dict[str, Bakery] = Field(min_length=1)
    defaults: Defaults = Defaults()

    @model_validator(mode="after")
    def _default_exists(self) -> Project:
        if self.default_bakery not in self.bakeries:
            fix = did_you_mean(self.default_bakery, self.bakeries)
            raise refusal("BH501", f"there is no bakery '{self.default_bakery}'", fix, at=("default_bakery",))
        return self

    def bakery(self, name: str | None = None) -> Bakery:
        """Give a bakery by name, or the default one.

        Raises
        ------
        UsageError
            If there is no bakery of that name.
        """
        found = self.bakeries.get(name or self.default_bakery)
        if found is None:
            raise UsageError(f"there is no bakery '{name}'", "meta.yaml", None, did_you_mean(str(name), self.bakeries))
        return found
