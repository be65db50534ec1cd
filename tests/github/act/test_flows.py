"""Every scenario comes out as it says; the page of the flows tells what came of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.act.kitchen import kitchen
from tests.github.act.played import SCENARIOS
from tests.github.act.scenarios import Scenario
from tests.support.s3 import S3, moto_s3


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    """Serve S3."""
    with moto_s3() as server:
        yield server


def _marked(each: Scenario) -> object:
    return pytest.param(each, id=each.name, marks=[pytest.mark.nightly] if each.nightly else [])


@pytest.mark.parametrize("scenario", [_marked(each) for each in SCENARIOS])
def test_flow(scenario: Scenario, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("s3") if scenario.cloud else None
    with kitchen(tmp_path / "bench", server, scenario.engine) as made:
        assert scenario.play(made)
