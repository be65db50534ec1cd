"""Targets behave alike on a local disk and on S3, but for conditional writes, which not every endpoint has."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bakehouse.errors import StorageError
from bakehouse.storage import Target
from tests.support.s3 import S3


def on_s3(server: S3, *parts: str) -> Target:
    options = {"endpoint_url": server.endpoint, "key": server.key, "secret": server.secret}
    return Target(server.url, options).child(*parts)


@pytest.fixture(params=["local", "moto", "rclone"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "local":
        return Target(str(tmp_path / "stores"))
    return on_s3(request.getfixturevalue(request.param), "stores")


@pytest.fixture(params=["local", "moto"])
def conditional(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    return Target(str(tmp_path)) if request.param == "local" else on_s3(request.getfixturevalue("moto"))


def test_what_is_put_is_got_and_listed(target: Target) -> None:
    target.put("a/one", b"1")
    target.put("a/two", b"22")
    target.put("b", b"")
    assert (target.get("a/two"), target.get("b")) == (b"22", b"")
    assert sorted(target.list()) == [("a/one", 1), ("a/two", 2), ("b", 0)]
    assert sorted(target.list("a")) == [("a/one", 1), ("a/two", 2)]
    assert sorted(target.child("a").list()) == [("one", 1), ("two", 2)]


def test_a_put_replaces_what_was_there(target: Target) -> None:
    target.put("x", b"long ago")
    target.put("x", b"now")
    assert (target.get("x"), list(target.list())) == (b"now", [("x", 3)])


def test_what_is_not_there_is_none_and_lists_as_nothing(target: Target) -> None:
    assert target.get("nothing") is None
    assert target.get("no/thing") is None
    assert list(target.list()) == list(target.list("no")) == list(target.child("no").list()) == []
    target.delete(["nothing"])
    target.delete([])


def test_a_folder_is_no_object(target: Target) -> None:
    target.put("a/one", b"1")
    assert target.get("a") is None


def test_a_prefix_names_a_folder_and_not_the_beginning_of_a_name(target: Target) -> None:
    target.put("time/0", b"1")
    target.put("time_bounds/0", b"1")
    assert [key for key, _ in target.list("time")] == ["time/0"]


def test_deleting_leaves_the_rest(target: Target) -> None:
    for key in ("a/1", "a/2", "a/3"):
        target.put(key, b"x")
    target.delete(["a/1", "a/none", "a/3"])
    assert [key for key, _ in target.list()] == ["a/2"]


def test_more_objects_than_one_page_are_listed_and_deleted(conditional: Target) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: conditional.put(f"n/{i:04d}", b"x"), range(1005)))
    keys = [key for key, _ in conditional.list("n")]
    assert sorted(keys) == [f"n/{i:04d}" for i in range(1005)]
    conditional.delete(keys)
    assert list(conditional.list()) == []


@pytest.mark.parametrize("name", ["sea surface", "été", "50%", "a%20b", "x#1", "a+b", "[0]", "a:b", "~", "a&b=c?"])
def test_any_name_of_a_variable_can_be_a_key(target: Target, name: str) -> None:
    key = f"{name}/c/0.0"
    target.put(key, name.encode())
    assert target.get(key) == name.encode()
    assert list(target.list()) == [(key, len(name.encode()))]
    assert list(target.child(name).list()) == [("c/0.0", len(name.encode()))]
    target.delete([key])
    assert list(target.list()) == []


def test_an_object_is_created_once(conditional: Target) -> None:
    assert conditional.create("root", b"first")
    assert not conditional.create("root", b"second")
    assert conditional.get("root") == b"first"


def test_of_racing_creators_one_wins(conditional: Target) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: (conditional.create("root", str(i).encode()), i), range(16)))
    (winner,) = [i for created, i in won if created]
    assert conditional.get("root") == str(winner).encode()


def test_where_conditions_are_ignored_the_last_creator_replaces_the_first(rclone: S3) -> None:
    target = on_s3(rclone)
    assert target.create("root", b"first")
    assert target.create("root", b"second")
    assert target.get("root") == b"second"


def test_creating_again_what_is_there_counts_as_created(conditional: Target) -> None:
    assert conditional.create("root", b"same")
    assert conditional.create("root", b"same")
    assert not conditional.create("root", b"other")


def test_an_object_is_replaced_only_if_it_holds_what_is_expected(target: Target) -> None:
    target.put("a/root", b"old")
    assert not target.replace("a/root", b"new", b"older")
    assert target.get("a/root") == b"old"
    assert target.replace("a/root", b"new", b"old")
    assert target.get("a/root") == b"new"
    assert target.replace("a/root", b"new", b"old"), "it holds already what it is to hold"
    assert not target.replace("a/root", b"newer", b"old")
    assert target.get("a/root") == b"new"


def test_what_is_not_there_is_not_replaced(target: Target) -> None:
    assert not target.replace("a/root", b"new", b"old")
    assert not target.replace("a/root", b"new", b"")
    assert list(target.list()) == []


def test_of_racing_replacers_one_wins(conditional: Target) -> None:
    conditional.put("root", b"old")
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: (conditional.replace("root", str(i).encode(), b"old"), i), range(16)))
    (winner,) = [i for replaced, i in won if replaced]
    assert conditional.get("root") == str(winner).encode()


ADD = """
import json, os, sys
from bakehouse.storage import Target
target = Target(sys.argv[1], json.loads(sys.argv[2]))
for number in range(20):
    while not target.replace("list", (found := target.get("list")) + f"{os.getpid()}/{number} ".encode(), found):
        pass
