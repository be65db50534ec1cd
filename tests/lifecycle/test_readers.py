"""While a store is added to, readers see the old length or the new one, and never a wrong value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bakehouse.context import work_folder
from bakehouse.openers.describe import describe
from bakehouse.plan.base import Base, base_of
from bakehouse.plan.grow import grow_plan
from bakehouse.plan.make import make_plan
from bakehouse.plan.types import Plan, StoreOptions
from bakehouse.schema import DatasetSchema, Identity
from bakehouse.storage import Target
from bakehouse.writers.assemble import Fragment
from bakehouse.writers.lock import single_writer
from bakehouse.writers.publish import advance_documents, consolidated, publish_documents
from bakehouse.writers.receipts import read_proof, write_proof
from bakehouse.writers.tasks import Prepared, write_task
from bakehouse.writers.template import make_documents, root_names
from bakehouse.writers.versions import PROOF, hexdigest, save
from tests.lifecycle.larder import SHARDED, make_larder
from tests.lifecycle.reading import days, held, insist_right
from tests.oracle import assert_same
from tests.support.s3 import S3

TIME = {"time": "concat"}
LAYOUTS = {
    "v2": {"target_chunks": {"time": 4, "lat": 1}, "shards": False, "zarr_format": 2},
    "v3 chunks": {"target_chunks": {"time": 4}, "shards": False},
    "v3 shards": {"target_chunks": {"time": 4, "lat": 1}, "shards": {"time": 16, "lat": 2}},
}


@dataclass
class Shelf:
    """A store that grows by planning and writing, without a pipeline around it."""

    target: Target
    layout: Mapping[str, Any]
    base: Base | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    root: str | None = None
    length: int = 0

    @property
    def url(self) -> str:
        """Give the store's address."""
        return self.target.child(self.base.prefix if self.base else "").url

    def grow(self, steps: int) -> None:
        """Append some days, or begin with them."""
        options, number = StoreOptions("sea.zarr", **self.layout), len(self.base.inputs) if self.base else 0
        dataset, key = days(self.length, steps), (("time", number),)
        schema = DatasetSchema.of(key, describe(dataset, f"{number}.nc", Identity(1, str(number)), TIME))
        plan = self._plan(schema, options)
        prepared = Prepared(plan, make_documents(plan.template, {}), self.target)
        fragment = Fragment(key, f"{number}.nc", dict(dataset.variables))  # type: ignore[arg-type]
        with single_writer(work_folder(self.target, plan.prefix), prepared.run_id):
            receipts = [write_task(prepared, task, [fragment]) for task in plan.tasks]
        written = {row["key"]: row for row in read_proof(write_proof(receipts))}
        self.rows = list(({row["key"]: row for row in self.rows} | written).values())
        self._publish(prepared)
        self.base, self.length = base_of(plan, schema, self.base), self.length + steps

    def _plan(self, schema: DatasetSchema, options: StoreOptions) -> Plan:
        if self.base is None:
            return make_plan(schema, TIME, options, memory_bytes=2**28)
        plan = grow_plan(schema, TIME, options, self.base, memory_bytes=2**28)
        assert plan.growth is not None and plan.growth.in_place
        return plan

    def _publish(self, prepared: Prepared) -> None:
        form = prepared.plan.template.zarr_format
        documents = consolidated(prepared.documents, form)
        save(prepared.target, prepared.plan.version, PROOF, write_proof([], self.rows))
        if self.root is None:
            assert publish_documents(prepared.store, documents, form)
        else:
            assert advance_documents(prepared.store, documents, form, self.root)
        self.root = hexdigest(documents[root_names(form)[-1]])


SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from tests.lifecycle.reading import keep_looking, on_disk, on_s3
where = json.loads(sys.argv[1])
opened = on_disk(*where) if len(where) == 1 else on_s3(*where)
stop = Path(sys.argv[2])
stop.with_suffix(".ready").touch()
print(json.dumps(keep_looking(opened, stop.exists)))
"""


@contextmanager
def reader(folder: Path, *where: str) -> Iterator[list[dict[str, Any]]]:
    """Let a reader in a process of its own look while the block runs; it must not have seen anything wrong."""
    folder.mkdir(exist_ok=True)
    stop, found = folder / "stop", list[dict[str, Any]]()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(where), str(stop)],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    try:
        while not stop.with_suffix(".ready").exists() and process.poll() is None:
            threading.Event().wait(0.05)
        yield found
        stop.touch()
        output, messages = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, messages
    found.append(json.loads(output.splitlines()[-1]))


def assert_read_well(found: list[dict[str, Any]], first: int, last: int) -> None:
    """A reader has looked often, and has seen the end."""
    (seen,) = found
    assert seen["looks"] >= 2 and {first <= n <= last for n in seen["lengths"]} == {True}, seen
    assert seen["lengths"][-1] == last


def appends(shelf: Shelf, count: int) -> None:
    for number in range(count):
        shelf.grow((1, 3, 2, 1, 6)[number % 5])


@pytest.mark.parametrize(
    "layout", [pytest.param(each, marks=[pytest.mark.nightly] if each == "v2" else []) for each in LAYOUTS]
)
def test_a_reader_on_disk_sees_nothing_wrong_during_many_appends(tmp_path: Path, layout: str) -> None:
    shelf = Shelf(Target(str(tmp_path / "stores")), LAYOUTS[layout])
    shelf.grow(5)
    with reader(tmp_path / "reader", shelf.url) as found:
        appends(shelf, 60)
    assert_read_well(found, 5, shelf.length)


@pytest.mark.parametrize("layout", ["v2", pytest.param("v3 shards", marks=pytest.mark.nightly)])
def test_a_reader_on_s3_sees_nothing_wrong_during_many_appends(tmp_path: Path, moto: S3, layout: str) -> None:
    _on_s3(tmp_path, moto, layout, 15)


@pytest.mark.nightly
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_reader_on_disk_sees_nothing_wrong_during_a_thousand_appends(tmp_path: Path, layout: str) -> None:
    shelf = Shelf(Target(str(tmp_path / "stores")), LAYOUTS[layout])
    shelf.grow(5)
    with reader(tmp_path / "reader", shelf.url) as found:
        appends(shelf, 1000)
    assert_read_well(found, 5, shelf.length)


@pytest.mark.nightly
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_reader_on_s3_sees_nothing_wrong_during_a_thousand_appends(tmp_path: Path, moto: S3, layout: str) -> None:
    _on_s3(tmp_path, moto, layout, 1000)


def _on_s3(folder: Path, server: S3, layout: str, count: int) -> None:
    options = {"endpoint_url": server.endpoint, "key": server.key, "secret": server.secret}
    shelf = Shelf(Target(server.url, options).child("stores"), LAYOUTS[layout])
    shelf.grow(5)
    with reader(folder / "reader", server.endpoint, shelf.url, server.key, server.secret) as found:
        appends(shelf, count)
    assert_read_well(found, 5, shelf.length)


@pytest.mark.usefixtures("at_once")
def test_a_reader_sees_nothing_wrong_during_whole_updates(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=SHARDED)
    larder.bake()
    with reader(tmp_path / "reader", larder.entry.store.url) as found:
        for start, steps in ((5, 2), (7, 3), (10, 1), (11, 4)):
            larder.add(days(start, steps))
            assert larder.update().status == "updated"
    assert_read_well(found, 5, 15)
    assert_same(larder.opened(), larder.expected())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_reader_who_holds_an_old_index_finds_old_bytes(tmp_path: Path, layout: str) -> None:
    """What was opened before any append reads its own length afterwards, consolidated or not."""
    shelf = Shelf(Target(str(tmp_path)), LAYOUTS[layout])
    shelf.grow(5)
    early = [held(shelf.url, consolidated=way) for way in (True, False)]
    appends(shelf, 8)
    for dataset in early:
        assert dataset.sizes["time"] == 5
        insist_right(dataset.time.values, dataset.sst.values)
