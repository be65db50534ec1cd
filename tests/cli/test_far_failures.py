"""How a command ends that can't read what is far away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.projects import new_project
from tests.engine.test_far_comparison import noisy
from tests.engine.test_moves import deflated
from tests.support.http import Server

FAR = """\
recipes:
  - id: far
    recipe: files_to_zarr
    with:
      pattern: {url: "https://far.example/{time}.nc", concat: {time: [0, 1, 2]}}
"""


@pytest.mark.parametrize("kept", [100_000, 800_000], ids=["cut in what is read first", "cut later"])
def test_a_file_that_is_cut_short_ends_a_bake_with_an_error_and_no_crash(
    http_server: Server, tmp_path: Path, kept: int
) -> None:
    deflated(http_server.folder, [noisy(i) for i in range(3)])
    path = http_server.folder / "2.nc"
    path.write_bytes(path.read_bytes()[:kept])
    project = new_project(tmp_path / "project")
    project.add("far", FAR)
    running = project.start("bake", "far", "--no-previews", "--mirror", f"https://far.example/={http_server.url}/")
    _, said = running.communicate()
    assert running.returncode == 1, said
    assert "truncated file" in said
    assert "2.nc" in said
