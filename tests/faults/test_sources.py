"""Sources that fail, stall, lie or change stop the bake by name, or are asked again; no wrong value is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bakehouse.openers.opened import close_all
from bakehouse.storage import remote
from tests.faults.conftest import Case, case_of
from tests.faults.site import Site, assert_reads, source, write_inputs
from tests.support.http import Fault, Server, serve

STATIONS = 40_000


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("web")
    write_inputs(folder / "inputs", STATIONS)
    with serve(folder) as server:
        yield server


@pytest.fixture(scope="module")
def first_of_web(web: Server, tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("first"), web.address("inputs"), stations=STATIONS).write("first")
    assert site.run()[0] == 0
    return site


@pytest.fixture(scope="module")
def second_of_web(first_of_web: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = first_of_web.copy(tmp_path_factory.mktemp("second")).write("second")
    assert site.run()[0] == 0
    return site


@pytest.fixture(scope="module")
def headers(web: Server, first_of_web: Site) -> int:
    """Count the requests that reading one header takes."""
    web.clear()
    close_all()
    assert first_of_web.run("plan", "sea")[0] == 0
    return len(web.requests("inputs/2.nc"))


@pytest.fixture
def case(web: Server, first_of_web: Site, second_of_web: Site, tmp_path: Path) -> Iterator[Case]:
    web.clear()
    close_all()  # what one process learnt of an input, another one has to ask for
    yield case_of(first_of_web.copy(tmp_path / "site"), first_of_web, second_of_web)
    web.heal()


FAULTS = {
    "is gone": (Fault(status=404), "no such file"),
    "may not be read": (Fault(status=403), "cannot reach the file"),
    "fails": (Fault(status=503), "503"),
    "is cut": (Fault(truncate_bytes=10), "cannot reach the file"),
    "is shorter than it says": (Fault(content_length=10**7), "cannot reach the file|it was 10000000, it is"),
    "does not answer": (Fault(delay_s=3), "cannot reach the file"),
}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, impatient: None) -> None:
    """Let clients wait for a second only."""
    make = remote.client_options
    monkeypatch.setattr(remote, "client_options", lambda options: {**make(options), "timeout": "1s"})


@pytest.mark.parametrize("when", [pytest.param("in its header", marks=pytest.mark.nightly), "in its data"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_source_that(case: Case, web: Server, name: str, when: str, headers: int, hasty: None) -> None:
    fault, said = FAULTS[name]
    start = headers + 1 if when == "in its data" else 1
    web.fail("inputs/2.nc", fault, nth=range(start, 1000))
    code, told = case.site.run()
    assert (code, told["ok"]) == (1, False), told
    assert f"input time=2 ({web.address('inputs/2.nc')})" in told["error"]["where"], told
    assert re.search(said, str(told["error"])), told
    case.assert_unpublished()
    web.heal()
    case.assert_completes()


def test_faults_that_pass_are_asked_away(case: Case, web: Server, impatient: None) -> None:
    web.fail("inputs/0.nc", Fault(status=503), nth=[1, 4])
    web.fail("inputs/1.nc", Fault(status=500), nth=[2, 3])
    web.fail("inputs/2.nc", Fault(status=429), nth=2)
    code, told = case.site.run()
    assert (code, told.get("status")) == (0, "published"), told
    case.assert_made()


def test_a_body_that_is_cut_once_is_asked_for_again_or_stops_the_bake(case: Case, web: Server) -> None:
    web.fail("inputs/1.nc", Fault(truncate_bytes=10), nth=3, method="GET")
    code, told = case.site.run()
    if code:
        assert "input time=1" in told["error"]["where"]
        case.assert_unpublished()
    web.heal()
    case.assert_made() if code == 0 else case.assert_completes()


def test_a_source_that_changes_after_its_header_was_read_stops_the_bake(case: Case, web: Server, headers: int) -> None:
    path = web.folder / "inputs" / "2.nc"
    data = path.read_bytes()
    level = source(2, STATIONS)["level"].values
    other = data.replace(level.tobytes(), (level + 1).tobytes())
    assert len(other) == len(data) and other != data
    web.fail("inputs/2.nc", Fault(content=other), nth=range(headers + 1, 1000))
    code, told = case.site.run()
    assert (code, told["ok"]) == (1, False), told
    assert "input time=2" in told["error"]["where"] and "changed" in told["error"]["message"], told
    case.assert_unpublished()
    web.heal()
    case.assert_completes()


def test_a_source_on_disk_that_changes_after_its_header_was_read_stops_the_bake(case: Case, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    write_inputs(inputs)
    changing = "\n".join(
        [
            "import os",
            "def change(index, ds):",
            f"    path = {str(inputs / '2.nc')!r}",
            "    if '2.nc' in ds.encoding.get('source', ''):",
            "        os.utime(path, ns=(0, 0))",
            "    return index, ds",
        ]
    )
    site = replace(case.site, inputs=str(inputs), stations=0).write("second")
    recipe = site.root / "feedstocks" / "sea" / "recipe.py"
    text = recipe.read_text()
    step = '    | OpenWithXarray(file_type="netcdf4")\n'
    assert step in text
    recipe.write_text(changing + text.replace(step, step + "    | beam.MapTuple(change)\n"))
    code, told = site.run()
    assert (code, told["ok"]) == (1, False), told
    assert "input time=2" in told["error"]["where"] and "changed" in told["error"]["message"], told
    case.assert_good()
    site.write("second")
    assert site.run()[0] == 0
    assert_reads(site, "second")
