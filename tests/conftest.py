"""Fixtures for every test: servers on loopback, and an environment that belongs to the test alone."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Fixtures of feedstocks are named "tests.support.generators:…", from the project's root.
ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.support.http import Server, serve  # noqa: E402
from tests.support.s3 import S3, moto_s3, rclone_s3  # noqa: E402

# Beam warns at every run that threads, which are what is wanted here, are no processes.
logging.getLogger("apache_beam.runners.portability.fn_api_runner.fn_runner").setLevel(logging.ERROR)

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile(
    "ci", deadline=None, max_examples=40, derandomize=True, database=None, suppress_health_check=SLOW
)
settings.register_profile("nightly", deadline=None, max_examples=1000, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the session a home of its own, and none of the caller's settings or credentials."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("BAKEHOUSE_", "AWS_", "GOOGLE_")) or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
        patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("BAKEHOUSE_PREVIEWS", "false")  # drawing takes longer than the bakes of most tests
        yield


@pytest.fixture
def http_server(tmp_path: Path) -> Iterator[Server]:
    """Serve a fresh folder (`http_server.folder`) over HTTP."""
    folder = tmp_path / "www"
    folder.mkdir()
    with serve(folder) as server:
        yield server


@pytest.fixture(scope="session")
def _moto() -> Iterator[S3]:
    with moto_s3() as server:
        yield server


@pytest.fixture(scope="session")
def _rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with rclone_s3(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture
def moto(_moto: S3) -> S3:
    """Give an empty bucket on an endpoint that honours conditional PUT."""
    return _moto.new_bucket()


@pytest.fixture
def rclone(_rclone: S3) -> S3:
    """Give an empty bucket on an endpoint that ignores conditional headers."""
    return _rclone.new_bucket()


@pytest.fixture(params=["moto", "rclone"])
def s3(request: pytest.FixtureRequest) -> S3:
    """Run the test on both endpoints."""
    found: S3 = request.getfixturevalue(request.param)
    return found
