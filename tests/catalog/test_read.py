from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import bakehouse
from bakehouse.catalog.entry import Storage, Store
from bakehouse.catalog.lines import opening_line, storage_options, xarray_line
from bakehouse.catalog.read import find_entry, open_dataset, resolve
from bakehouse.catalog.register import register
from bakehouse.errors import CatalogError
from tests.catalog.samples import dataset, entry, facts, stored, upload, write
from tests.support.http import Fault, Server
from tests.support.s3 import S3

PROJECT = "title: Ours\nbakeries: {local: {target: stores}}\n"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Make a catalog with two feedstocks, one of them with two stores."""
    folder = tmp_path / "catalog"
    register(folder, stored("oisst/daily", tmp_path / "v2.zarr", 2, aliases=["oisst-v2.zarr"]))
    register(folder, stored("oisst/monthly", tmp_path / "v3.zarr", 3))
    register(folder, stored("nemo/surface", tmp_path / "nemo.zarr"))
    return folder


@pytest.mark.parametrize("id", ["oisst/daily", "oisst/monthly", "nemo", "oisst-v2.zarr"])
def test_a_local_store_opens_by_each_of_its_names(catalog: Path, id: str) -> None:
    with bakehouse.open(id, catalog) as found:
        xr.testing.assert_identical(found.load(), dataset())


def test_the_plain_xarray_line_opens_the_same(catalog: Path) -> None:
    found = find_entry("nemo", catalog)
    xr.testing.assert_identical(eval(xarray_line(found), {"xarray": xr}), open_dataset("nemo", catalog))


def test_opening_is_lazy(catalog: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nemo.zarr/sst/c").rglob("*"):
        if path.is_file():
            path.write_bytes(b"no chunk")
    assert open_dataset("nemo", catalog).sst.shape == (4, 6, 8)
    assert open_dataset("nemo", catalog, chunks=None).sst[0].shape == (6, 8)


def test_arrays_are_dask_in_the_chunks_of_the_store_unless_told_otherwise(catalog: Path, tmp_path: Path) -> None:
    write(dataset(), tmp_path / "nemo.zarr", encoding={"sst": {"chunks": (2, 6, 8)}})
    assert open_dataset("nemo", catalog).sst.chunks == ((2, 2), (6,), (8,))
    assert open_dataset("nemo", catalog, chunks={"time": 4}).sst.chunks == ((4,), (6,), (8,))
    assert open_dataset("nemo", catalog, chunks=None).sst.chunks is None


def test_without_dask_arrays_are_read_when_they_are_indexed(catalog: Path) -> None:
    code = f"""
import importlib.util, sys
sys.modules["dask"] = None
import bakehouse
ds = bakehouse.open("nemo", {str(catalog)!r})
print(ds.sst.chunks, float(ds.sst[0, 0, 0]) == float({float(dataset().sst[0, 0, 0])!r}))
"""
    assert _python(code) == "None True"


def test_neither_opening_nor_finding_imports_beam(catalog: Path) -> None:
    code = f"""
