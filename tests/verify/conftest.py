"""Stores of every kind, baked once, to copy and to damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bake.kitchen import Kitchen
from tests.verify.shelves import KINDS, shelf


@pytest.fixture(scope="session", params=KINDS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    """Give a store of each kind; leave it as it is."""
    return shelf(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def copy(whole: Kitchen, tmp_path: Path) -> Kitchen:
    """Give a copy of a store of each kind."""
    kind = next(kind for kind in KINDS if whole.root.name.startswith(kind))
    return whole.copy(tmp_path / kind)