"""


def test_lines_that_several_processes_add_are_all_there(conditional: Target) -> None:
    conditional.put("list", b"")
    command = [sys.executable, "-c", ADD, conditional.url, json.dumps(dict(conditional.options))]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    lines = (conditional.get("list") or b"").decode().split()
    assert sorted(lines) == sorted(f"{process.pid}/{number}" for process in processes for number in range(20))


def test_a_copy_holds_the_same_bytes(target: Target) -> None:
    here, there = target.child("one"), target.child("two", "three")
    here.put("a/b", b"12345")
    there.put("c/d", b"before")
    here.copy("a/b", there, "c/d")
    here.copy("a/b", here, "again")
    assert (there.get("c/d"), here.get("again"), here.get("a/b")) == (b"12345", b"12345", b"12345")
    here.put("a/b", b"other")
    assert (there.get("c/d"), here.get("a/b")) == (b"12345", b"other")


@pytest.mark.parametrize("name", ["sea surface", "été", "50%", "a%20b", "x#1", "a+b", "[0]", "a&b=c?"])
def test_objects_of_any_name_are_copied(target: Target, name: str) -> None:
    target.put(f"{name}/0", b"1")
    target.copy(f"{name}/0", target.child(name), "1")
    assert sorted(target.list()) == sorted([(f"{name}/0", 1), (f"{name}/1", 1)])


def test_between_places_that_share_nothing_bytes_are_copied(moto: S3, tmp_path: Path) -> None:
    disk, bucket, other = Target(str(tmp_path)), on_s3(moto, "a"), on_s3(moto.new_bucket())
    disk.put("x", b"1")
    disk.copy("x", bucket, "y")
    bucket.copy("y", other, "z")
    other.copy("z", disk, "back")
    assert disk.get("back") == b"1"


def test_on_a_disk_a_copy_takes_no_room(tmp_path: Path) -> None:
    Target(str(tmp_path)).child("one").put("a", b"1")
    Target(str(tmp_path / "one")).copy("a", Target(tmp_path.as_uri()).child("two"), "a")
    assert (tmp_path / "one/a").samefile(tmp_path / "two/a")


def test_where_links_can_not_be_made_bytes_are_copied(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    with TemporaryDirectory(dir=elsewhere) as folder:
        Target(str(tmp_path)).put("a", b"1")
        Target(str(tmp_path)).copy("a", Target(folder), "b")
        assert Target(folder).get("b") == b"1"


def test_what_is_not_there_is_not_copied(target: Target) -> None:
    with pytest.raises(StorageError, match="cannot copy 'nothing'"):
        target.copy("nothing", target, "something")
    assert list(target.list()) == []


def test_sizes_are_told_without_reading(target: Target) -> None:
    target.put("a/x", b"12345")
    assert (target.size("a/x"), target.size("a"), target.size("y"), target.child("no").size("x")) == (
        5,
        None,
        None,
        None,
    )


def spelling_of(server: S3, spelling: str) -> dict[str, Any]:
    """Give the options of an endpoint as people write them."""
    keys = {"key": server.key, "secret": server.secret}
    aws = {"access_key_id": server.key, "secret_access_key": server.secret, "region": "us-east-1"}
    extras = {"use_ssl": False, "default_block_size": 2**20, "config_kwargs": {"s3": {"addressing_style": "path"}}}
    found: dict[str, dict[str, Any]] = {
        "short": {"endpoint_url": server.endpoint, **keys},
        "fsspec": server.fsspec_options,
        "region": {"endpoint_url": server.endpoint, **keys, "client_kwargs": {"region_name": "us-east-1"}},
        "s3fs": {**server.fsspec_options, **extras},
        "obstore": {"endpoint": server.endpoint, **aws},
        "aws": {"aws_endpoint": server.endpoint, "virtual_hosted_style_request": False}
        | {f"aws_{name}": value for name, value in aws.items()},
    }
    return found[spelling]


@pytest.mark.parametrize("spelling", ["short", "fsspec", "region", "s3fs", "obstore", "aws"])
def test_options_may_be_spelled_as_fsspec_or_obstore_does(moto: S3, spelling: str) -> None:
    target = Target(moto.url, spelling_of(moto, spelling))
    target.put("x", b"1")
    assert target.get("x") == b"1"


def test_an_option_that_means_nothing_is_refused(moto: S3) -> None:
    with pytest.raises(StorageError, match="'sekret'") as caught:
        Target(moto.url, {"endpoint_url": moto.endpoint, "key": "k", "sekret": "hush"}).get("x")
    assert "did you mean 'secret'?" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_credentials_may_come_from_the_environment(moto: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    target = Target(moto.url, {})
    target.put("x", b"1")
    assert target.get("x") == b"1"


def test_secrets_show_in_no_message(moto: S3) -> None:
    target = Target("s3://no-such-bucket/x", {"endpoint_url": moto.endpoint, "key": "topkey", "secret": "topsecret"})
    with pytest.raises(StorageError) as caught:
        target.put("a", b"1")
    assert "no-such-bucket" in str(caught.value)
    assert not {"topsecret", "topkey"} & {
        word for word in ("topsecret", "topkey") if word in f"{caught.value!r}{caught.value}{target!r}"
    }


def test_wrong_credentials_are_named_as_such(rclone: S3) -> None:
    target = Target(rclone.url, {"endpoint_url": rclone.endpoint, "key": rclone.key, "secret": "wrongwrong"})
    for act in (
        lambda: target.put("a", b""),
        lambda: target.get("a"),
        lambda: list(target.list()),
        lambda: target.create("a", b""),
    ):
        with pytest.raises(StorageError, match="credentials"):
            act()


def test_a_target_travels_without_its_open_store(target: Target) -> None:
    target.put("x", b"1")
    there: Target = pickle.loads(pickle.dumps(target))
    assert there.get("x") == b"1"
    assert there == target


@pytest.mark.parametrize("form", ["path", "path with slash", "url", "relative", "home"])
def test_a_local_target_may_be_spelled_in_any_way(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "my stores"
    spelled = {
        "path": str(folder),
        "path with slash": f"{folder}/",
        "url": folder.as_uri(),
        "relative": "my stores",
        "home": "~/my stores",
    }[form]
    Target(spelled).child("a").put("x", b"1")
    assert (folder / "a" / "x").read_bytes() == b"1"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot write 'x'"):
        Target(str(tmp_path / "stores")).put("x", b"1")


def test_a_target_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    target = Target(str(tmp_path / "file" / "stores"))
    acts: list[Any] = [lambda: target.put("x", b"1"), lambda: target.create("x", b"1")]
    for act in acts:
        with pytest.raises(StorageError, match="file/stores"):
            act()


def test_reading_creates_nothing(tmp_path: Path) -> None:
    target = Target(str(tmp_path / "stores"))
    assert (target.get("x"), list(target.list())) == (None, [])
    assert list(tmp_path.iterdir()) == []
