"""Every format that can be linked: facts as xarray sees them, and a chunk read without credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.opening import open_store
from bakehouse.errors import AddressError, LinkError
from bakehouse.link.place import place_of
from bakehouse.link.region import with_region
from bakehouse.storage.web import Web
from tests.catalog.samples import dataset
from tests.link.bench import linked, naming, repository, says_what_xarray_sees, trusting, upload
from tests.support.http import Server
from tests.support.s3 import S3

DATASET = dataset()


def opened(entry: Entry) -> xr.Dataset:
    """Open a linked store as its entry says, with no other help."""
    return open_store(entry.store, entry.store.url, {}, {"chunks": None})


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the sample in all forms of plain zarr."""
    folder = tmp_path_factory.mktemp("stores")
    for version in (2, 3):
        for consolidated in (True, False):
            name = f"v{version}-{'whole' if consolidated else 'parts'}.zarr"
            DATASET.to_zarr(folder / name, zarr_format=version, consolidated=consolidated)
    shards = {"sst": {"chunks": (1, 3, 4), "shards": (4, 6, 8)}}
    DATASET.to_zarr(folder / "shards.zarr", zarr_format=3, encoding=shards)
    return folder


@pytest.fixture
def served(stores: Path, http_server: Server) -> Iterator[Server]:
    """Serve them over HTTP."""
    http_server.folder = stores
    yield http_server


@pytest.mark.parametrize("name", ["v2-whole", "v3-whole", "shards"])
def test_a_consolidated_store_on_a_web_server_is_linked(served: Server, name: str) -> None:
    url = f"{served.url}/{name}.zarr"
    entry = linked(url, served.url)
    says_what_xarray_sees(entry, DATASET)
    assert (entry.kind, entry.check.level) == ("linked", "reachable")
    assert (entry.store.url, entry.store.consolidated, entry.store.zarr_format) == (url, True, int(name[1] == "2") ^ 3)
    xr.testing.assert_identical(opened(entry), DATASET)


@pytest.mark.parametrize("name", ["v2-parts", "v3-parts"])
def test_a_web_server_that_lists_nothing_needs_consolidated_metadata(served: Server, name: str) -> None:
    with pytest.raises(LinkError, match="no way to learn") as caught:
        linked(f"{served.url}/{name}.zarr", served.url)
    assert "consolidate" in str(caught.value)


@pytest.mark.parametrize("name", ["v2-whole", "v3-whole", "v2-parts", "v3-parts", "shards"])
def test_a_store_in_a_public_bucket_is_linked(stores: Path, moto: S3, name: str) -> None:
    url = upload(moto, stores / f"{name}.zarr", f"d/{name}.zarr")
    entry = linked(url, moto.endpoint, endpoint=moto.endpoint)
    says_what_xarray_sees(entry, DATASET)
    assert entry.store.consolidated == (not name.endswith("parts"))
    assert (entry.store.storage.anonymous, entry.store.storage.requester_pays) == (True, False)
    xr.testing.assert_identical(opened(entry), DATASET)


def test_the_web_address_of_a_bucket_becomes_the_buckets(stores: Path, moto: S3) -> None:
    url = upload(moto, stores / "v3-parts.zarr", "sea.zarr")
    entry = linked(f"{moto.endpoint}/{moto.bucket}/sea.zarr", moto.endpoint, endpoint=moto.endpoint)
    assert (entry.store.url, entry.store.storage.endpoint) == (url, moto.endpoint)


@pytest.mark.parametrize("cors", [None, "*", "https://other.example"])
@pytest.mark.parametrize("ranges", [True, False])
def test_what_a_server_allows_a_stranger_is_seen_from_its_answers(
    served: Server, cors: str | None, ranges: bool
) -> None:
    served.ranges = ranges
    served.headers |= {"Access-Control-Allow-Origin": cors} if cors else {}
    access = linked(f"{served.url}/v3-whole.zarr", served.url).access
    assert access is not None
    assert (access.anonymous, access.cors, access.ranges) == (True, cors == "*", ranges)


@pytest.mark.parametrize("name", ["v2-whole", "v3-whole"])
def test_public_means_that_a_chunk_was_read(served: Server, name: str) -> None:
    access = linked(f"{served.url}/{name}.zarr", served.url).access
    assert access is not None and access.chunk is not None and access.root is not None
    file = served.folder / f"{name}.zarr" / access.chunk.key
    assert access.chunk.size_bytes == file.stat().st_size
    assert served.requests(f"/{name}.zarr/{access.chunk.key}")
    assert (served.folder / f"{name}.zarr" / access.root.key).is_file()