import sys, bakehouse
print([name for name in ("xarray", "zarr", "numpy", "pydantic") if name in sys.modules], end=" ")
bakehouse.open("nemo", {str(catalog)!r})
print("apache_beam" in sys.modules, bakehouse.__version__.count(".") > 0)
"""
    assert _python(code) == "[] False True"


def test_the_warning_for_codecs_of_numcodecs_is_silent_and_others_are_not(catalog: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from zarr.codecs.numcodecs import Zlib

        write(dataset(), tmp_path / "nemo.zarr", encoding={"sst": {"compressors": [Zlib(level=1)]}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_dataset("nemo", catalog).sizes["time"] == 4
    with pytest.warns(UserWarning, match="separate the stored chunks"):
        open_dataset("nemo", catalog, chunks={"time": 3})


def test_a_store_with_times_that_only_its_entry_can_read(tmp_path: Path) -> None:
    path = write(dataset(), tmp_path / "a.zarr")
    store = Store(url=path, zarr_format=3, consolidated=True, open_kwargs={"decode_times": False})
    register(tmp_path / "catalog", entry("a/a", store=store))
    assert open_dataset("a", tmp_path / "catalog").time.dtype.kind in "if"
    assert open_dataset("a", tmp_path / "catalog", decode_times=True).time.dtype.kind == "M"
    assert "decode_times=False" in xarray_line(find_entry("a", tmp_path / "catalog"))


def test_a_store_beside_its_catalog_moves_with_it(tmp_path: Path) -> None:
    write(dataset(), tmp_path / "here/stores/a.zarr")
    register(tmp_path / "here/catalog", entry("a/a", url="../stores/a.zarr"))
    (tmp_path / "here").rename(tmp_path / "there")
    assert open_dataset("a", tmp_path / "there/catalog").sizes["time"] == 4


def test_a_folder_with_a_space_in_its_name(tmp_path: Path) -> None:
    register(tmp_path / "my catalog", stored("a/a", tmp_path / "my store ä.zarr"))
    assert open_dataset("a", tmp_path / "my catalog").sizes["time"] == 4


def test_a_previous_version_stays_open(tmp_path: Path) -> None:
    for version, times in (("v1", 2), ("v2", 3)):
        path = write(dataset(times), tmp_path / f"{version}.zarr")
        register(tmp_path / "catalog", entry("a/a", path, version=version, facts=facts(path)))
    assert open_dataset("a", tmp_path / "catalog").sizes["time"] == 3
    assert open_dataset("a", tmp_path / "catalog", version="v1").sizes["time"] == 2
    assert open_dataset("a", tmp_path / "catalog", version="v2").sizes["time"] == 3
    with pytest.raises(CatalogError, match="has no version 'v3'"):
        open_dataset("a", tmp_path / "catalog", version="v3")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_catalog_and_its_stores_on_a_web_server(http_server: Server, zarr_format: int) -> None:
    www = http_server.folder
    encoding = {"sst": {"chunks": (1, 6, 8), **({"shards": (4, 6, 8)} if zarr_format == 3 else {})}}
    path = write(dataset(), www / "stores/a.zarr", zarr_format, encoding=encoding)
    register(
        www / "catalog",
        entry("a/a", "../stores/a.zarr", zarr_format=zarr_format, facts=facts(path), aliases=["x.zarr"]),
    )
    register(www / "catalog", entry("b/b", http_server.address("stores/a.zarr"), zarr_format=zarr_format))
    address = http_server.address("catalog")
    for name in ("a/a", "a", "x.zarr", "b"):
        xr.testing.assert_identical(bakehouse.open(name, address).load(), dataset())
    assert bakehouse.open("a", f"{address}/catalog.json").sizes["time"] == 4
    http_server.clear()
    find_entry("a/a", address)
    assert [request.path for request in http_server.log] == ["/catalog/a/a.json"]


def test_a_web_catalog_cannot_point_at_the_readers_disk(http_server: Server, tmp_path: Path) -> None:
    register(http_server.folder, stored("a/a", tmp_path / "mine.zarr"))
    with pytest.raises(CatalogError, match="a path on another machine"):
        open_dataset("a", http_server.url)


def test_a_web_catalog_that_fails_is_named(http_server: Server) -> None:
    with pytest.raises(CatalogError, match="no catalog there"):
        find_entry("a", http_server.url)
    http_server.fail("a/a.json", Fault(status=500))
    with pytest.raises(CatalogError, match="HTTP 500"):
        find_entry("a/a", http_server.url)
    (http_server.folder / "catalog.json").write_text("<html>")
    with pytest.raises(CatalogError, match="not a Bakehouse catalog"):
        find_entry("a", http_server.url)
    with pytest.raises(CatalogError, match="cannot reach the catalog"):
        find_entry("a", "http://127.0.0.1:1")


def test_a_store_in_a_bucket(s3: S3, tmp_path: Path) -> None:
    upload(write(dataset(), tmp_path / "a.zarr"), s3.store("stores/a.zarr"))
    store = Store(
        url=f"{s3.url}/stores/a.zarr",
        zarr_format=3,
        consolidated=True,
        storage=Storage(protocol="s3", endpoint=s3.endpoint, region=s3.region),
    )
    register(tmp_path / "catalog", entry("a/a", store=store))
    credentials = {"key": s3.key, "secret": s3.secret}
    xr.testing.assert_identical(open_dataset("a", tmp_path / "catalog", storage_options=credentials).load(), dataset())


def test_a_public_bucket_needs_no_credentials(moto: S3, tmp_path: Path) -> None:
    upload(write(dataset(), tmp_path / "a.zarr"), moto.store("a.zarr"))
    moto.open_to_all()
    access = Storage(protocol="s3", endpoint=moto.endpoint, anonymous=True)
    made = entry("a/a", store=Store(url=f"{moto.url}/a.zarr", zarr_format=3, consolidated=True, storage=access))
    register(tmp_path / "catalog", made)
    xr.testing.assert_identical(open_dataset("a", tmp_path / "catalog").load(), dataset())
    assert storage_options(made.store) == {"anon": True, "endpoint_url": moto.endpoint}


@pytest.mark.parametrize("url", ["/nowhere/a.zarr", "s3", "http"])
def test_a_store_that_is_gone_is_named(url: str, moto: S3, http_server: Server, tmp_path: Path) -> None:
    places = {"s3": f"{moto.url}/gone.zarr", "http": http_server.address("gone.zarr")}
    place = places.get(url, url)
    access: dict[str, Any] = {"protocol": place.partition(":")[0] if "://" in place else "file"}
    if url == "s3":
        moto.open_to_all()
        access |= {"endpoint": moto.endpoint, "anonymous": True}
    register(
        tmp_path, entry("a/a", store=Store(url=place, zarr_format=3, consolidated=True, storage=Storage(**access)))
    )
    with pytest.raises(CatalogError, match="the store is not there") as caught:
        open_dataset("a", tmp_path)
    assert caught.value.where == place


def test_references_that_are_not_there_are_said_to_be_gone(tmp_path: Path) -> None:
    store = Store(url=f"{tmp_path}/a", format="kerchunk", zarr_format=2, consolidated=True)
    register(tmp_path, entry("a/a", store=store))
    with pytest.raises(CatalogError, match="the store is not there"):
        open_dataset("a", tmp_path)


def test_a_repository_that_is_not_there_is_an_error_of_the_catalog(tmp_path: Path) -> None:
    pytest.importorskip("icechunk")
    store = Store(url=str(tmp_path / "a.icechunk"), format="icechunk", zarr_format=3, consolidated=False)
    register(tmp_path, entry("a/a", store=store))
    with pytest.raises(CatalogError, match="there is no Icechunk repository"):
        open_dataset("a", tmp_path)


def test_a_feedstock_with_several_stores_asks_which(catalog: Path) -> None:
    with pytest.raises(CatalogError, match="choose one of: oisst/daily, oisst/monthly"):
        bakehouse.open("oisst", catalog)


def test_a_recipe_of_the_feedstocks_name_is_what_the_feedstock_opens() -> None:
    names: dict[str, tuple[str, ...]] = {"a/a": (), "a/b": ("c",), "d/e": ("f", "c")}
    assert [resolve(name, names) for name in ("a", "a/b", "d", "f", "x")] == ["a/a", "a/b", "d/e", "d/e", None]
    with pytest.raises(CatalogError, match="'c' means 2 stores"):
        resolve("c", names)


@pytest.mark.parametrize("name", ["nemoo", "oisst/dayly", "oist-v2.zarr"])
def test_a_misspelt_id_suggests_the_right_one(catalog: Path, name: str) -> None:
    with pytest.raises(CatalogError, match="did you mean") as caught:
        find_entry(name, catalog)
    assert "the catalog has: nemo/surface, oisst/daily, oisst/monthly" in str(caught.value)


@pytest.mark.parametrize("name", ["../catalog/nemo/surface", "nemo/../nemo/surface", "/etc/passwd", "", "x y", "nemo/"])
def test_an_id_never_leaves_the_catalog(catalog: Path, name: str) -> None:
    with pytest.raises(CatalogError, match="no entry"):
        find_entry(name, catalog / "nemo" / "..")


def test_a_broken_entry_says_so(catalog: Path) -> None:
    (catalog / "nemo/surface.json").write_text("{}")
    for name in ("nemo", "nemo/surface"):
        with pytest.raises(CatalogError, match="not a valid entry"):
            find_entry(name, catalog)
    assert find_entry("oisst/daily", catalog).id == "oisst/daily"


def test_readers_look_in_the_environment_then_the_project_then_its_published_address(
    tmp_path: Path, http_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "feedstocks/x").mkdir(parents=True)
    (project / "meta.yaml").write_text(f"{PROJECT}catalog_url: {http_server.address('catalog.json')}\n")
    monkeypatch.chdir(project / "feedstocks/x")
    register(http_server.folder, entry("a/a", title="default"))
    assert find_entry("a").title == "default"
    register(project / "catalog", entry("a/a", title="published"))
    assert find_entry("a").title == "published"
    register(project / ".bakehouse/catalog", entry("a/a", title="local"))
    assert find_entry("a").title == "local"
    register(tmp_path / "env", entry("a/a", title="environment"))
    monkeypatch.setenv("BAKEHOUSE_CATALOG", str(tmp_path / "env"))
    assert find_entry("a").title == "environment"
    assert find_entry("a", project / "catalog").title == "published"


def test_a_published_address_that_does_not_answer_does_not_hide_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "feedstocks").mkdir()
    (tmp_path / "meta.yaml").write_text(f"{PROJECT}catalog_url: http://127.0.0.1:1/catalog.json\n")
    register(tmp_path / "catalog", entry("oisst/daily"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError, match="did you mean 'oisst'"):
        find_entry("oist")


def test_outside_of_any_project_a_catalog_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError, match="name a catalog, set BAKEHOUSE_CATALOG, or run inside a project"):
        find_entry("a")
    with pytest.raises(CatalogError, match="no catalog at"):
        find_entry("a", tmp_path / "nowhere")


def test_the_opening_line_is_short_where_that_stays_right() -> None:
    assert opening_line(entry("ostia/ostia")) == 'bakehouse.open("ostia")'
    assert opening_line(entry("oisst/daily")) == 'bakehouse.open("oisst/daily")'


def test_the_xarray_line_spells_out_access() -> None:
    access = Storage(protocol="s3", endpoint="https://osn.example.org", region="us-east-1", anonymous=True)
    store = Store(url="s3://b/a.zarr", zarr_format=3, consolidated=False, storage=access)
    assert xarray_line(entry(store=store)) == (
        "xarray.open_zarr('s3://b/a.zarr', consolidated=False, storage_options={'anon': True, "
        "'endpoint_url': 'https://osn.example.org', 'client_kwargs': {'region_name': 'us-east-1'}})"
    )
    assert xarray_line(entry(url="https://example.org/a.zarr")) == "xarray.open_zarr('https://example.org/a.zarr')"


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
