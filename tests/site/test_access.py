"""Pages of stores that lie in buckets and on web servers: what they say of access, and what their code opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.catalog.entry import Entry, Preview, Storage, Store
from bakehouse.site.build import Built
from bakehouse.site.bundle import Bundle
from bakehouse.site.content import gather
from bakehouse.site.javascript import node_for
from bakehouse.site.snippets import Places, snippets
from tests.catalog.samples import dataset, entry, facts, upload, write
from tests.site.kit import PNG, make, page, shelve
from tests.support.http import Server
from tests.support.s3 import S3


@pytest.fixture(autouse=True)
def _without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in S3("", "").environment:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def _in_bucket(server: S3, folder: Path, anonymous: bool | None) -> Entry:
    path = write(dataset(), folder / "a.zarr")
    upload(path, server.store("stores/a.zarr"))
    server.store("stores/a.preview").put("thumbnail.png", PNG)
    access = Storage(protocol="s3", endpoint=server.endpoint, region=server.region, anonymous=anonymous)
    store = Store(url=f"{server.url}/stores/a.zarr", zarr_format=3, consolidated=True, storage=access)
    preview = Preview(url=f"{server.url}/stores/a.preview", thumbnail="thumbnail.png")
    return entry("sea/daily", store=store, facts=facts(path), version="v1", preview=preview)


def _built(made: Entry, folder: Path) -> tuple[Built, str]:
    """Build its page, with the scripts of this checkout if they are there."""
    built = make(shelve(folder / "catalog", [made]), folder / "site", run_s=120, bundle=Bundle())
    return built, " ".join(page(folder / "site", "datasets/sea/daily").text().split())


def _javascript(state: str) -> dict[str, int]:
    with node_for(Bundle(), ()) as node:
        return {"not run" if node is None else state: 1}


def _states(python: str, javascript: dict[str, int]) -> dict[str, int]:
    return {**javascript, python: 4 + javascript.get(python, 0)}


def test_a_public_bucket_is_read_by_all_code_of_its_page(moto: S3, tmp_path: Path) -> None:
    made = _in_bucket(moto, tmp_path, True)
    moto.open_to_all()
    built, text = _built(made, tmp_path)
    assert (built.states, built.warnings) == (_states("opened", _javascript("opened")), ())
    for said in ("Anonymous: no credentials are needed.", moto.endpoint, moto.region, "{'anon': True, 'endpoint_url'"):
        assert said in text, said
    assert "Credentials from" not in text
    assert f'new zarr.FetchStore("{moto.endpoint}/{moto.bucket}/stores/a.zarr")' in text
    assert (tmp_path / "site/images/sea/daily/thumbnail.png").read_bytes() == PNG


@pytest.mark.parametrize("anonymous", [False, pytest.param(None, marks=pytest.mark.nightly)])
def test_a_closed_bucket_is_read_with_the_variables_that_its_page_names(
    rclone: S3, anonymous: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _in_bucket(rclone, tmp_path, anonymous)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", rclone.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", rclone.secret)
    built, text = _built(made, tmp_path)
    assert built.warnings == ()
    expected = {"not run": 1} if anonymous is False else _javascript("unavailable")
    assert built.states == _states("opened", expected)
    assert "Credentials from" in text and "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY" in text
    assert rclone.secret not in text and rclone.key not in text
    assert ("aws4fetch" in text) == (anonymous is False)
    (found,) = gather([tmp_path / "catalog"], None).entries
    for each in snippets(found, Places(str((tmp_path / "site").resolve()))):
        if each.language == "python":
            names: dict[str, Any] = {}
            exec(each.code, names)
            xr.testing.assert_identical(names["ds"].load(), dataset())


def test_a_closed_bucket_without_credentials_is_said_to_be_closed(rclone: S3, tmp_path: Path) -> None:
    built, text = _built(_in_bucket(rclone, tmp_path, False), tmp_path)
    assert built.states.keys() == {"unavailable", "not run"} and built.warnings == ()
    assert "Credentials are needed; they are never in the catalog." in text


def test_a_store_on_a_web_server_is_read_by_all_code_of_its_page(http_server: Server, tmp_path: Path) -> None:
    path = write(dataset(), http_server.folder / "a.zarr")
    built, text = _built(entry("sea/daily", http_server.address("a.zarr"), facts=facts(path), version="v1"), tmp_path)
    assert (built.states, built.warnings) == (_states("opened", _javascript("opened")), ())
    assert "Read over the web; no credentials are needed." in text
