from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bakehouse.catalog.atomic import LOCK, locked, write_if_changed
from bakehouse.catalog.check import check
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import entry_path
from bakehouse.catalog.lookup import open_catalog
from bakehouse.catalog.register import rebuild, register
from bakehouse.errors import CatalogError
from tests.catalog.samples import entry

PROCESSES = 8
ROOT = Path(__file__).resolve().parents[2]
ENTRY = """
import os, signal, sys
from pathlib import Path
from bakehouse.catalog import atomic, register
from bakehouse.catalog.entry import Check, Entry, Store

def entry(id):
    feedstock, _, recipe = id.partition("/")
    store = Store(url="s3://bucket/a.zarr", zarr_format=3, consolidated=True)
    said = dict(kind="linked", title=id, store=store, check=Check(level="declared"))
    return Entry(feedstock=feedstock, recipe=recipe, **said)
"""
REGISTER_FIVE = f"""{ENTRY}
sys.stdin.readline()
for number in range(5):
    register.register(Path(sys.argv[1]), entry(f"f{{int(sys.argv[2]) % 3}}/p{{sys.argv[2]}}-{{number}}"))
"""
DIE_BEFORE = f"""{ENTRY}
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "replace":
    os.replace = die
else:
    setattr(register, sys.argv[2], die)
register.register(Path(sys.argv[1]), entry("victim/victim"))
"""


def _start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True)


def _state(catalog: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in catalog.rglob("*") if path.is_file()}


def test_concurrent_registrations_lose_nothing(tmp_path: Path) -> None:
    running = [_start(REGISTER_FIVE, tmp_path, number) for number in range(PROCESSES)]
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0] * PROCESSES
    expected = {f"f{process % 3}/p{process}-{number}" for process in range(PROCESSES) for number in range(5)}
    assert set(open_catalog(tmp_path).names()) == expected
    assert check(tmp_path) == []
    assert not [path for path in tmp_path.rglob(".*")]


@pytest.mark.parametrize("moment", ["replace", "write_if_changed", "write_index"])
def test_a_killed_registration_is_healed_by_the_next(tmp_path: Path, moment: str) -> None:
    register(tmp_path, entry("first/first"))
    killed = _start(DIE_BEFORE, tmp_path, moment)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "victim/victim.json").exists() == (moment == "write_index")
    register(tmp_path, entry("third/third"))
    assert check(tmp_path) == []
    assert not [path for path in tmp_path.rglob(".*")]
    assert set(open_catalog(tmp_path).names()) >= {"first/first", "third/third"}
    register(tmp_path, entry("victim/victim"))
    assert check(tmp_path) == []


def test_registering_the_same_again_touches_nothing(tmp_path: Path) -> None:
    assert register(tmp_path, entry())
    before = _state(tmp_path)
    assert not register(tmp_path, entry())
    assert rebuild(tmp_path) == []
    assert _state(tmp_path) == before


def test_an_older_version_is_remembered_once(tmp_path: Path) -> None:
    for version in ("v1", "v2", "v2", "v3"):
        register(tmp_path, entry(version=version, url=f"s3://bucket/{version}.zarr"))
    found = _read(tmp_path)
    assert found.version == "v3"
    assert [(each.version, each.url) for each in found.previous] == [
        ("v1", "s3://bucket/v1.zarr"),
        ("v2", "s3://bucket/v2.zarr"),
    ]


def test_going_back_to_an_older_version_remembers_the_newer(tmp_path: Path) -> None:
    for version in ("v1", "v2", "v1"):
        register(tmp_path, entry(version=version))
    found = _read(tmp_path)
    assert (found.version, [each.version for each in found.previous]) == ("v1", ["v2"])


def test_history_can_be_dropped(tmp_path: Path) -> None:
    register(tmp_path, entry(version="v1"))
    register(tmp_path, entry(version="v2"), keep_history=False)
    assert _read(tmp_path).previous == ()


@pytest.mark.parametrize(
    ("clash", "fault"),
    [
        (entry("OISST/weekly"), "only in case"),
        (entry("oisst/Daily"), "only in case"),
        (entry("b/b", aliases=["oisst.zarr"]), "alias 'oisst.zarr' also names another entry"),
        (entry("b/b", aliases=["oisst"]), "alias 'oisst' also names another entry"),
        (entry("oisst.zarr/a"), "alias 'oisst.zarr' also names another entry"),
    ],
)
def test_an_entry_that_would_hide_another_is_refused(tmp_path: Path, clash: Entry, fault: str) -> None:
    register(tmp_path, entry("oisst/daily", aliases=["oisst.zarr"]))
    before = _state(tmp_path)
    with pytest.raises(CatalogError, match=fault):
        register(tmp_path, clash)
    assert _state(tmp_path) == before


def test_a_broken_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / entry_path("oisst/daily")
    path.parent.mkdir()
    path.write_text("{")
    assert register(tmp_path, entry())
    assert check(tmp_path) == []


def test_the_lock_is_free_after_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path):
        raise RuntimeError
    with locked(tmp_path):
        assert (tmp_path / LOCK).exists()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_if_changed(path, b"old")

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write_if_changed(path, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"] and path.read_bytes() == b"old"


def test_files_have_the_rights_that_the_user_asks_for(tmp_path: Path) -> None:
    write_if_changed(tmp_path / "a.json", b"a")
    (tmp_path / "b.json").write_bytes(b"b")
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "b.json").stat().st_mode


def _read(catalog: Path) -> Entry:
    return Entry.from_json((catalog / entry_path("oisst/daily")).read_bytes())
