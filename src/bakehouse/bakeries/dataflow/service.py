"""The Dataflow service as far as a job's driver asks it: one job's state, messages and metrics, jobs by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from bakehouse.errors import BakehouseError, JobError, UsageError

T = TypeVar("T")

ENDPOINT = "https://dataflow.googleapis.com"
CONSOLE = "https://console.cloud.google.com/dataflow/jobs"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
TIMEOUT_S = 30.0
REMEMBERED = 5
"""How many jobs of one name are looked at."""
RUN = "bakehouse-run"
"""Label of a job that names the run that it is."""


class UnreachableError(BakehouseError):
    """The service did not answer, or with an error that may pass."""


@dataclass(frozen=True)
class Seen:
    """A job as the service described it."""

    id: str
    name: str
    state: str
    labels: Mapping[str, str] = field(default_factory=dict)
    started_at: float = 0.0

    @property
    def run_id(self) -> str:
        """Name the run that the job is; empty if it is none of ours."""
        return self.labels.get(RUN, "")


@dataclass(frozen=True)
class Service:
    """Dataflow in one project and region."""

    project: str
    region: str
    endpoint: str = ENDPOINT
    anonymous: bool = False

    def job(self, job_id: str) -> Seen | None:
        """Ask for one job, with its labels, which short views leave out; None if there is none of that id."""
        try:
            return _seen(self._ask(self._jobs.get_job, {"job_id": job_id, "view": "JOB_VIEW_DESCRIPTION"}))
        except LookupError:
            return None

    def named(self, name: str) -> list[Seen]:
        """List the latest jobs of a name that the service remembers, the latest first."""
        request = {"name": name, "filter": "ALL"}
        found = self._ask(lambda **said: [_seen(job) for job in self._jobs.list_jobs(**said)], request)
        latest = sorted((job for job in found if job.name == name), key=lambda job: job.started_at, reverse=True)
        return [whole for job in latest[:REMEMBERED] if (whole := self.job(job.id)) is not None]

    def errors(self, job_id: str) -> list[str]:
        """List what the service says went wrong, in the order in which it did."""
        request = {"job_id": job_id, "minimum_importance": "JOB_MESSAGE_ERROR"}
        found = self._ask(lambda **said: list(self._messages.list_job_messages(**said)), request)
        return [message.message_text for message in sorted(found, key=lambda message: str(message.time))]

    def usage(self, job_id: str) -> dict[str, float]:
        """Give what a job has used so far, by the service's own names."""
        found = self._ask(self._metrics.get_job_metrics, {"job_id": job_id})
        own = (m for m in found.metrics if m.name.origin == "dataflow/v1b3" and not m.name.context.get("tentative"))
        return {m.name.name: float(m.scalar) for m in own if isinstance(m.scalar, int | float)}

    def cancel(self, job_id: str) -> None:
        """Ask the service to stop a job."""
        self._ask(self._jobs.update_job, {"job_id": job_id, "job": {"requested_state": "JOB_STATE_CANCELLED"}})

    def page(self, job_id: str) -> str:
        """Give the address of a job's page in Google's console."""
        return f"{CONSOLE}/{self.region}/{job_id}?project={self.project}"

    def insist_known(self) -> None:
        """Find out who asks.

        Raises
        ------
        UsageError
            If nobody is logged in.
        """
        self._credentials  # noqa: B018 - looked up, and kept, when it is first asked for

    @cached_property
    def _credentials(self) -> Any:
        import google.auth
        from google.auth.credentials import AnonymousCredentials
        from google.auth.exceptions import DefaultCredentialsError

        if self.anonymous:
            return AnonymousCredentials()
        try:
            return google.auth.default(scopes=SCOPES, quota_project_id=None)[0]
        except DefaultCredentialsError as error:
            fix = "gcloud auth application-default login; in a workflow, google-github-actions/auth"
            raise UsageError("nobody is logged in to Google Cloud", None, str(error).split(". ")[0], fix) from None

    @cached_property
    def _jobs(self) -> Any:
        return self._client("JobsV1Beta3Client")

    @cached_property
    def _messages(self) -> Any:
        return self._client("MessagesV1Beta3Client")

    @cached_property
    def _metrics(self) -> Any:
        return self._client("MetricsV1Beta3Client")

    def _client(self, kind: str) -> Any:
        from google.api_core.client_options import ClientOptions
        from google.cloud import dataflow

        options = ClientOptions(api_endpoint=self.endpoint)
        return getattr(dataflow, kind)(credentials=self._credentials, client_options=options, transport="rest")

    def _ask(self, method: Callable[..., T], request: Mapping[str, Any]) -> T:
        """Ask the service once.

        Raises
        ------
        LookupError
            If there is no such job.
        JobError
            If the service refuses to answer, now and later.
        UnreachableError
            If it did not answer; it may another time.
        """
        from google.api_core.exceptions import ClientError, GoogleAPIError, NotFound, TooManyRequests
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

        whole = {**request, "project_id": self.project, "location": self.region}
        try:
            return method(request=whole, timeout=TIMEOUT_S)
        except NotFound:
            raise LookupError(str(request)) from None
        except ClientError as error:
            if isinstance(error, TooManyRequests):
                raise UnreachableError("the Dataflow service asks for patience", self.endpoint, str(error)) from None
            fix = "check the project, the region, and the rights of who is logged in"
            raise JobError("the Dataflow service refuses to answer", self._where, _short(error), fix) from None
        except (GoogleAPIError, GoogleAuthError, RequestException, OSError) as error:
            raise UnreachableError("the Dataflow service can't be reached", self._where, _short(error)) from None

    @property
    def _where(self) -> str:
        return f"project {self.project}, region {self.region} ({self.endpoint})"


def _seen(job: Any) -> Seen:
    created = job.create_time
    at = created.timestamp() if created else 0.0
    return Seen(job.id, job.name, job.current_state.name.removeprefix("JOB_STATE_"), dict(_items(job)), at)


def _items(job: Any) -> Iterator[tuple[str, str]]:
    yield from ((str(key), str(value)) for key, value in dict(job.labels or {}).items())


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}"
