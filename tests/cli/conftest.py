"""Fixtures of the command line's tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.growing import Growing, growing
from tests.cli.projects import Project, new_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make a fresh project with the sample feedstock."""
    return new_project(tmp_path / "project")


@pytest.fixture(scope="session")
def _baked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = new_project(tmp_path_factory.mktemp("baked") / "project")
    result = made.run("bake", "seasons")
    assert result.exit_code == 0, result.output
    return made


@pytest.fixture
def baked(_baked: Project, tmp_path: Path) -> Iterator[Project]:
    """Give a project whose sample was baked; entries hold absolute paths, so the original is put back afterwards."""
    shutil.copytree(_baked.root, tmp_path / "kept", symlinks=True)
    yield _baked
    shutil.rmtree(_baked.root)
    shutil.copytree(tmp_path / "kept", _baked.root, symlinks=True)


@pytest.fixture(scope="session")
def _sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    root = tmp_path_factory.mktemp("sea")
    with growing(new_project(root / "project"), root / "www") as made:
        made.run("bake", "sea")
        yield made


@pytest.fixture
def sea(_sea: Growing, tmp_path: Path) -> Iterator[Growing]:
    """Give a baked store whose inputs a server has; everything is put back afterwards, modification times too."""
    folders = (_sea.project.root, _sea.server.folder)
    for folder in folders:
        shutil.copytree(folder, tmp_path / "kept" / folder.name, symlinks=True)
    _sea.server.clear()
    yield _sea
    _sea.server.heal()
    for folder in folders:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "kept" / folder.name, folder, symlinks=True)


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that belongs to no project and no repository."""
    folder = tmp_path / "away"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
