"""Files that killed processes were writing on a disk: nobody lists them, and `gc` removes them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from bakehouse.bake.collect import collect
from tests.lifecycle.larder import CUT, Larder, days, make_larder
from tests.oracle import assert_same

pytestmark = pytest.mark.usefixtures("at_once")


def partial(larder: Larder) -> list[str]:
    return sorted(path.relative_to(larder.stores).as_posix() for path in larder.stores.rglob("*#*"))


def gathered(larder: Larder, days_old: float = 0, dry: bool = False) -> Any:
    return collect(larder.catalog, larder.job().target, larder.entry, 0, days_old, dry)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def larder(tmp_path: Path) -> Larder:
    """Give a store whose first bake was killed while it wrote an object, and which was baked again."""
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=CUT)
    process = larder.start("bake", {"path": r"sst/c/0/0/0$"})
    process.communicate()
    assert process.returncode == -9
    assert larder.bake().status == "published"
    assert [name.partition("#")[0] for name in partial(larder)] == [f"{larder.store.name}/sst/c/0/0/0"]
    return larder


def test_they_go_once_they_are_old(larder: Larder) -> None:
    (left,) = partial(larder)
    gathered(larder, days_old=1)
    assert partial(larder) == [left]
    os.utime(larder.stores / left, (time.time() - 2 * 86_400,) * 2)
    said, before = gathered(larder, days_old=1, dry=True), size_of(larder.stores)
    assert (said.leftovers, said.objects, partial(larder)) == ((left,), 1, [left])
    assert gathered(larder, days_old=1) == said
    assert (partial(larder), before - size_of(larder.stores)) == ([], said.bytes_freed)
    assert_same(larder.opened(), larder.expected())
    assert larder.verify().status == "verified"


def test_they_go_with_their_version(larder: Larder) -> None:
    larder.bake(refresh=True)
    before = size_of(larder.stores)
    found = gathered(larder)
    assert [path.name for path in larder.stores.glob("*.zarr")] == [larder.store.name]
    assert before - size_of(larder.stores) == found.bytes_freed
    assert_same(larder.opened(), larder.expected())


def test_a_folder_that_holds_nothing_else_is_a_leftover(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), options=CUT)
    larder.bake()
    folder = larder.stores / "0123456789abcdef.zarr"
    folder.mkdir()
    (folder / "zarr.json#1").write_bytes(b"{")
    assert gathered(larder).leftovers[-1] == folder.name
    assert not folder.exists()


def test_other_files_with_such_names_stay(larder: Larder) -> None:
    notes = [larder.stores / "mine" / "page#1", larder.store / "sst" / "c#d"]
    notes[0].parent.mkdir()
    for path in notes:
        path.write_text("kept")
    gathered(larder)
    assert [path.read_text() for path in notes] == ["kept", "kept"]
