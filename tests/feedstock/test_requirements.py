"""What a requirements.txt asks for, held against what is installed."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from bakehouse.feedstock.requirements import Wanted, engine_versions, floor_of, read_requirements


def _read(tmp_path: Path, text: str) -> Wanted:
    (tmp_path / "requirements.txt").write_text(text)
    return read_requirements(tmp_path / "requirements.txt")


def test_nothing_is_installed_where_everything_is_there(tmp_path: Path) -> None:
    text = f"xarray\nnumpy>=1.20  # any\nclick=={version('click')}\n\n# zarr==2\nnothing; python_version < '3'\n"
    assert _read(tmp_path, text) == Wanted()
    assert read_requirements(tmp_path / "none.txt") == Wanted()


@pytest.mark.parametrize(
    "line",
    [
        "pangeo-forge-recipes==0.10.7",
        "git+https://github.com/pangeo-forge/pangeo-forge-recipes@jb/xarray-hack #see the issue",
        "git+ssh://git@github.com/pangeo-forge/pangeo-forge-recipes.git",
        "leap-data-management-utils[pangeo-forge] @ git+https://github.com/leap-stc/leap-data-management-utils.git@x",
    ],
)
def test_names_that_are_served_are_not_installed(line: str, tmp_path: Path) -> None:
    wanted = _read(tmp_path, line)
    assert (wanted.install, len(wanted.notes)) == ((), 1)
    assert wanted.notes[0].endswith("not installed, Bakehouse serves its names")


@pytest.mark.parametrize(
    "line", ["zarr<3.0.0 ", "zarr==2.16.1 --hash=sha256:00", "git+https://github.com/o/zarr-python@main#egg=zarr"]
)
def test_what_would_pull_the_old_stack_is_overruled(line: str, tmp_path: Path) -> None:
    wanted = _read(tmp_path, line)
    assert wanted.install == ()
    assert wanted.notes[0].endswith(f"overruled, Bakehouse runs on zarr {version('zarr')}")


def test_dependencies_of_the_engines_dependencies_are_the_engines(tmp_path: Path) -> None:
    assert engine_versions()["python-dateutil"] == version("python-dateutil")
    assert "overruled" in _read(tmp_path, "python_dateutil==2.0").notes[0]


def test_what_is_missing_is_installed_as_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("nothing-of-that-name[all]>=1,<2\n")
    text = (
        "--find-links ./wheels --no-index\n-r more.txt\ngit+https://example.org/o/fork@main\nnothing-else \\\n  ==2\n"
    )
    assert _read(tmp_path, text) == Wanted(
        ("nothing-of-that-name[all]>=1,<2", "git+https://example.org/o/fork@main", "nothing-else ==2"),
        ("--find-links", "./wheels", "--no-index"),
    )


def test_extras_of_the_runner_are_left_out_and_said(tmp_path: Path) -> None:
    wanted = _read(tmp_path, "apache_beam[gcp]>=2.58\n")
    assert (wanted.install, "extras of the runner are left out" in wanted.notes[0]) == ((), True)


def test_a_package_of_an_extra_is_taken_as_it_is_pinned_if_the_engine_takes_it(tmp_path: Path) -> None:
    assert _read(tmp_path, "gcsfs==2025.7.0\n").install == (f"gcsfs==2025.7.0,{floor_of('gcsfs')}",)
    assert _read(tmp_path, "gcsfs\n").install == (f"gcsfs{floor_of('gcsfs')}",)
    old = _read(tmp_path, "gcsfs==2024.2.0\n")
    assert (old.install, "overruled" in old.notes[0]) == ((f"gcsfs{floor_of('gcsfs')}",), True)