@pytest.mark.parametrize("prefix", ["ice/sea", "sea.icechunk"])
def test_an_icechunk_repository_is_linked_at_its_snapshot(moto: S3, prefix: str) -> None:
    snapshot = repository(moto, prefix, DATASET)
    entry = linked(f"s3://{moto.bucket}/{prefix}", moto.endpoint, endpoint=moto.endpoint)
    says_what_xarray_sees(entry, DATASET)
    assert (entry.store.format, entry.store.snapshot) == ("icechunk", snapshot)
    assert entry.access is not None and entry.access.chunk is not None and entry.access.cors is True
    xr.testing.assert_identical(opened(entry), DATASET)


def references(url: str, folder: Path) -> dict[str, Any]:
    """Refer to every chunk of a zarr v2 store by a whole file, and to those of `sst` by a range."""
    store = folder / "v2-whole.zarr"
    files = {path.relative_to(store).as_posix(): path for path in sorted(store.rglob("*")) if path.is_file()}
    refs: dict[str, Any] = {}
    for key, path in files.items():
        if key.rpartition("/")[2].startswith(".z"):
            refs |= {key: path.read_text()} if key != ".zmetadata" else {}
        else:
            span = [0, path.stat().st_size] if key.startswith("sst/") else []
            refs[key] = [f"{url}/v2-whole.zarr/{key}", *span]
    return refs


@pytest.mark.parametrize("form", ["version 1", "version 0", "templates", "folder"])
def test_a_document_of_references_is_linked(stores: Path, served: Server, form: str, tmp_path: Path) -> None:
    refs = references(served.url, stores)
    documents: dict[str, Any] = {
        "version 1": {"version": 1, "refs": refs},
        "version 0": refs,
        "templates": {"version": 1, "templates": {"u": served.url}, "refs": references("{{u}}", stores)},
    }
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs" / "refs.json").write_text(json.dumps(documents.get(form, documents["version 1"])))
    from tests.support.http import serve

    with serve(tmp_path) as other:
        url = f"{other.url}/refs" if form == "folder" else f"{other.url}/refs/refs.json"
        entry = linked(url, other.url, served.url)
        says_what_xarray_sees(entry, DATASET)
        assert (entry.store.format, entry.store.zarr_format) == ("kerchunk", 2)
        assert entry.store.references == "http"
        xr.testing.assert_identical(opened(entry), DATASET)


def test_a_folder_of_parquet_references_is_linked(stores: Path, served: Server, tmp_path: Path) -> None:
    from fsspec.implementations.reference import LazyReferenceMapper

    from tests.support.http import serve

    refs = {
        key: [*said, 0, 10**6][:3] if isinstance(said, list) else said
        for key, said in references(served.url, stores).items()
    }
    sizes = {
        key: (stores / "v2-whole.zarr" / key).stat().st_size for key, said in refs.items() if isinstance(said, list)
    }
    mapper = LazyReferenceMapper.create(str(tmp_path / "sea.parq"), record_size=10)
    for key, said in refs.items():
        mapper[key] = [said[0], 0, sizes[key]] if isinstance(said, list) else said.encode()
    mapper.flush()
    with serve(tmp_path) as other:
        entry = linked(f"{other.url}/sea.parq", other.url, served.url)
        says_what_xarray_sees(entry, DATASET)
        assert entry.provenance.options["format"] == "kerchunk-parquet"
        xr.testing.assert_identical(opened(entry), DATASET)


def _document_in_bucket(stores: Path, moto: S3, folder: Path) -> None:
    """Refer to a store in a bucket, and put the document into a folder and the bucket."""
    url = upload(moto, stores / "v2-whole.zarr", "v2-whole.zarr")
    document = {"version": 1, "refs": references(url.rpartition("/")[0], stores)}
    (folder / "sea.json").write_text(json.dumps(document))
    upload(moto, folder, "refs")


def test_references_beside_what_they_refer_to_in_a_bucket_are_linked(stores: Path, moto: S3, tmp_path: Path) -> None:
    _document_in_bucket(stores, moto, tmp_path)
    entry = linked(f"s3://{moto.bucket}/refs/sea.json", moto.endpoint, endpoint=moto.endpoint)
    says_what_xarray_sees(entry, DATASET)
    assert entry.store.references == "s3"
    xr.testing.assert_identical(opened(entry), DATASET)


