"""Icechunk repositories: many workers commit, one publisher wins, and readers see whole versions or none."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import MemoryStore

from bakehouse.errors import BakehouseError, PublishError, StorageError
from bakehouse.storage import Target
from bakehouse.writers.icechunk import Repository, collect, publish, published, rollback, snapshots
from bakehouse.writers.icechunk.storage import library, s3_options
from bakehouse.writers.store import RecordingStore, open_planned_array
from bakehouse.writers.template import Documents
from tests.faults.proxy import Fault, Rule, proxied
from tests.support.s3 import S3

pytest.importorskip("icechunk", reason="needs bakehouse[icechunk]")

OTHER_PYTHON = os.environ.get("OTHER_PYTHON", "")
LONG_AGO, SOON = datetime(2000, 1, 1, tzinfo=UTC), timedelta(seconds=1)
WIDTH = 4
WORKER = """
import json, os, sys
import numpy as np, zarr
from bakehouse.storage import Target
from bakehouse.writers.icechunk import Repository, publish
said = json.loads(sys.argv[1])
repository = Repository(Target(said["url"], said["options"]))

def fill(i):
    def write(store):
        zarr.open_array(store, path="time")[i] = i
        if i == said.get("dies_at"):
            os._exit(9)
        zarr.open_array(store, path="sst")[i] = np.arange(4) + 10 * i
    return write

for i in said["tasks"]:
    repository.commit_tasks(said["branch"], [str(i)], fill(i))
if "expected_main" in said:
    publish(repository, said["branch"], said["expected_main"])
