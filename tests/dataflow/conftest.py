"""A project with a bakery on Dataflow, and a cloud on loopback that its jobs run on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakehouse.bakeries.dataflow import waiting
from tests.cli.projects import Project, new_project
from tests.dataflow.cloud import BUCKET, PROJECT, REGION, Cloud, service_account, stand_in
from tests.support.s3 import S3

SUBMITS = "google.cloud.dataflow"
"""What bakehouse[dataflow] brings; tests that submit jobs are passed over without it."""


@pytest.fixture(scope="session")
def _cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    for module in (SUBMITS, "google.cloud.storage", "google_auth_httplib2"):
        pytest.importorskip(module, reason="needs the extra bakehouse[dataflow]")
    folder = tmp_path_factory.mktemp("cloud")
    with stand_in(folder) as made:
        yield made


@pytest.fixture
def cloud(_cloud: Cloud, moto: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Give an empty cloud that is asked often; its workers may write to the S3 endpoint."""
    _cloud.reset()
    service_account(_cloud, tmp_path / "key.json")
    google = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"), "STORAGE_EMULATOR_HOST": _cloud.address}
    for name, value in {**moto.environment, **google, "NO_GCE_CHECK": "true"}.items():
        monkeypatch.setenv(name, value)
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "STORAGE_"))}
    _cloud.environment = {name: value for name, value in quiet.items() if name != "PYTHONPATH"}
    for name, seconds in {"POLL_S": 0.1, "FIRST_RETRY_S": 0.05, "LONGEST_RETRY_S": 0.2, "EXPLAINED_S": 0.3}.items():
        monkeypatch.setattr(waiting, name, seconds)
    yield _cloud
    _cloud.stop()


@pytest.fixture
def project(cloud: Cloud, moto: S3, tmp_path: Path) -> Project:
    """Make a project whose bakery `cloud` runs its jobs on the stand-in, and keeps its stores on S3."""
    made = new_project(tmp_path / "project")
    said = {
        "runner": "dataflow",
        "target": f"{moto.url}/stores",
        "storage_options": {"endpoint_url": moto.endpoint},
        "dataflow": {"project": PROJECT, "region": REGION, "temp_location": f"gs://{BUCKET}/beam"},
        "options": {"dataflow_endpoint": cloud.endpoint},
    }
    meta = made.root / "meta.yaml"
    meta.write_text(meta.read_text() + f"  cloud: {json.dumps(said)}\n")
    return made
