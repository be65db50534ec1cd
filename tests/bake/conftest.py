"""A kitchen that has baked once, to copy and to damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bake.kitchen import Kitchen, make_kitchen


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    """Give a kitchen whose store is baked; leave it as it is."""
    kitchen = make_kitchen(tmp_path_factory.mktemp("kitchen"))
    kitchen.bake()
    return kitchen


@pytest.fixture
def baked(done: Kitchen, tmp_path: Path) -> Kitchen:
    """Give a copy of a kitchen whose store is baked."""
    return done.copy(tmp_path)
