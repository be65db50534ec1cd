"""Sites to bake: a good version is there, and another one is about to be made while something goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bakehouse.storage import Target
from bakehouse.storage.remote import RETRIES
from tests.faults.proxy import Proxy, proxied
from tests.faults.site import Site, assert_reads, write_inputs
from tests.support.s3 import S3


@dataclass(frozen=True)
class Case:
    """A site whose entry names the first edition, and what the second one must come to.

    `good` is the first edition as it lies there, `made` both editions, byte for byte; `digests` are the second's.
    """

    site: Site
    good: dict[str, str]
    made: dict[str, str]
    version: str
    digests: object
    entry: bytes
    proxy: Proxy | None = None

    def assert_good(self) -> None:
        """The last good version is registered, opens, and is what it was; no root of another one is there."""
        there = self.site.snapshot()
        assert {key: there.get(key) for key in self.good} == self.good
        assert self.site.entry_path.read_bytes() == self.entry
        assert_reads(self.site, "first")

    def assert_unpublished(self) -> None:
        """Nothing of the new version is visible."""
        assert f"{self.version}.zarr/zarr.json" not in self.site.snapshot()
        self.assert_good()

    def assert_made(self) -> None:
        """Both versions are there as if nothing had happened, and the entry names the second one."""
        told = f"{self.version}.zarr.version.json"
        there, made = self.site.snapshot(), dict(self.made)
        assert (there.pop(told, None) is None) == (made.pop(told, None) is None)
        assert there == made
        assert (self.site.entry.version, self.site.entry.digests) == (self.version, self.digests)
        kept = json.loads(self.site.target.get(told) or b"null")
        assert kept is None or kept["entry"]["digests"] == json.loads(self.site.entry_path.read_bytes())["digests"]
        assert_reads(self.site, "second")

    def assert_completes(self) -> None:
        """The same command finishes what is not finished, and writes no finished object again."""
        self._let_threads_end()
        done, tasks = self.site.finished(self.version), set(self.site.receipts(self.version))
        before = {} if self.proxy else self.site.stamps()
        if self.proxy:
            self.proxy.heal()
        code, told = self.site.run()
        assert (code, told.get("ok"), told.get("tasks_done_before")) == (0, True, len(tasks)), told
        assert done & self._written_since(before) == set()
        self.assert_made()

    def _let_threads_end(self) -> None:
        """Wait for a run that failed in this process: its other thread still ends the task that it is at."""
        seen = None
        while (now := set(self.site.receipts(self.version))) != seen:
            seen = now
            time.sleep(1)

    def _written_since(self, before: dict[str, tuple[int, int]]) -> set[str]:
        if self.proxy:
            return {path.partition("/sea/sea/")[2] for path in self.proxy.written()}
        return {key for key, stamp in self.site.stamps().items() if before.get(key) != stamp}


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Give a site whose first edition is baked; leave it as it is."""
    inputs = tmp_path_factory.mktemp("sources") / "inputs"
    write_inputs(inputs)
    return _baked(Site(tmp_path_factory.mktemp("first"), str(inputs)), "first")


@pytest.fixture(scope="session")
def second(first: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Give a copy of it whose second edition is baked as well; leave it as it is."""
    return _baked(first.copy(tmp_path_factory.mktemp("second")), "second")


def _baked(site: Site, edition: str) -> Site:
    code, told = site.write(edition).run()
    assert code == 0, told
    assert_reads(site, edition)
    return site


def case_of(site: Site, first: Site, second: Site, proxy: Proxy | None = None) -> Case:
    """Write the second edition's recipe, and say what is there and what is to come."""
    site.write("second")
    entry = site.entry_path.read_bytes()
    return Case(site, first.snapshot(), second.snapshot(), second.entry.version, second.entry.digests, entry, proxy)


@pytest.fixture
def case(first: Site, second: Site, tmp_path: Path) -> Case:
    """Give a case on a local disk."""
    return case_of(first.copy(tmp_path / "site"), first, second)


@contextmanager
def on_bucket(server: S3, first: Site, second: Site, root: Path, patch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Give a case in a bucket, behind a proxy."""
    with proxied(server.endpoint) as proxy:
        environment = {
            "AWS_ACCESS_KEY_ID": server.key,
            "AWS_SECRET_ACCESS_KEY": server.secret,
            "AWS_REGION": "us-east-1",
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        storage = {"endpoint_url": proxy.url}
        site = first.copy(root, url=f"{server.url}/stores", storage=storage, environment=environment)
        _moved(first.target, site)
        yield case_of(site, first, second, proxy)


def _moved(source: Target, site: Site) -> None:
    """Put the first edition into the bucket, and let its entry say so."""
    target = site.target
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda found: source.copy(found[0], target, found[0]), source.list()))
    entry = site.entry
    storage = entry.store.storage.model_copy(update={"protocol": "s3", "endpoint": site.storage["endpoint_url"]})
    url = site.target.child(f"{entry.version}.zarr").url
    store = entry.store.model_copy(update={"url": url, "storage": storage})
    site.entry_path.write_text(entry.model_copy(update={"store": store}).to_json())


@pytest.fixture
def moto_case(moto: S3, first: Site, second: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Give a case on an endpoint that honours conditional writes."""
    with on_bucket(moto, first, second, tmp_path / "site", monkeypatch) as case:
        yield case


@pytest.fixture
def rclone_case(
    rclone: S3, first: Site, second: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Case]:
    """Give a case on an endpoint that ignores conditions."""
    with on_bucket(rclone, first, second, tmp_path / "site", monkeypatch) as case:
        yield case


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients give up after two more tries, so that a test does not wait for minutes."""
    monkeypatch.setitem(RETRIES, "max_retries", 2)