def test_references_from_the_web_into_buckets_mean_those_at_amazon(
    stores: Path, moto: S3, http_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = naming(monkeypatch, {f"{moto.bucket}.s3.amazonaws.com": ["10.0.0.1"]})
    _document_in_bucket(stores, moto, http_server.folder)
    with pytest.raises(AddressError, match="resolves to 10.0.0.1"):
        linked(f"{http_server.url}/sea.json", http_server.url, moto.endpoint)
    assert asked == [f"{moto.bucket}.s3.amazonaws.com"]


def test_a_bucket_at_amazon_tells_its_region(http_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakehouse.link.region.AMAZON", http_server.url)
    http_server.headers["x-amz-bucket-region"] = "eu-north-1"
    with Web(trusting(http_server.url)) as web:
        found = with_region(web, place_of("s3://bucket/a.zarr"))
        known = with_region(web, place_of("s3://bucket/a.zarr", region="us-west-2"))
    assert (found.storage.region, found.web) == ("eu-north-1", "https://bucket.s3.eu-north-1.amazonaws.com/a.zarr")
    assert known.storage.region == "us-west-2"
    assert [request.path for request in http_server.log] == ["/bucket"]


def test_reading_is_free_where_the_provider_is_known_to_charge_nobody() -> None:
    assert place_of("https://nyu1.osn.mghpcc.org/bucket/a.zarr").is_free
    assert not place_of("s3://bucket/a.zarr").is_free
    assert not place_of("https://osn.mghpcc.org.example.org/bucket/a.zarr").is_free


def test_a_group_below_the_root_is_linked_by_its_name(moto: S3, tmp_path: Path) -> None:
    DATASET.to_zarr(tmp_path / "tree.zarr", group="fine", zarr_format=3, consolidated=False)
    url = upload(moto, tmp_path / "tree.zarr", "tree.zarr")
    with pytest.raises(LinkError, match="no arrays"):
        linked(url, moto.endpoint, endpoint=moto.endpoint)
    entry = linked(url, moto.endpoint, endpoint=moto.endpoint, xarray_open_kwargs={"group": "fine", "engine": "zarr"})
    says_what_xarray_sees(entry, DATASET)
    assert entry.store.open_kwargs == {"group": "fine"}
    xr.testing.assert_identical(opened(entry), DATASET)


@pytest.mark.parametrize(
    ("given", "url", "endpoint", "web"),
    [
        (
            "https://nyu1.osn.mghpcc.org/leap-pangeo-pipeline/a/b.zarr",
            *("s3://leap-pangeo-pipeline/a/b.zarr", "https://nyu1.osn.mghpcc.org"),
            "https://nyu1.osn.mghpcc.org/leap-pangeo-pipeline/a/b.zarr",
        ),
        (
            "https://storage.googleapis.com/bucket/a.zarr",
            *("gs://bucket/a.zarr", None, "https://storage.googleapis.com/bucket/a.zarr"),
        ),
        ("gcs://bucket/a.zarr/", "gs://bucket/a.zarr", None, "https://storage.googleapis.com/bucket/a.zarr"),
        ("s3://bucket/a.zarr", "s3://bucket/a.zarr", None, "https://bucket.s3.amazonaws.com/a.zarr"),
        ("s3://dotted.name/a", "s3://dotted.name/a", None, "https://s3.amazonaws.com/dotted.name/a"),
        (
            "https://bucket.s3.eu-west-1.amazonaws.com/a.zarr",
            *("s3://bucket/a.zarr", None, "https://bucket.s3.eu-west-1.amazonaws.com/a.zarr"),
        ),
        (
            "https://s3.eu-west-1.amazonaws.com/bucket/a.zarr",
            *("s3://bucket/a.zarr", None, "https://bucket.s3.eu-west-1.amazonaws.com/a.zarr"),
        ),
        ("https://example.org/a.zarr/", "https://example.org/a.zarr", None, "https://example.org/a.zarr"),
    ],
)
def test_an_address_is_understood_as_readers_name_it(given: str, url: str, endpoint: str | None, web: str) -> None:
    place = place_of(given)
    assert (place.url, place.storage.endpoint, place.web) == (url, endpoint, web)
