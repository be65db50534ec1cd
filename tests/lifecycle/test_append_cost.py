"""What an append costs does not depend on what is there: bytes read from sources and objects written are counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bake.kitchen import stamps
from tests.lifecycle.larder import days, make_larder, without_beam
from tests.oracle import assert_same
from tests.support.http import serve

SHARDED = 'target_chunks={"time": 1, "lat": 1}, shards={"time": 4, "lat": 2}'
PLAIN = 'target_chunks={"time": 1, "lat": 1}, shards=False'


@dataclass(frozen=True)
class Cost:
    """What an update asked of the sources, and what it wrote: `old` counts requests for inputs that were there."""

    old: int
    requests: int
    sent_bytes: int
    objects: int
    beside: int


def cost_of_adding_one(root: Path, count: int, options: str, beam: bool) -> Cost:
    larder = make_larder(root, options=options)
    with serve(larder.inputs) as server:
        archive = larder.archive.read_text()
        larder.archive.write_text(archive.replace(str(larder.inputs), server.url))
        larder.add(*(days(2 * i, 2) for i in range(count)))
        with without_beam():
            larder.bake()
        larder.add(days(2 * count, 2))
        server.clear()
        before = stamps(larder.stores)
        if beam:
            larder.update()
        else:
            with without_beam():
                larder.update()
        written = {key for key, stamp in stamps(larder.stores).items() if before.get(key) != stamp}
        old = [r for i in range(count) for r in server.requests(f"/{i}.nc")]
        new = server.requests(f"/{count}.nc")
    assert_same(larder.opened(), larder.expected())
    objects = {key for key in written if ".zarr/" in key and "zarr.json" not in key and not key.startswith(".")}
    return Cost(len(old), len(new), sum(r.bytes for r in new), len(objects), len(written) - len(objects))


@pytest.mark.parametrize("options", [SHARDED, PLAIN], ids=["shards", "chunks"])
def test_adding_one_input_to_40_costs_what_adding_one_to_4_does(tmp_path: Path, options: str) -> None:
    few = cost_of_adding_one(tmp_path / "few", 4, options, beam=False)
    many = cost_of_adding_one(tmp_path / "many", 40, options, beam=False)
    assert few == many
    assert (few.old, few.objects) == (0, 2 if options == SHARDED else 6)
    assert few.sent_bytes < 100_000


def test_a_pipeline_reads_no_old_input_either(tmp_path: Path) -> None:
    few = cost_of_adding_one(tmp_path, 4, SHARDED, beam=True)
    assert (few.old, few.objects) == (0, 2)


def test_looking_for_what_is_new_reads_no_input_at_all(tmp_path: Path) -> None:
    larder = make_larder(tmp_path)
    with serve(larder.inputs) as server, without_beam():
        larder.archive.write_text(larder.archive.read_text().replace(str(larder.inputs), server.url))
        larder.add(*(days(2 * i, 2) for i in range(4)))
        larder.bake()
        server.clear()
        assert larder.update().status == "unchanged"
        assert server.log == []


def test_looking_for_what_changed_asks_each_input_once_and_reads_none(tmp_path: Path) -> None:
    larder = make_larder(tmp_path)
    with serve(larder.inputs) as server, without_beam():
        larder.archive.write_text(larder.archive.read_text().replace(str(larder.inputs), server.url))
        larder.add(*(days(2 * i, 2) for i in range(4)))
        larder.bake()
        server.clear()
        assert larder.update(changed=True).status == "unchanged"
        assert {(r.method, r.path) for r in server.log} == {("HEAD", f"/{i}.nc") for i in range(4)}
        assert (len(server.log), server.sent_bytes()) == (4, 0)


@pytest.mark.nightly
def test_adding_one_input_to_400_costs_what_adding_one_to_4_does(tmp_path: Path) -> None:
    few = cost_of_adding_one(tmp_path / "few", 4, SHARDED, beam=False)
    assert few == cost_of_adding_one(tmp_path / "many", 400, SHARDED, beam=False)
