"""GitHub on loopback, and a project on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.baker import Baker
from tests.github.standin import GitHub, github


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with github() as found:
        yield found


@pytest.fixture
def baker(tmp_path: Path, hub: GitHub) -> Baker:
    return Baker(tmp_path, environment=hub.environment()).start()
