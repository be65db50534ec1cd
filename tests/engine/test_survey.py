"""What inputs' headers said is kept beside the target: a header is read once for each state of its file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.context import using
from bakehouse.openers import survey
from bakehouse.openers.hdf5 import known_header
from bakehouse.openers.opened import close_all
from bakehouse.openers.survey import Survey
from bakehouse.openers.xarray import open_dataset
from bakehouse.patterns import pattern_from_file_sequence
from bakehouse.schema import Identity
from bakehouse.storage import Source, Target, make_source
from bakehouse.transforms.opening import _Open
from tests.engine.pipeline import run_pipeline
from tests.engine.test_cost import context_of, recipe_of, write_small
from tests.support.http import Server

COUNT = 5


class Archive:
    """A few files behind a server, and a recipe of them."""

    def __init__(self, server: Server, out: Path) -> None:
        self.server, self.out, self.runs = server, out, 0
        self.paths = write_small(server.folder, COUNT)
        self.run("bake")

    @property
    def kept(self) -> list[Path]:
        """List the files of the survey."""
        return sorted((self.out / ".survey").rglob("*.parquet"))

    def run(self, mode: str, **changes: Any) -> tuple[dict[str, Any], list[str]]:
        """Run as a new process would; give the plan, and the files of which more was asked than what identifies it."""
        close_all()
        self.server.log.clear()
        self.runs += 1
        pattern = pattern_from_file_sequence([f"{self.server.url}/{path.name}" for path in self.paths], "time")
        context = replace(context_of(self.out, mode), run_id=f"run{self.runs}", **changes)
        with using(context):
            run_pipeline(recipe_of(pattern))
        plan = json.loads(context.notebook.get(f"{context.run_id}.json") or b"")["plan"]
        return plan, sorted({request.path.strip("/") for request in self.server.requests(method="GET")})


@pytest.fixture
def archive(http_server: Server, tmp_path: Path) -> Archive:
    return Archive(http_server, tmp_path / "out")


def test_a_header_is_read_once_for_each_state_of_its_file(archive: Archive) -> None:
    (kept,), names = archive.kept, [path.name for path in archive.paths]
    plan, read = archive.run("plan")
    assert (plan["dims"], read) == ({"time": COUNT, "y": 4, "x": 5}, [])
    assert len(archive.server.requests(method="HEAD")) == COUNT
    assert archive.run("plan", refresh=True) == (plan, names)  # what is made anew is read from the files
    assert archive.kept == [kept]
    with xr.open_dataset(archive.paths[2]) as held:
        changed = held.load() + 1
    changed.to_netcdf(archive.paths[2], engine="h5netcdf")
    after, read = archive.run("plan")
    assert (after["version"] == plan["version"], read) == (False, [names[2]])
    kept.unlink()
    assert archive.run("plan") == (after, names)
    assert archive.kept == []  # a plan writes nothing


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[list[Source]]:
    """Give the inputs of a survey that is there, to a process that has met none of them."""
    found = [make_source(str(path), {}, {}).identified() for path in write_small(tmp_path, 4)]
    for source in found:
        open_dataset(source)
    Survey(Target(str(tmp_path / "kept"))).keep(found, "")
    close_all()
    yield found


def recalled(folder: Path, sources: list[Source], group: str = "") -> list[bool]:
    """Say whose headers a new process is told."""
    close_all()
    Survey(Target(str(folder / "kept"))).recall(sources, group)
    return [known_header(source, group) is not None for source in sources]


def kept(folder: Path) -> Path:
    (found,) = (folder / "kept").rglob("*.parquet")
    return found


def garble(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(bytes(byte ^ 0xFF for byte in data[:-2000]) + data[-2000:])


def other_places(path: Path) -> None:
    """Let rows say that chunks lie elsewhere, in a file that is sound."""
    rows = [replace(row, own=row.own[::-1]) for row in survey._rows(path.read_bytes())]
    path.write_bytes(survey._table(rows))


@pytest.mark.parametrize("damage", [garble, other_places, lambda p: p.write_bytes(b""), lambda p: p.write_text("{}")])
def test_what_is_damaged_counts_for_nothing(
    sources: list[Source], damage: Callable[[Path], Any], tmp_path: Path
) -> None:
    assert recalled(tmp_path, sources) == [True] * 4
    damage(kept(tmp_path))
    assert recalled(tmp_path, sources) == [False] * 4
    assert [ds.a.dims for ds in map(open_dataset, sources)] == [("time", "y", "x")] * 4


def test_another_state_of_the_engine_reads_for_itself(
    sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "engine_state", lambda: "another")
    assert recalled(tmp_path, sources) == [False] * 4


def test_another_group_or_another_address_is_another_input(sources: list[Source], tmp_path: Path) -> None:
    assert recalled(tmp_path, sources, "group") == [False] * 4
    assert recalled(tmp_path, [replace(source, url=f"https://b.org/{source.url}") for source in sources]) == [False] * 4


def test_what_is_verified_is_read_from_the_files(tmp_path: Path) -> None:
    assert _Open("netcdf4", {}, False, False, context_of(tmp_path))._survey() is not None
    assert _Open("netcdf4", {}, False, False, context_of(tmp_path, "verify"))._survey() is None


def test_workers_that_add_at_the_same_time_lose_nothing(sources: list[Source], tmp_path: Path) -> None:
    target = Target(str(tmp_path / "kept"))
    kept(tmp_path).unlink()
    expected = [open_dataset(source) for source in sources]
    for several in (sources[:2], sources[1:3], sources[3:]):
        Survey(target).keep(several, "")
    for _ in range(2):
        Survey(target).merge()
    assert len([name for name, _ in Survey(target).folder.list()]) == 1
    assert recalled(tmp_path, sources) == [True] * 4
    for source, found in zip(sources, expected, strict=True):
        xr.testing.assert_identical(open_dataset(source), found)


def test_what_only_a_size_identifies_is_not_kept(tmp_path: Path) -> None:
    source = make_source(str(write_small(tmp_path, 1)[0]), {}, {}).identified()
    weak = replace(source, identity=Identity(source.identity.size_bytes))
    open_dataset(weak)
    held = Survey(Target(str(tmp_path / "kept")))
    held.keep([weak], "")
    assert held.rows == {}
