"""`--isolated`: recipes with the packages that their requirements.txt asks for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.repositories import RECIPE, Repository, new_repository, run
from tests.support.wheels import write_wheel

TOOL = "def scaled(x):\n    return x\n"
WITH_TOOL = f"from rain_tools import scaled\n{RECIPE}"
ASKED = "--no-index\n--find-links ./wheels\nrain-tools==1.0\nzarr==2.16.1\npangeo-forge-recipes==0.10.7\nxarray\n"


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that belongs to no project, with a cache of its own."""
    folder = tmp_path / "away"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = new_repository(tmp_path / "rain", recipe_py=WITH_TOOL)
    write_wheel(made.feedstock / "wheels", "rain-tools", "1.0", TOOL, requires=("numpy", "python-dateutil"))
    (made.feedstock / "requirements.txt").write_text(ASKED)
    return made


def _start(*words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process, which --isolated replaces; `path` may hold uv."""
    env = {**os.environ, "PATH": f"{path}:/usr/bin:/bin" if path else "/usr/bin:/bin"}
    return subprocess.run([sys.executable, "-m", "bakehouse", *words], env=env, capture_output=True, text=True)


def _uv(tmp_path: Path) -> Path:
    """Give a folder that holds nothing but uv."""
    from uv import find_uv_bin

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/uv").symlink_to(find_uv_bin())
    return tmp_path / "bin"


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_recipe_has_what_it_asks_for_beside_the_engine(
    installer: str, away: Path, repository: Repository, tmp_path: Path
) -> None:
    path = _uv(tmp_path) if installer == "uv" else None
    ran = _start("bake", str(repository.root), "--isolated", "--json", path=path)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["recipes"][0]["ok"]
    assert "requirements.txt: zarr==2.16.1: overruled, Bakehouse runs on zarr 3" in ran.stderr
    assert "requirements.txt: pangeo-forge-recipes==0.10.7: not installed" in ran.stderr
    (home,) = (tmp_path / "cache/bakehouse/environments").iterdir()
    installed = {each.name for each in home.glob("lib/python*/site-packages/*.dist-info")}
    assert {"rain_tools-1.0.dist-info"} <= installed and not any(name.startswith("numpy") for name in installed)
    made = (home / "ready").stat().st_mtime_ns
    shutil.rmtree(repository.feedstock / "wheels")
    assert _start("plan", str(repository.root), "--isolated", path=path).returncode == 0
    assert (home / "ready").stat().st_mtime_ns == made


def test_no_environment_is_made_where_everything_is_there(away: Path, repository: Repository, tmp_path: Path) -> None:
    (repository.feedstock / "recipe.py").write_text(RECIPE)
    (repository.feedstock / "requirements.txt").write_text("xarray\nzarr<3\napache-beam[gcp]\n")
    result = run("plan", str(repository.root), "--isolated")
    assert (result.exit_code, "zarr<3: overruled" in result.stderr) == (0, True)
    assert not (tmp_path / "cache").exists()


def test_what_can_not_be_installed_is_one_error(away: Path, repository: Repository, tmp_path: Path) -> None:
    shutil.rmtree(repository.feedstock / "wheels")
    (repository.feedstock / "wheels").mkdir()
    result = run("bake", str(repository.root), "--isolated")
    assert (result.exit_code, "can't install rain-tools==1.0" in result.stderr) == (1, True)
    assert "requirements.txt" in result.stderr and "Traceback" not in result.stderr


def test_without_it_a_missing_package_names_it(away: Path, repository: Repository) -> None:
    result = run("bake", str(repository.root))
    assert result.exit_code == 1
    assert "install 'rain_tools', or correct the import; --isolated installs what feedstock/requirements.txt names" in (
        result.stderr
    )