"""


def on_s3(server: S3, name: str = "sea.icechunk") -> Target:
    options = {"endpoint_url": server.endpoint, "key": server.key, "secret": server.secret}
    return Target(server.url, options).child("stores", name)


@pytest.fixture(params=["local", "moto"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    if request.param == "local":
        return Repository(Target(str(tmp_path / "stores" / "sea.icechunk")))
    return Repository(on_s3(request.getfixturevalue("moto")))


@pytest.fixture
def local(tmp_path: Path) -> Repository:
    return Repository(Target(str(tmp_path / "sea.icechunk")))


def sea(times: Sequence[int]) -> xr.Dataset:
    """Say what a store holds after these time steps were written."""
    values = np.array([np.arange(WIDTH) + 10.0 * i for i in times]).reshape(len(times), WIDTH)
    return xr.Dataset(
        {"sst": (("time", "x"), values, {"units": "K"})}, {"time": ("time", np.array(times, "i8"))}, {"title": "Sea"}
    )


def documents_of(dataset: xr.Dataset, zarr_format: int = 3, chunk: int = 1) -> Documents:
    store = MemoryStore()
    encoding = {name: {"chunks": (chunk, WIDTH)[: dataset[name].ndim]} for name in dataset.variables}
    dataset.chunk().to_zarr(store, compute=False, consolidated=True, zarr_format=zarr_format, encoding=encoding)  # type: ignore[call-overload]
    names = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")
    return {key: value.to_bytes() for key, value in store._store_dict.items() if key.endswith(names)}


def fill(i: int) -> Callable[[Any], None]:
    def write(store: Any) -> None:
        zarr.open_array(store, path="time")[i] = i
        zarr.open_array(store, path="sst")[i] = np.arange(WIDTH) + 10 * i

    return write


def begun(
    repository: Repository, branch: str, size: int, from_snapshot: str | None = None, chunk: int = 1
) -> Repository:
    repository.start(branch, from_snapshot)
    repository.write_documents(branch, documents_of(sea(range(size)), chunk=chunk))
    return repository


def baked(repository: Repository, branch: str, size: int, start: int = 0, chunk: int = 1) -> str:
    """Append the steps from `start` on, and publish them."""
    main = repository.tip() if start else None
    begun(repository, branch, size, main, chunk)
    repository.commit_tasks(branch, [str(i) for i in range(start, size)], all_of(range(start, size)))
    return publish(repository, branch, repository.tip())


def all_of(times: Sequence[int]) -> Callable[[Any], None]:
    return lambda store: [fill(i)(store) for i in times] and None


def seen(repository: Repository, **where: Any) -> xr.Dataset:
    return xr.open_zarr(repository.read_store(**where), consolidated=False, chunks=None).load()


def worker(repository: Repository, branch: str, tasks: Sequence[int], python: str = sys.executable, **said: Any) -> Any:
    target = {"url": repository.target.url, "options": dict(repository.target.options)}
    argument = json.dumps({**target, "branch": branch, "tasks": list(tasks), **said})
    return subprocess.Popen([python, "-c", WORKER, argument], stderr=subprocess.PIPE, text=True)


def finished(process: Any, status: int = 0) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == status, errors


def test_tasks_from_threads_and_processes_at_once_are_all_in_the_history(repository: Repository) -> None:
    begun(repository, "bake-1", 30)
    others = [worker(repository, "bake-1", range(start, 20, 2)) for start in (0, 1)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda i: repository.commit_tasks("bake-1", [str(i)], fill(i)), range(20, 30)))
    for process in others:
        finished(process)
    assert repository.done_tasks("bake-1") == {str(i) for i in range(30)}
    xr.testing.assert_identical(seen(repository, branch="bake-1"), sea(range(30)))
    history = list(repository.opened.ancestry(branch="bake-1"))
    assert len(history) == 32  # the first, the documents, and one for each task


def test_the_same_task_from_two_workers_at_once_is_written_once(repository: Repository) -> None:
    begun(repository, "bake-1", 2)
    barrier, calls = Barrier(2), []

    def together(store: Any) -> None:
        fill(0)(store)
        calls.append(0)
        if len(calls) <= 2:
            barrier.wait(30)

    with ThreadPoolExecutor(2) as pool:
        tips = list(pool.map(lambda _: repository.commit_tasks("bake-1", ["0"], together), range(2)))
    assert (set(tips), len(calls)) == ({repository.tip("bake-1")}, 2)
    assert [s.message for s in repository.opened.ancestry(branch="bake-1")][:2] == ["task 0", "documents"]


def test_documents_that_two_drivers_write_at_once_are_written_once(repository: Repository) -> None:
    repository.start("bake-1")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: begun(Repository(repository.target), "bake-1", 3), range(4)))
    assert len(list(repository.opened.ancestry(branch="bake-1"))) == 2


def test_a_worker_that_dies_loses_only_the_task_at_hand(repository: Repository) -> None:
    begun(repository, "bake-1", 4)
    finished(worker(repository, "bake-1", range(4), dies_at=2), status=9)
    assert repository.tip() == repository.start("bake-2")  # nothing is published
    before = repository.start("bake-1")
    assert (before, repository.done_tasks("bake-1")) == (repository.tip("bake-1"), {"0", "1"})
    repository.write_documents("bake-1", documents_of(sea(range(4))))
    assert repository.tip("bake-1") == before  # they are there
    for i in (2, 3):
        repository.commit_tasks("bake-1", [str(i)], fill(i))
    publish(repository, "bake-1", repository.tip())
    xr.testing.assert_identical(seen(repository), sea(range(4)))


def test_of_two_publishers_one_wins_and_the_other_is_told(repository: Repository) -> None:
    first = baked(repository, "bake-0", 1)
    for branch in ("bake-a", "bake-b"):
        begun(repository, branch, 2, first).commit_tasks(branch, ["1"], fill(1))
    barrier = Barrier(2)

    def race(branch: str) -> str | PublishError:
        mine = Repository(repository.target)
        assert mine.tip() == first
        barrier.wait(30)
        try:
            return publish(mine, branch, first)
        except PublishError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(race, ("bake-a", "bake-b")))
    (won,) = [each for each in outcomes if isinstance(each, str)]
    (lost,) = [each for each in outcomes if not isinstance(each, str)]
    assert repository.tip() == won
    assert (lost.message, lost.fix) == (
        f"'main' is {won}, it was {first} when this bake began",
        "run again: it begins where the other ended",
    )
    assert [each.id for each in snapshots(repository)] == [first, won]

    loser = "bake-b" if outcomes[0] == won else "bake-a"
    assert repository.start(loser, won) == won  # its branch begins anew where the other ended
    assert repository.done_tasks(loser) == frozenset()


def test_of_two_publishing_processes_one_wins(local: Repository) -> None:
    first = baked(local, "bake-0", 1)
    for branch in ("bake-a", "bake-b"):
        begun(local, branch, 2, first)
    both = [worker(local, branch, [1], expected_main=first) for branch in ("bake-a", "bake-b")]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1]
    assert sum("when this bake began" in text for text in told) == 1
    xr.testing.assert_identical(seen(local), sea(range(2)))


@pytest.mark.parametrize(
    ("place", "appends"),
    [
        ("local", 50),
        ("moto", 10),
        pytest.param("local", 1000, marks=pytest.mark.nightly),
        pytest.param("moto", 100, marks=pytest.mark.nightly),
    ],
)
def test_readers_of_main_see_the_old_version_or_the_new_one(
    place: str, appends: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target = Target(str(tmp_path / "sea")) if place == "local" else on_s3(request.getfixturevalue("moto"))
    repository, over, wrong, lengths = Repository(target), Event(), [], set()
    baked(repository, "bake-0", 1, chunk=32)

    def read() -> None:
        mine = Repository(target)
        while not over.is_set():
            group = zarr.open_group(mine.read_store(), mode="r", use_consolidated=False)
            time, sst = np.asarray(group["time"][:]), np.asarray(group["sst"][:])  # type: ignore[index]
            lengths.add(len(time))
            if not np.array_equal(time, np.arange(len(time))) or not np.array_equal(sst, sea(time).sst.values):
                wrong.append((time, sst))
            over.wait(0.01)

    reader = Thread(target=read)
    reader.start()
    try:
        for size in range(2, appends + 2):
            baked(repository, f"bake-{size}", size, size - 1, chunk=32)  # a tail chunk is written anew
    finally:
        over.set()
        reader.join()
    assert wrong == []
    assert lengths <= set(range(1, appends + 2)) and len(lengths) > 1
    xr.testing.assert_identical(seen(repository), sea(range(appends + 1)))
    assert repository.opened.list_branches() == {"main"}


def test_a_reader_that_opened_a_version_keeps_it(local: Repository) -> None:
    baked(local, "bake-1", 2)
    held = xr.open_zarr(local.read_store(), consolidated=False, chunks=None)
    baked(local, "bake-2", 3, 2)
    xr.testing.assert_identical(held.load(), sea(range(2)))


def test_rolling_back_shows_the_version_before(repository: Repository) -> None:
    old = baked(repository, "bake-1", 2)
    new = baked(repository, "bake-2", 3, 2)
    assert [(each.id, each.branch, each.is_main) for each in snapshots(repository)] == [
        (old, "bake-1", False),
        (new, "bake-2", True),
    ]
    assert rollback(repository, old) == new
    xr.testing.assert_identical(seen(repository), sea(range(2)))
    assert rollback(repository, new) == old
    xr.testing.assert_identical(seen(repository), sea(range(3)))
    with pytest.raises(PublishError, match="'main' is"):
        rollback(repository, old, expected_main=old)
    half = next(s.id for s in repository.opened.ancestry(branch="main") if s.id not in (old, new))
    with pytest.raises(PublishError, match="no published snapshot"):
        rollback(repository, half)


def test_a_version_from_scratch_holds_nothing_of_the_one_before(local: Repository) -> None:
    baked(local, "bake-1", 3)
    begun(local, "bake-2", 2)
    empty = seen(local, branch="bake-2")
    assert (dict(empty.sizes), empty.sst.isnull().all().item()) == ({"time": 2, "x": WIDTH}, True)
    xr.testing.assert_identical(seen(local), sea(range(3)))


def test_an_array_that_no_document_names_is_removed(local: Repository) -> None:
    first = baked(local, "bake-1", 1)
    local.start("bake-2", first)
    local.write_documents("bake-2", documents_of(sea([0]).drop_vars("sst").assign(ice=("time", [0.5]))))
    assert {str(name) for name in seen(local, branch="bake-2").variables} == {"time", "ice"}


def test_publishing_again_changes_nothing(repository: Repository) -> None:
    main = repository.start("bake-1")
    repository.write_documents("bake-1", documents_of(sea([0])))
    made = repository.commit_tasks("bake-1", ["0"], fill(0))
    repository.opened.reset_branch("main", made)  # a driver that died between the swap and the tag
    assert publish(repository, "bake-1", main) == made
    assert (published(repository, "bake-1"), repository.tip("bake-1")) == (made, None)
    assert publish(repository, "bake-1", main) == made
    assert repository.done_tasks("bake-1") == {"0"}
    assert repository.commit_tasks("bake-1", ["0"], fill(0)) is None  # a straggler of the same bake
    assert [each.id for each in snapshots(repository)] == [made]


def test_what_was_verified_is_published_though_the_branch_went_on(local: Repository) -> None:
    begun(local, "bake-1", 2)
    verified = local.commit_tasks("bake-1", ["0"], fill(0))
    local.commit_tasks("bake-1", ["0"], fill(0))
    assert publish(local, "bake-1", local.start("bake-2"), verified) == verified == local.tip()


@pytest.mark.parametrize("fault", [Fault(status=503, landed=True), Fault(silent=True, landed=True), Fault(status=503)])
def test_a_commit_whose_answer_is_lost_is_made_once(fault: Fault, moto: S3) -> None:
    with proxied(moto.endpoint) as proxy:
        repository = Repository(on_s3(replace(moto, endpoint=proxy.url)))
        begun(repository, "bake-1", 3)
        proxy.fail(Rule("PUT", "refs/branch.bake-1/", nth=2), fault)
        for i in range(3):
            repository.commit_tasks("bake-1", [str(i)], fill(i))
        messages = [each.message for each in repository.opened.ancestry(branch="bake-1")]
        proxy.fail(Rule("PUT", "refs/branch.main/"), fault)
        made = publish(repository, "bake-1", repository.tip())
    direct = Repository(on_s3(moto))
    assert messages[:-1] == ["task 2", "task 1", "task 0", "documents"]
    assert [(each.id, each.is_main) for each in snapshots(direct)] == [(made, True)]
    xr.testing.assert_identical(seen(direct), sea(range(3)))


def test_a_target_that_refuses_to_move_main_leaves_it_and_is_gone_on_with(moto: S3) -> None:
    with proxied(moto.endpoint) as proxy:
        repository = Repository(on_s3(replace(moto, endpoint=proxy.url)))
        first = baked(repository, "bake-1", 1)
        begun(repository, "bake-2", 2, first).commit_tasks("bake-2", ["1"], fill(1))
        proxy.fail(Rule("PUT", "refs/branch.main/", times=None), Fault(status=403))
        with pytest.raises(StorageError, match="cannot move 'main'"):
            publish(repository, "bake-2", first)
        xr.testing.assert_identical(seen(repository), sea([0]))
        proxy.heal()
        publish(repository, "bake-2", first)
        xr.testing.assert_identical(seen(repository), sea(range(2)))


def test_nothing_is_published_where_nothing_was_made(local: Repository) -> None:
    local.start("bake-1")
    with pytest.raises(PublishError, match="no branch 'bake-2'"):
        publish(local, "bake-2", None)


def test_collecting_keeps_what_is_asked_for_and_what_is_under_way(repository: Repository) -> None:
    first, second, third = (baked(repository, f"bake-{n}", n, 0) for n in (1, 2, 3))
    begun(repository, "bake-4", 4).commit_tasks("bake-4", ["0"], fill(0))
    assert collect(repository, [first, second], LONG_AGO) == 0
    assert [each.id for each in snapshots(repository)] == [first, second, third]
    with pytest.raises(StorageError, match="snapshots to keep are not there: nothing"):
        collect(repository, ["nothing"], LONG_AGO)

    before = stored_bytes(repository)
    freed = collect(repository, [second], datetime.now(UTC) + SOON)
    again = Repository(repository.target)
    assert freed > 0 and stored_bytes(repository) < before
    assert [(each.id, each.is_main) for each in snapshots(again)] == [(second, False), (third, True)]
    xr.testing.assert_identical(seen(again, snapshot=second), sea(range(2)))
    xr.testing.assert_identical(seen(again), sea(range(3)))
    assert again.tip("bake-4") is None  # older than what was asked for: nobody works on it
    with pytest.raises(StorageError):
        seen(again, snapshot=first)
    baked(again, "bake-5", 4, 3)
    xr.testing.assert_identical(seen(again), sea(range(4)))


def stored_bytes(repository: Repository) -> int:
    return sum(size for _, size in repository.target.list())


def test_objects_are_recorded_on_their_way(local: Repository) -> None:
    documents = documents_of(sea(range(2)))
    begun(local, "bake-1", 2)
    written: dict[str, Any] = {}

    def write(store: Any) -> None:
        recording = RecordingStore(store)
        open_planned_array(recording, documents, "sst")[1] = np.arange(WIDTH) + 10
        written.update(recording.written)

    local.commit_tasks("bake-1", ["a", "b"], write)
    assert (set(written), local.done_tasks("bake-1")) == ({"sst/c/1/0"}, {"a", "b"})
    np.testing.assert_array_equal(seen(local, branch="bake-1").sst.values[1], np.arange(WIDTH) + 10)


def test_a_repository_travels_without_what_it_opened(repository: Repository) -> None:
    begun(repository, "bake-1", 1)
    there: Repository = pickle.loads(pickle.dumps(repository))
    there.commit_tasks("bake-1", ["0"], fill(0))
    assert (there, repository.done_tasks("bake-1")) == (repository, {"0"})


def test_an_endpoint_that_ignores_conditions_is_refused(rclone: S3) -> None:
    with pytest.raises(StorageError, match="ignores If-None-Match and If-Match") as caught:
        Repository(on_s3(rclone)).start("bake-1")
    assert "the format 'zarr'" in str(caught.value)
    assert list(Target(rclone.url, on_s3(rclone).options).list()) == []


@pytest.mark.parametrize("url", ["gs://bucket/x", "az://bucket/x", "https://example.org/x"])
def test_other_places_are_refused_by_name(url: str) -> None:
    with pytest.raises(StorageError, match=f"on {url.partition('/')[0]}// can't be used yet"):
        Repository(Target(url)).tip()


def test_a_repository_that_is_not_there_is_named_and_not_made(repository: Repository, tmp_path: Path) -> None:
    acts: list[Callable[[], Any]] = [repository.tip, repository.read_store, lambda: repository.done_tasks("bake-1")]
    for act in acts:
        with pytest.raises(StorageError, match="no Icechunk repository") as caught:
            act()
        assert repository.target.url in str(caught.value)
    assert (repository.is_there, list(tmp_path.iterdir())) == (False, [])
    repository.start("bake-1")
    assert repository.is_there


def test_without_the_package_the_extra_is_named(local: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "icechunk", None)
    library.cache_clear()
    for act in (lambda: local.start("bake-1"), local.tip):
        with pytest.raises(StorageError, match="need the icechunk package") as caught:
            act()
        assert caught.value.fix == "pip install 'bakehouse[icechunk]'"
    library.cache_clear()


def test_credentials_may_come_from_the_environment(moto: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    repository = Repository(Target(moto.url).child("sea"))
    baked(repository, "bake-1", 1)
    xr.testing.assert_identical(seen(repository), sea([0]))


@pytest.mark.parametrize(
    "options",
    [
        {"key": "k", "secret": "s", "client_kwargs": {"endpoint_url": "http://h:1", "region_name": "r"}},
        {"key": "k", "secret": "s", "endpoint_url": "http://h:1", "region": "r", "use_ssl": False},
        {"aws_access_key_id": "k", "aws_secret_access_key": "s", "aws_endpoint": "http://h:1", "aws_region": "r"}
        | {"aws_virtual_hosted_style_request": "false"},
    ],
)
def test_options_may_be_spelled_as_fsspec_or_obstore_does(options: dict[str, Any]) -> None:
    found = s3_options("s3://b/x", options)
    assert {key: found[key] for key in ("access_key_id", "secret_access_key", "endpoint_url", "allow_http")} == {
        "access_key_id": "k",
        "secret_access_key": "s",
        "endpoint_url": "http://h:1",
        "allow_http": True,
    }
    assert found["force_path_style"]


def test_an_option_that_means_nothing_is_refused() -> None:
    with pytest.raises(StorageError, match="'sekret'") as caught:
        s3_options("s3://b/x", {"sekret": "hush"})
    assert "hush" not in str(caught.value)


def test_secrets_show_in_no_message(rclone: S3) -> None:
    options = {"endpoint_url": rclone.endpoint, "key": rclone.key, "secret": "wrongwrong"}
    repository = Repository(Target(rclone.url, options).child("sea"))
    for act in (repository.tip, lambda: repository.start("bake-1")):
        with pytest.raises(BakehouseError, match="credentials") as caught:
            act()
        assert "wrongwrong" not in f"{caught.value!r}{caught.value}{repository!r}"


@pytest.mark.parametrize("value", [float("nan"), [1.0, float("inf")]])
def test_an_attribute_that_is_not_a_number_is_refused_by_name(value: Any, local: Repository) -> None:
    local.start("bake-1")
    dataset = sea([0])
    dataset.sst.attrs["valid_min"] = value
    with pytest.raises(StorageError, match="attribute 'valid_min' of 'sst' is") as caught:
        local.write_documents("bake-1", documents_of(dataset))
    assert caught.value.fix == "drop it in a preprocessing step: ds['sst'].attrs.pop('valid_min')"


def test_a_missing_value_that_is_nan_needs_no_attribute(local: Repository) -> None:
    local.start("bake-1")
    dataset = sea([0])
    dataset.sst.encoding["missing_value"] = float("nan")
    local.write_documents("bake-1", documents_of(dataset))
    local.commit_tasks("bake-1", ["0"], fill(0))
    xr.testing.assert_identical(seen(local, branch="bake-1"), sea([0]))


def test_documents_that_would_misread_what_is_kept_are_refused(local: Repository) -> None:
    first = baked(local, "bake-1", 2)
    local.start("bake-2", first)
    with pytest.raises(StorageError, match="is there already, laid out in another way"):
        local.write_documents("bake-2", documents_of(sea(range(3)), chunk=2))
    assert local.tip("bake-2") == first


def test_chunks_outside_of_an_array_that_gets_shorter_are_gone(local: Repository) -> None:
    first = baked(local, "bake-1", 5, chunk=2)
    local.start("bake-2", first)
    local.write_documents("bake-2", documents_of(sea(range(2)), chunk=2))
    xr.testing.assert_identical(seen(local, branch="bake-2"), sea(range(2)))
    local.write_documents("bake-2", documents_of(sea(range(5)), chunk=2))
    assert np.isnan(seen(local, branch="bake-2").sst.values[2:]).all()
    xr.testing.assert_identical(seen(local), sea(range(5)))


def test_zarr_v2_is_refused(local: Repository) -> None:
    local.start("bake-1")
    with pytest.raises(StorageError, match="zarr v3 only"):
        local.write_documents("bake-1", documents_of(sea([0]), zarr_format=2))


def test_repositories_are_of_the_version_that_every_supported_python_reads(repository: Repository) -> None:
    repository.start("bake-1")
    assert "repo" not in {key for key, _ in repository.target.list()}  # where later versions keep their branches


@pytest.mark.skipif(not OTHER_PYTHON, reason="set OTHER_PYTHON to a Python that has the other icechunk, 1 or 2")
def test_what_one_release_of_icechunk_writes_the_other_goes_on_with(repository: Repository) -> None:
    asked = subprocess.run([OTHER_PYTHON, "-c", "import icechunk; print(icechunk.__version__)"], capture_output=True)
    assert asked.stdout.decode().split(".")[0] != library().__version__.split(".")[0]
    first = baked(repository, "bake-1", 2)
    begun(repository, "bake-2", 4, first)
    finished(worker(repository, "bake-2", [2, 3], OTHER_PYTHON, expected_main=first))
    xr.testing.assert_identical(seen(repository), sea(range(4)))
    assert repository.done_tasks("bake-2") == {"2", "3"}
    baked(repository, "bake-3", 5, 4)
    xr.testing.assert_identical(seen(repository), sea(range(5)))
    assert len(snapshots(repository)) == 3
