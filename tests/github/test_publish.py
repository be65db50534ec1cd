"""What a job without recipe code publishes of what a job with recipe code made, and what it refuses."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bakehouse.catalog.check import check
from bakehouse.catalog.entry import Digests, Storage, Store
from bakehouse.github.publishing import publish
from tests.github.baker import MOMENT, Baker, git
from tests.github.standin import github
from tests.github.test_command import read_outputs
from tests.support.s3 import S3

SECRET = "canary-3f7a-canary"


@pytest.fixture
def baker(tmp_path: Path) -> Baker:
    return Baker(tmp_path).start()


def ask(folder: Path) -> tuple[str, ...]:
    return ("publish", "--run", str(folder), "--feedstock", "sst")


def test_an_entry_and_its_index_are_pushed_as_the_bot(baker: Baker) -> None:
    entry = baker.bake()
    document = baker.document(*ask(baker.hand_over("run", entry)))
    assert baker.published("catalog/sst/monthly.json") == json.loads(entry.to_json())
    assert [each["bakehouse:id"] for each in baker.published("catalog/catalog.json")["links"][1:]] == ["sst/monthly"]
    said = git(baker.remote, "log", "-1", "--format=%H|%an|%ae|%s", "main").strip()
    bot = "github-actions[bot]|41898282+github-actions[bot]@users.noreply.github.com"
    assert said == f"{document['sha']}|{bot}|Publish sst/monthly: version 1a2b"
    assert document["published"] == [{"id": "sst/monthly", "version": "1a2b", "url": entry.store.url}]
    assert document["notes"] == ["sst/monthly: the root is what the entry says"]


def test_what_is_published_is_a_catalog_without_faults(baker: Baker, tmp_path: Path) -> None:
    baker.run(*ask(baker.hand_over("run", baker.bake(), baker.bake("daily"))))
    git(tmp_path, "clone", "--quiet", str(baker.remote), "clone")
    assert check(tmp_path / "clone" / "catalog") == []


def test_publishing_twice_pushes_once(baker: Baker) -> None:
    folder = baker.hand_over("run", baker.bake())
    baker.run(*ask(folder))
    head = git(baker.remote, "rev-parse", "main")
    assert baker.document(*ask(folder))["sha"] is None
    assert git(baker.remote, "rev-parse", "main") == head


def test_a_version_that_is_replaced_stays_among_the_previous_ones(baker: Baker) -> None:
    for day, version in enumerate(("1a", "2b")):
        moment = MOMENT + timedelta(days=day)
        baker.run(*ask(baker.hand_over(version, baker.bake(version=version, published_at=moment))))
    published = baker.published("catalog/sst/monthly.json")
    assert (published["version"], [each["version"] for each in published["previous"]]) == ("2b", ["1a"])


def test_a_run_that_is_late_replaces_no_newer_version(baker: Baker) -> None:
    baker.run(*ask(baker.hand_over("new", baker.bake(version="2b"))))
    late = baker.hand_over("late", baker.bake(version="1a", published_at=MOMENT - timedelta(days=1)))
    assert "newer version" in baker.run(*ask(late), exit_code=1).stderr
    assert baker.published("catalog/sst/monthly.json")["version"] == "2b"


def test_a_title_that_was_corrected_reaches_an_entry_whose_store_is_the_same(baker: Baker) -> None:
    folder = baker.hand_over("run", baker.bake())
    baker.run(*ask(folder))
    git(baker.root, "pull", "--quiet", "origin", "main")
    meta = baker.root / "feedstocks/sst/meta.yaml"
    meta.write_text(meta.read_text().replace("Sea-surface temperature", "Temperature of the sea surface"))
    baker.push("Correct the title")
    baker.run(*ask(folder))
    assert baker.published("catalog/sst/monthly.json")["title"] == "Temperature of the sea surface"


def test_eight_publishers_at_once_lose_nothing(baker: Baker, tmp_path: Path) -> None:
    entries = [baker.bake(f"recipe-{i}", f"{i}a") for i in range(8)]

    def one(entry: Any) -> int:
        return publish(str(baker.remote), "main", [entry]).tries

    with ThreadPoolExecutor(8) as pool:
        tries = list(pool.map(one, entries))
    assert sum(tries) > 8, "nobody was in anybody's way: this showed nothing"
    git(tmp_path, "clone", "--quiet", str(baker.remote), "clone")
    assert check(tmp_path / "clone" / "catalog") == []
    found = [baker.published(f"catalog/sst/recipe-{i}.json") for i in range(8)]
    assert found == [json.loads(each.to_json()) for each in entries]
    assert len(git(baker.remote, "log", "--format=%s", "main").splitlines()) == 9


def test_publishers_of_the_same_recipe_keep_every_version(baker: Baker) -> None:
    entries = [baker.bake(version=f"{i}a", published_at=MOMENT + timedelta(minutes=i)) for i in range(4)]
    for each in entries:
        publish(str(baker.remote), "main", [each])
    published = baker.published("catalog/sst/monthly.json")
    assert [*(each["version"] for each in published["previous"]), published["version"]] == ["0a", "1a", "2a", "3a"]


def test_what_a_person_pushed_meanwhile_stays(baker: Baker) -> None:
    folder = baker.hand_over("run", baker.bake())
    clone = baker.folder / "other"
    git(baker.folder, "clone", "--quiet", str(baker.remote), "other")
    (clone / "README.md").write_text("hello")
    git(clone, "add", "README.md")
    git(clone, "commit", "--quiet", "-m", "Say hello")
    git(clone, "push", "--quiet", "origin", "main")
    baker.run(*ask(folder))
    assert {"README.md", "catalog/sst/monthly.json"} <= set(baker.files())


def test_a_branch_that_may_not_be_pushed_to_says_what_to_do(baker: Baker) -> None:
    hook = baker.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected branch hook declined\nexit 1\n")
    hook.chmod(0o755)
    said = baker.run(*ask(baker.hand_over("run", baker.bake())), exit_code=1).stderr
    assert "the remote refuses the push" in said
    assert "publish: pull-request" in said


def test_a_bakery_with_a_catalog_of_its_own_publishes_nothing(baker: Baker) -> None:
    folder = baker.hand_over("run", baker.bake())
    assert baker.document(*ask(folder), "--bakery", "local")["published"] == []
    assert "catalog/sst/monthly.json" not in baker.files()


def entry_of(baker: Baker, **said: Any) -> dict[str, Any]:
    return {**json.loads(baker.bake().to_json()), **said}


ELSEWHERE = {
    "another bucket": "s3://elsewhere/sst/monthly/1a2b.zarr",
    "a file": "file:///etc/sst/monthly/1a2b.zarr",
    "the metadata address": "http://169.254.169.254/latest/meta-data",
    "a longer bucket name": "{stores}-evil/sst/monthly/1a2b.zarr",
    "a folder above": "{stores}/sst/monthly/../../other/daily/1a2b.zarr",
    "an encoded folder above": "{stores}/sst/monthly/%2e%2e",
    "another feedstock's folder": "{stores}/other/monthly/1a2b.zarr",
    "another recipe's folder": "{stores}/sst/daily/1a2b.zarr",
    "a folder too deep": "{stores}/sst/monthly/a/1a2b.zarr",
    "the recipe's folder itself": "{stores}/sst/monthly/",
    "a chained address": "simplecache::{stores}/sst/monthly/1a2b.zarr",
    "a query": "{stores}/sst/monthly/1a2b.zarr?x=1",
}


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_store_anywhere_else_is_refused(baker: Baker, url: str) -> None:
    store = {"url": url.format(stores=baker.stores), "zarr_format": 3, "consolidated": True}
    folder = baker.hand_over("run", entry_of(baker, store=store))
    assert "which is no folder in" in baker.run(*ask(folder), exit_code=1).stderr
    assert "catalog/sst/monthly.json" not in baker.files()


FORGED = {
    "another feedstock": ({"feedstock": "other", "id": "other/monthly"}, "its feedstock is 'other'"),
    "an unknown recipe": ({"recipe": "hourly", "id": "sst/hourly"}, "its recipe is 'hourly'"),
    "another title": ({"title": "Free money"}, "its title is 'Free money'"),
    "another licence": ({"license": "proprietary"}, "its license is 'proprietary'"),
    "another maintainer": ({"maintainers": [{"name": "Mallory"}]}, "its maintainers is"),
    "a link": ({"links": [{"label": "win", "url": "https://evil.example.org"}]}, "its links is"),
    "a thumbnail": ({"thumbnail": "https://evil.example.org/a.png"}, "its thumbnail is"),
    "a linked entry": ({"kind": "linked"}, "its kind is 'linked'"),
    "a successor": ({"status": {"state": "deprecated", "successor": "evil/evil"}}, "'deprecated'"),
    "a DOI": ({"doi": "10.1000/evil"}, "it says what no bake does: doi"),
    "what strangers may": ({"access": {"anonymous": True}}, "no bake does: access"),
    "a commit's message": ({"version": "1a2b\n\nFixes #12\nCo-authored-by: Mallory <m@example.org>"}, "its version is"),
    "no digest": ({"digests": {}}, "no digest"),
    "a preview elsewhere": ({"preview": {"url": "https://evil.example.org/x"}}, "its preview is at"),
    "a key nobody knows": ({"evil": 1}, "Extra inputs are not permitted"),
    "an id that is a path": ({"id": "../../etc/passwd"}, "feedstock and recipe say"),
}


@pytest.mark.parametrize(("said", "why"), FORGED.values(), ids=FORGED)
def test_an_entry_that_says_what_was_not_reviewed_is_refused(baker: Baker, said: dict[str, Any], why: str) -> None:
    assert why in baker.run(*ask(baker.hand_over("run", entry_of(baker, **said))), exit_code=1).stderr
    assert not any(path.startswith("catalog/") for path in baker.files())


def test_all_that_is_wrong_with_an_entry_is_said_at_once(baker: Baker) -> None:
    folder = baker.hand_over("run", entry_of(baker, title="Free money", kind="linked", digests={}))
    said = baker.run(*ask(folder), exit_code=1).stderr
    assert all(why in said for why in ("its title", "its kind", "no digest"))


def test_a_store_at_another_endpoint_is_refused(baker: Baker) -> None:
    meta = (baker.root / "meta.yaml").read_text().replace(str(baker.stores), "s3://bucket/stores")
    (baker.root / "meta.yaml").write_text(meta)
    url = "s3://bucket/stores/sst/monthly/1a2b.zarr"
    store = Store(url=url, zarr_format=3, consolidated=True, storage=Storage(endpoint="http://127.0.0.1:1"))
    folder = baker.hand_over("run", baker.bake().model_copy(update={"store": store}))
    said = baker.run(*ask(folder), exit_code=1).stderr
    assert "its store is reached by s3, http://127.0.0.1:1, the bakery's by s3" in said


def test_a_root_that_is_not_what_was_checked_is_refused(baker: Baker) -> None:
    entry = baker.bake()
    (Path(entry.store.url) / "zarr.json").write_text('{"zarr_format": 3, "of": "somebody else"}')
    assert "is not what its entry says" in baker.run(*ask(baker.hand_over("run", entry)), exit_code=1).stderr
    gone = baker.bake(version="3c", digests=Digests(root="sha256:0"))
    (Path(gone.store.url) / "zarr.json").unlink()
    assert "nothing of use" in baker.run(*ask(baker.hand_over("gone", gone)), exit_code=1).stderr


def test_an_entry_of_five_megabytes_is_refused_before_it_is_parsed(baker: Baker) -> None:
    folder = baker.hand_over("run", entry_of(baker, description="x" * 5_000_000))
    assert "allowed are 2,000,000" in baker.run(*ask(folder), exit_code=1).stderr


def test_json_that_is_nested_without_end_is_refused(baker: Baker) -> None:
    folder = baker.hand_over("run", baker.bake())
    (folder / "entries/sst/monthly.json").write_text('{"a":' * 100_000)
    assert "not a valid entry" in baker.run(*ask(folder), exit_code=1).stderr


@pytest.mark.parametrize(
    "name",
    ["entries/monthly.json", "entries/sst/a/b.json", "entries/sst/..\\..\\meta.yaml", "entries/sst/x.yaml",
     "entries/sst/.json", "entries/.git/config.json", "entries/sst/a b.json"],
)  # fmt: skip
def test_a_file_that_has_no_business_there_stops_everything(baker: Baker, name: str) -> None:
    folder = baker.hand_over("run", baker.bake())
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("{}")
    assert "have no business there" in baker.run(*ask(folder), exit_code=1).stderr
    assert "catalog/sst/monthly.json" not in baker.files()


def test_files_are_counted_over_all_folders(baker: Baker) -> None:
    folder = baker.hand_over("run")
    for feedstock in ("a", "b", "c"):
        (folder / "entries" / feedstock).mkdir(parents=True)
        for number in range(400):
            (folder / "entries" / feedstock / f"{number}.json").write_text("{}")
    said = baker.run("publish", "--run", str(folder), "--feedstock", "sst", exit_code=1)
    assert "more than 1000 files" in said.output


def test_links_are_not_followed(baker: Baker, tmp_path: Path) -> None:
    entry = baker.bake()
    folder = baker.hand_over("run", entry)
    (tmp_path / "secret.json").write_text(entry.to_json())
    path = folder / "entries/sst/monthly.json"
    path.unlink()
    path.symlink_to(tmp_path / "secret.json")
    assert "not a plain file" in baker.run(*ask(folder), exit_code=1).stderr
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(tmp_path)
    assert "not a plain file" in baker.run(*ask(folder), exit_code=1).stderr
    path.parent.unlink()
    path.parent.parent.rmdir()
    path.parent.parent.symlink_to(tmp_path)
    assert "not a plain folder" in baker.run(*ask(folder), exit_code=1).stderr


def test_a_file_in_another_entrys_place_is_refused(baker: Baker) -> None:
    folder = baker.hand_over("run", baker.bake())
    (folder / "entries/sst/monthly.json").rename(folder / "entries/sst/daily.json")
    assert "calls itself 'sst/monthly'" in baker.run(*ask(folder), exit_code=1).stderr


def test_an_entry_that_holds_a_secret_is_refused_and_not_shown(baker: Baker) -> None:
    folder = baker.hand_over("run", baker.bake(notes=({"message": f"read with {SECRET}"},)))
    result = baker.run(*ask(folder), exit_code=1, AWS_SECRET_ACCESS_KEY=SECRET)
    assert "looks like a credential" in result.stderr
    assert SECRET not in result.output


@pytest.mark.parametrize("branch", ["$(touch x)", "--force", "a..b", "a b", "main;id", "a/../b", "", "x.lock", "/main"])
def test_a_branch_is_a_name_and_nothing_else(baker: Baker, branch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(baker.folder)
    folder = baker.hand_over("run", baker.bake())
    assert "can't name a branch" in baker.run(*ask(folder), "--branch", branch, exit_code=2).stderr
    assert not (baker.folder / "x").exists()


def test_the_token_is_in_no_argument_and_in_no_address(baker: Baker, tmp_path: Path) -> None:
    """Git is replaced by one that writes down how it was called, and calls the real one."""
    log, fake = tmp_path / "log", tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!{sys.executable}\nimport os, sys\nopen({str(log)!r}, 'a').write(repr(sys.argv) + '\\n')\n"
                    "os.execv('/usr/bin/git', ['git', *sys.argv[1:]])\n")  # fmt: skip
    fake.chmod(0o755)
    path = f"{fake.parent}:{os.environ['PATH']}"
    result = baker.run(*ask(baker.hand_over("run", baker.bake())), PATH=path, GITHUB_TOKEN=SECRET)
    assert "push" in log.read_text()
    assert SECRET not in log.read_text() + result.output


PROPOSE = ("publish", "--feedstock", "sst", "--pull-request")


def test_a_pull_request_holds_what_waits_and_is_kept_up_to_date(baker: Baker) -> None:
    branch, out = "bakehouse/publish-sst", baker.folder / "out"
    with github() as hub:
        baker.environment.update(hub.environment(), GITHUB_OUTPUT=str(out))
        first = baker.document(*PROPOSE, "--run", str(baker.hand_over("a", baker.bake())))
        assert "catalog/sst/monthly.json" not in baker.files()
        baker.run(*PROPOSE, "--run", str(baker.hand_over("b", baker.bake("daily"))))
        again = baker.bake(version="2b", published_at=MOMENT + timedelta(days=1))
        baker.run(*PROPOSE, "--run", str(baker.hand_over("c", again)))
    assert {each: baker.published(f"catalog/sst/{each}.json", branch)["version"] for each in ("monthly", "daily")} == {
        "monthly": "2b", "daily": "1a2b"
    }  # fmt: skip
    assert [each["title"] for each in hub.pulls.values()] == ["Publish sst"]
    assert first["pull_request"] == 1
    assert read_outputs(out.read_text())["pull_request"] == "1"
    assert git(baker.remote, "log", "--format=%s", f"main..{branch}").splitlines() == ["Publish 2 stores of sst"]


def test_what_waited_in_a_pull_request_that_was_closed_does_not_come_back(baker: Baker) -> None:
    with github() as hub:
        baker.environment.update(hub.environment())
        baker.run(*PROPOSE, "--run", str(baker.hand_over("a", baker.bake())))
        hub.issues[1]["state"] = hub.pulls[1]["state"] = "closed"
        baker.run(*PROPOSE, "--run", str(baker.hand_over("b", baker.bake("daily"))))
    assert "catalog/sst/monthly.json" not in baker.files("bakehouse/publish-sst")
    assert len(hub.pulls) == 2


def in_bucket(baker: Baker, s3: S3, root: bytes) -> Path:
    """Put a store's root into a bucket, in which the project's bakery writes; give what a run hands over."""
    meta = baker.root / "meta.yaml"
    options = f'storage_options: {{endpoint_url: "{s3.endpoint}", key: {s3.key}, secret: {s3.secret}}}'
    cloud = f'cloud: {{target: "{s3.url}/stores", {options}, '
    meta.write_text(meta.read_text().replace(f'cloud: {{target: "{baker.stores}", ', cloud))
    entry = baker.bake()
    s3.store("stores/sst/monthly/1a2b.zarr").put("zarr.json", root)
    store = Store(url=f"{s3.url}/stores/sst/monthly/1a2b.zarr", zarr_format=3, consolidated=True,
                  storage=Storage(endpoint=s3.endpoint))  # fmt: skip
    return baker.hand_over("run", entry.model_copy(update={"store": store}))


ROOT = b'{"zarr_format": 3, "of": "1a2b"}'


def test_a_root_that_anybody_can_read_is_compared(baker: Baker, moto: S3) -> None:
    folder = in_bucket(baker, moto, ROOT)
    moto.open_to_all()
    (note,) = baker.document(*ask(folder))["notes"]
    assert note == "sst/monthly: the root is what the entry says"
    git(baker.remote, "update-ref", "refs/heads/main", "main~1")
    newer = in_bucket(baker, moto, b"{}")
    moto.open_to_all()
    assert "is not what its entry says" in baker.run(*ask(newer), exit_code=1).stderr


def test_a_root_that_needs_credentials_is_said_not_to_be_compared(
    baker: Baker, rclone: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in rclone.environment.items():
        monkeypatch.setenv(name, value)
    (note,) = baker.document(*ask(in_bucket(baker, rclone, ROOT)))["notes"]
    assert note == "sst/monthly: the store can't be read without credentials, so its root was not compared"
