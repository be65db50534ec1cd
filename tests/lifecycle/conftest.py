"""Fixtures: bakes without a runner, which start at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lifecycle.larder import without_beam


@pytest.fixture
def at_once() -> Iterator[None]:
    """Run recipes without a runner."""
    with without_beam():
        yield
