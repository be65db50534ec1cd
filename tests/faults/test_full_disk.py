"""A disk that is full stops the bake and says so; once there is room, the same command finishes it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Case, case_of
from tests.faults.site import Site

ROOM_BYTES = 300_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs (root, or CAP_SYS_ADMIN)")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def case(small_disk: Path, first: Site, second: Site, tmp_path: Path) -> Case:
    """Give a case whose stores lie on the small disk."""
    site = first.copy(tmp_path / "site", url=str(small_disk))
    shutil.copytree(site.root / "stores", small_disk, dirs_exist_ok=True)
    site.entry_path.write_text(site.entry_path.read_text().replace(str(site.root / "stores"), str(small_disk)))
    return case_of(site, first, second)


def fill(folder: Path, room_bytes: int) -> Path:
    """Leave so much room on a disk."""
    ballast, stat = folder / "ballast", os.statvfs(folder)
    ballast.write_bytes(bytes(stat.f_bavail * stat.f_frsize - room_bytes))
    return ballast


def test_a_disk_that_fills_up_stops_the_bake(case: Case, small_disk: Path) -> None:
    ballast = fill(small_disk, ROOM_BYTES)
    code, told = case.site.run()
    assert (code, told["ok"]) == (1, False), told
    assert "No space left" in told["error"]["cause"] and "make room" in told["error"]["fix"], told
    case.assert_unpublished()
    ballast.unlink()
    case.assert_completes()
