"""What can't be linked: refused with the reason, and nothing that is not public is ever connected to."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bakehouse.errors import AddressError, BakehouseError, LinkError
from bakehouse.link.found import GoneError, PrivateError
from bakehouse.writers.template import METADATA_NAMES
from tests.catalog.samples import dataset
from tests.link.bench import linked, listening, naming, repository, s3_client, trusting, upload
from tests.link.test_formats import references
from tests.support.http import Fault, Server
from tests.support.s3 import S3

SECRET = "ZmFrZS1jYW5hcnk"


@pytest.fixture
def served(http_server: Server) -> Server:
    """Serve the sample as a store of either version."""
    for version in (2, 3):
        dataset().to_zarr(http_server.folder / f"v{version}.zarr", zarr_format=version, consolidated=True)
    return http_server


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc", "path on one machine"),
        ("/etc/passwd", "path on one machine"),
        ("local:///etc", "path on one machine"),
        ("simplecache::https://example.org/a.zarr", "'simplecache::' chains"),
        ("filecache::s3://bucket/a.zarr", "'filecache::' chains"),
        ("reference::https://example.org/refs.json", "'reference::' chains"),
        ("zip://a.zarr::https://example.org/a.zip", "chains"),
        ("ftp://example.org/a.zarr", "ftp:// can't be linked"),
        ("memory://a.zarr", "memory:// can't be linked"),
        ("https://example.org/a/../../b.zarr", "leads out"),
        (f"https://user:{SECRET}@example.org/a.zarr", "a name or a password"),
        (f"s3://{SECRET}:{SECRET}@bucket/a.zarr", "a name or a password"),
        (f"https://example.org/a.zarr?X-Amz-Signature={SECRET}", "holds a credential"),
        (f"https://example.org/a.zarr?token={SECRET}", "holds a credential"),
        (f"https://example.org/a.zarr?sig={SECRET}", "holds a credential"),
        ("https://example.org/a.zarr?download=1", "has a query"),
        ("s3://../a.zarr", "leads out"),
        ("s3://bad bucket/a.zarr", "no bucket's name"),
    ],
)
def test_an_address_of_the_wrong_kind_is_refused_without_its_secrets(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = naming(monkeypatch, {})
    with pytest.raises(AddressError) as caught:
        linked(url)
    assert reason in caught.value.message
    assert SECRET not in str(caught.value)
    assert asked == []


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:{}", "http://localhost:{}", "http://0x7f.1:{}"])
def test_an_endpoint_on_this_machine_is_refused_before_it_is_connected_to(endpoint: str) -> None:
    with listening() as listener, pytest.raises(AddressError):
        linked("s3://bucket/a.zarr", endpoint=endpoint.format(listener.port))
    assert listener.connections == []


@pytest.mark.parametrize("version", [2, 3])
def test_a_store_whose_chunks_lead_to_this_machine_is_refused(served: Server, version: int) -> None:
    with listening() as listener, pytest.raises(AddressError):
        served.redirects[f"/v{version}.zarr/sst/"] = f"{listener.url}/"
        linked(f"{served.url}/v{version}.zarr", served.url)
    assert listener.connections == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_private_store_is_refused(served: Server, status: int) -> None:
    for name in ("zarr.json", ".zmetadata", ".zgroup", "refs.json", "refs/branch.main/ref.json", "repo"):
        served.fail(f"/v3.zarr/{name}", Fault(status=status))
    with pytest.raises(PrivateError, match="not public") as caught:
        linked(f"{served.url}/v3.zarr", served.url)
    assert str(status) in str(caught.value)


@pytest.mark.parametrize("private", ["sst", "lat"])
@pytest.mark.parametrize("version", [2, 3])
def test_metadata_that_everybody_reads_do_not_make_a_store_public(served: Server, version: int, private: str) -> None:
    store = served.folder / f"v{version}.zarr"
    chunks = [f"/{path.relative_to(served.folder).as_posix()}" for path in _chunks(store / private)]
    for chunk in chunks:
        served.fail(chunk, Fault(status=403))
    if private == "sst":
        for name in ("lat", "lon", "time"):  # nor do its coordinates
            assert _chunks(store / name)
    with pytest.raises(PrivateError, match="not public"):
        linked(f"{served.url}/v{version}.zarr", served.url)
    assert any(served.requests(chunk) for chunk in chunks)


def _chunks(array: Path) -> list[Path]:
    return [path for path in array.rglob("*") if path.is_file() and path.name not in METADATA_NAMES]


def test_a_private_bucket_is_refused(moto: S3, tmp_path: Path) -> None:
    dataset().to_zarr(tmp_path / "a.zarr", zarr_format=3)
    url = upload(moto, tmp_path / "a.zarr", "a.zarr", acl="private")
    s3_client(moto).put_bucket_acl(Bucket=moto.bucket, ACL="private")
    with pytest.raises(PrivateError, match="not public"):
        linked(url, moto.endpoint, endpoint=moto.endpoint)


def test_a_store_without_its_chunks_is_refused(served: Server) -> None:
    for path in (served.folder / "v3.zarr").rglob("c"):
        if path.parent.name == "sst":
            for file in [each for each in path.rglob("*") if each.is_file()]:
                file.unlink()
    entry = linked(f"{served.url}/v3.zarr", served.url)  # its coordinates are there
    assert entry.access is not None and entry.access.chunk is not None
    assert not entry.access.chunk.key.startswith("sst/")


def test_metadata_alone_are_no_store(http_server: Server) -> None:
    ds = xr.Dataset({"sst": (("y", "x"), np.ones((4, 4), "f4"))})
    ds.to_zarr(http_server.folder / "a.zarr", zarr_format=3)
    (http_server.folder / "a.zarr" / "sst" / "c" / "0" / "0").unlink()
    with pytest.raises(LinkError, match="metadata and no chunks"):
        linked(f"{http_server.url}/a.zarr", http_server.url)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        (b"  <html><body>", "an HTML page"),
        (b"\x89HDF\r\n\x1a\n" + bytes(2000), "a NetCDF-4 or HDF5 file"),
        (b"CDF\x01" + bytes(100), "a NetCDF-3 file"),
        (b"GRIB" + bytes(100), "a GRIB file"),
        (b"PK\x03\x04" + bytes(100), "a zip archive"),
        (b"II*\x00" + bytes(100), "a TIFF file"),
        (b'{"a": 1}', "no zarr store"),
    ],
)
def test_what_is_no_store_is_named(http_server: Server, content: bytes, what: str) -> None:
    (http_server.folder / "thing").write_bytes(content)
    with pytest.raises(LinkError, match=what) as caught:
        linked(f"{http_server.url}/thing", http_server.url)
    if "file" in what and "zip" not in what:
        assert "bake it" in str(caught.value)


def test_a_server_that_answers_a_page_to_everything_has_no_store(http_server: Server) -> None:
    for name in ("", "zarr.json", ".zmetadata", ".zgroup", "refs.json", "refs/branch.main/ref.json", "repo"):
        http_server.fail(f"/a.zarr{'/' if name else ''}{name}", Fault(content=b"<!doctype html><p>not found"))
        path = http_server.folder / "a.zarr" / (name or "x")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    with pytest.raises(LinkError):
        linked(f"{http_server.url}/a.zarr", http_server.url)


def test_nothing_there_is_said_with_what_was_asked(http_server: Server) -> None:
    with pytest.raises(GoneError, match="no zarr store") as caught:
        linked(f"{http_server.url}/a.zarr", http_server.url)
    assert "404" in str(caught.value) and "zarr.json" in str(caught.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with listening() as listener:
        url = listener.url
    with pytest.raises(BakehouseError, match="does not answer"):
        linked(f"{url}/a.zarr", url)


def test_an_array_is_no_group(http_server: Server) -> None:
    import zarr

    zarr.create_array(http_server.folder / "a.zarr", shape=(4,), dtype="f4", zarr_format=3)
    with pytest.raises(LinkError, match="one array"):
        linked(f"{http_server.url}/a.zarr", http_server.url)


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "http://127.0.0.1:{}/a.nc",
        "http://2130706433:{}/a.nc",
        "http://liar.test:{}/a",
    ],
)
@pytest.mark.parametrize("form", ["json", "parquet"])
def test_references_to_this_machine_are_refused_before_it_is_connected_to(
    served: Server, target: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming(monkeypatch, {"liar.test": ["127.0.0.1"]})
    dataset().to_zarr(served.folder / "v2-whole.zarr", zarr_format=2)
    with listening() as listener:
        refs = references(served.url, served.folder)
        refs["sst/0.0.0"] = [target.format(listener.port), 0, 100]
        with pytest.raises(AddressError, match="sst"):
            linked(f"{served.url}/{_written(served.folder, refs, form)}", served.url)
    assert listener.connections == []


def test_templates_that_grow_without_end_are_not_followed(served: Server) -> None:
    dataset().to_zarr(served.folder / "v2-whole.zarr", zarr_format=2)
    refs = {**references(served.url, served.folder), "sst/0.0.0": ["{{t0}}/a.nc", 0, 100]}
    grown = {f"t{n}": f"{{{{t{n + 1}}}}}" * 2 for n in range(100)} | {"long": "x" * 10**6}
    (served.folder / "refs.json").write_text(json.dumps({"version": 1, "templates": grown, "refs": refs}))
    with pytest.raises(AddressError, match="sst"):
        linked(f"{served.url}/refs.json", served.url)


def _written(folder: Path, refs: dict[str, Any], form: str) -> str:
    if form == "json":
        (folder / "refs.json").write_text(json.dumps({"version": 1, "refs": refs}))
        return "refs.json"
    from fsspec.implementations.reference import LazyReferenceMapper

    mapper = LazyReferenceMapper.create(str(folder / "sea.parq"), record_size=10)
    for key, said in refs.items():
        mapper[key] = [*said, 0, 100][:3] if isinstance(said, list) else said.encode()
    mapper.flush()
    return "sea.parq"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("file:///etc/hosts", "path on one machine"),
        ("http://127.0.0.1:{}/a.nc", "loopback"),
        ("s3://elsewhere/a.nc", "chunks of the repository lie elsewhere"),
    ],
)
def test_virtual_chunks_of_a_repository_are_refused(
    moto: S3, place: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming(monkeypatch, {"elsewhere.s3.amazonaws.com": ["8.8.8.8"]})
    with listening() as listener:
        repository(moto, "ice", dataset(), place.format(listener.port))
        with pytest.raises(BakehouseError, match=reason):
            linked(f"s3://{moto.bucket}/ice", moto.endpoint, endpoint=moto.endpoint)
    assert listener.connections == []


@pytest.mark.parametrize("version", [2, 3])
def test_a_codec_that_runs_what_it_reads_is_refused_and_not_run(
    http_server: Server, version: int, tmp_path: Path
) -> None:
    proof = tmp_path / "ran"
    ds = xr.Dataset({"sst": ("x", np.arange(4.0))})
    store = http_server.folder / "a.zarr"
    ds.to_zarr(store, zarr_format=2, consolidated=False)
    said = json.loads((store / "sst" / ".zarray").read_text())
    said |= {"dtype": "|O", "filters": [{"id": "pickle"}], "compressor": None, "fill_value": None}
    (store / "sst" / ".zarray").write_text(json.dumps(said))
    (store / "sst" / "0").write_bytes(b"cposix\nsystem\n(S'touch %s'\ntR." % str(proof).encode())
    metadata = {path.relative_to(store).as_posix(): json.loads(path.read_text()) for path in store.rglob(".z*")}
    document = {"zarr_consolidated_format": 1, "metadata": metadata}
    (store / ".zmetadata").write_text(json.dumps(document))
    with pytest.raises(LinkError, match="pickle"):
        linked(f"{http_server.url}/a.zarr", http_server.url)
    assert not proof.exists()


def test_coordinates_that_would_fill_the_memory_are_refused(http_server: Server) -> None:
    ds = xr.Dataset({"sst": ("x", np.zeros(4, "f4"))}, {"x": np.arange(4)})
    store = http_server.folder / "a.zarr"
    ds.to_zarr(store, zarr_format=3)
    said = json.loads((store / "zarr.json").read_text())
    for name in ("x", "sst"):
        said["consolidated_metadata"]["metadata"][name]["shape"] = [10**12]
    (store / "zarr.json").write_text(json.dumps(said))
    with pytest.raises(LinkError, match="too big"):
        linked(f"{http_server.url}/a.zarr", http_server.url)


def test_a_chunk_that_would_fill_the_memory_is_refused(http_server: Server) -> None:
    ds = xr.Dataset({"sst": ("x", np.zeros(4, "f4"))})
    store = http_server.folder / "a.zarr"
    ds.to_zarr(store, zarr_format=3)
    said = json.loads((store / "zarr.json").read_text())
    array = said["consolidated_metadata"]["metadata"]["sst"]
    array["shape"] = [10**10]
    array["chunk_grid"]["configuration"]["chunk_shape"] = [10**10]
    (store / "zarr.json").write_text(json.dumps(said))
    with pytest.raises(LinkError, match="GiB"):
        linked(f"{http_server.url}/a.zarr", http_server.url)


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 100_000,
        b'{"zarr_format": 3, "node_type": "group", "attributes": {}, "consolidated_metadata": {"metadata": {"a": 1}}}',
        b'{"zarr_format": 3}',
        b'{"zarr_format": "x", "node_type": 7}',
        b"\xff\xfe" * 100,
    ],
)
def test_a_root_document_of_nonsense_is_one_message(http_server: Server, document: bytes) -> None:
    (http_server.folder / "a.zarr").mkdir()
    (http_server.folder / "a.zarr" / "zarr.json").write_bytes(document)
    with pytest.raises(LinkError):
        linked(f"{http_server.url}/a.zarr", http_server.url)


@pytest.mark.parametrize("license", [None, "CC-BY-4", "free for all"])
def test_a_licence_that_nobody_knows_is_refused_before_anything_is_read(served: Server, license: str | None) -> None:
    from bakehouse.link.entry import Linking, make_entry
    from bakehouse.meta.models import FeedstockMeta, LinkedStore

    said: Any = {"title": "Sea", "provenance": {"license": license}}
    store = LinkedStore(id="sea", url=f"{served.url}/v3.zarr")
    with pytest.raises(LinkError, match="licence"):
        make_entry(Linking("sea", FeedstockMeta(**said), store, allowed=trusting(served.url)))
    assert served.log == []


def test_a_chunk_that_no_codec_decodes_is_refused(served: Server) -> None:
    (served.folder / "v3.zarr" / "sst" / "c" / "0" / "0" / "0").write_bytes(zlib.compress(b"nonsense"))
    with pytest.raises(LinkError, match="can't be decoded"):
        linked(f"{served.url}/v3.zarr", served.url)
