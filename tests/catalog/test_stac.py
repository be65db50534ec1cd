from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pystac
import pytest
from pystac.extensions.datacube import DatacubeExtension
from pystac.validation import JsonSchemaSTACValidator

from bakehouse.catalog.canonical import dumps
from bakehouse.catalog.cube import rfc3339
from bakehouse.catalog.entry import Check, Dimension, Entry, Facts, Link, Provider, Status, Storage, Store, TimeRange
from bakehouse.catalog.stac import to_collection
from bakehouse.catalog.stac_rules import stac_checks
from tests.catalog.samples import HOSTILE, entry, stored


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("validation reached for the network")

    monkeypatch.setattr("socket.socket.connect", refuse)


def _valid(document: dict[str, Any]) -> dict[str, Any]:
    """Validate with pystac's own validator, which knows nothing of this package, and by the extensions' rules."""
    JsonSchemaSTACValidator().validate_core(document, pystac.STACObjectType.COLLECTION, "1.1.0")
    assert stac_checks(document) == []
    assert pystac.Collection.from_dict(copy.deepcopy(document)).id == document["id"]
    return document


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_harvested_store_is_a_valid_collection(tmp_path: Path, zarr_format: int) -> None:
    document = _valid(to_collection(stored("oisst/daily", tmp_path / "a.zarr", zarr_format)))
    asset = document["assets"]["data"]
    assert (asset["type"], asset["href"]) == ("application/vnd.zarr", str(tmp_path / "a.zarr"))
    assert (asset["zarr:zarr_format"], asset["zarr:consolidated"], asset["zarr:node_type"]) == (
        zarr_format,
        True,
        "group",
    )
    assert document["extent"]["spatial"]["bbox"] == [[-180, -75, 180, 75]]
    assert document["extent"]["temporal"]["interval"] == [["2000-01-01T00:00:00Z", "2000-01-04T00:00:00Z"]]


def test_pystac_reads_the_cube(tmp_path: Path) -> None:
    collection = pystac.Collection.from_dict(to_collection(stored("oisst/daily", tmp_path / "a.zarr")))
    cube = DatacubeExtension.ext(collection)
    assert {name: dim.dim_type for name, dim in cube.dimensions.items()} == {
        "time": "temporal",
        "lat": "spatial",
        "lon": "spatial",
    }
    assert {name: each.dimensions for name, each in cube.variables.items()} == {"sst": ["time", "lat", "lon"]}
    assert cube.dimensions["time"].to_dict()["step"] == "P1D"


@pytest.mark.filterwarnings("ignore:The collection .* is deprecated")
def test_every_field_an_author_may_fill() -> None:
    document = _valid(
        to_collection(
            entry(
                title=HOSTILE,
                description=HOSTILE,
                tags=["sst", "ocean"],
                license="CC-BY-4.0",
                license_link={"url": "https://example.org/terms"},
                providers=[Provider(name="Met Office", roles=("producer", "boss"), url="https://example.org")],
                links=[Link(label="Home", url="https://example.org"), Link(label="Again", url="https://example.org")],
                doi="10.1234/ab",
                citation="Cite me",
                version="v1",
                thumbnail="https://example.org/a.png",
                status=Status(state="deprecated"),
            )
        )
    )
    assert document["title"] == HOSTILE == json.loads(dumps(document))["description"]
    assert (document["version"], document["deprecated"], document["sci:doi"]) == ("v1", True, "10.1234/ab")
    assert document["providers"] == [{"name": "Met Office", "roles": ["producer"], "url": "https://example.org"}]


def test_an_entry_that_says_almost_nothing_is_valid_still() -> None:
    document = _valid(to_collection(entry(title="")))
    assert document["license"] == "other"
    assert document["extent"]["temporal"]["interval"] == [[None, None]]


def test_dates_that_iso_does_not_have_are_cut_to_the_last_of_the_month() -> None:
    dim = Dimension(size=2, axis="t", start="2000-02-30T00:00:00Z", end="2001-02-30T00:00:00Z")
    time = TimeRange(start="2000-02-30T00:00:00Z", end="2001-02-30T00:00:00Z", calendar="360_day")
    document = _valid(to_collection(entry(facts=Facts(dims={"time": dim}, time=time, bytes_decoded=0))))
    assert document["extent"]["temporal"]["interval"] == [["2000-02-29T00:00:00Z", "2001-02-28T00:00:00Z"]]
    assert "360_day calendar, from 2000-02-30" in document["cube:dimensions"]["time"]["description"]
    assert rfc3339("0000-01-01T00:00:00Z") is None


def test_grid_positions_labels_and_projections_are_additional_dimensions() -> None:
    dims = {
        "y": Dimension(size=330),
        "scenario": Dimension(size=2, values=("A1B", "E1")),
        "x": Dimension(size=3, axis="x", start=0, end=2000.5, units="m", standard_name="projection_x_coordinate"),
        "lev": Dimension(size=3, axis="z", start=1, end=3, step=-1),
    }
    cube = _valid(to_collection(entry(facts=Facts(dims=dims, bytes_decoded=0))))["cube:dimensions"]
    assert cube["y"]["extent"] == [0, 329] and cube["scenario"]["values"] == ["A1B", "E1"]
    assert cube["x"]["type"] == "other" and (cube["lev"]["axis"], cube["lev"]["step"]) == ("z", 1)
    with_crs = _valid(to_collection(entry(facts=Facts(dims=dims, bytes_decoded=0, crs="PROJCRS[…]"))))
    assert with_crs["cube:dimensions"]["x"]["reference_system"] == "PROJCRS[…]"


@pytest.mark.parametrize(
    ("url", "storage", "expected"),
    [
        ("s3://b-1/a", {"region": "us-west-2"}, {"type": "aws-s3", "region": "us-west-2", "bucket": "b-1"}),
        (
            "s3://b-1/a",
            {"endpoint": "https://osn.example.org"},
            {"type": "custom-s3", "platform": "https://osn.example.org"},
        ),
        ("s3://b-1/a", {}, {"type": "custom-s3", "platform": "https://{bucket}.s3.amazonaws.com"}),
        ("gs://b-1/a", {"anonymous": True}, {"type": "gcs", "title": "No credentials needed"}),
    ],
)
def test_a_bucket_has_a_storage_scheme(url: str, storage: dict[str, Any], expected: dict[str, str]) -> None:
    access = Storage(protocol=url.partition(":")[0], **storage)
    document = _valid(to_collection(entry(store=Store(url=url, zarr_format=3, consolidated=True, storage=access))))
    assert expected.items() <= document["storage:schemes"]["store"].items()
    assert document["assets"]["data"]["storage:refs"] == ["store"]


@pytest.mark.parametrize("url", ["https://example.org/a.zarr", "/data/a.zarr", "../stores/a.zarr"])
def test_other_places_need_none(url: str) -> None:
    document = _valid(to_collection(entry(url=url)))
    assert "storage:schemes" not in document
    assert document["assets"]["data"]["href"] == (f"../../../{url}" if url.startswith(".") else url)


def _full() -> dict[str, Any]:
    dims = {
        "time": Dimension(size=1, axis="t", start="2000-01-01T00:00:00Z", end="2000-01-02T00:00:00Z"),
        "y": Dimension(size=2),
    }
    variable = {
        "name": "sst",
        "role": "data",
        "dims": ["time"],
        "dtype": "float32",
        "stored_dtype": "int16",
        "bytes": 0,
        "objects": 0,
    }
    made: Entry = entry(facts=Facts(dims=dims, variables=[variable], bytes_decoded=0), check=Check(level="reachable"))
    return to_collection(made)


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split("/")
    for part in parents:
        document = document[int(part) if part.isdigit() else part]
    document[int(last) if last.isdigit() else last] = value  # type: ignore[index]


MISTAKES: list[tuple[str, Any, str]] = [
    ("id", "a/b", "escape"),
    ("extent/spatial/bbox", [[0, 95, 360, -95]], "west, south, east, north"),
    ("extent/temporal/interval", [["2001-01-01T00:00:00Z", "2000-01-01T00:00:00Z"]], "ends before it starts"),
    ("extent/temporal/interval", [["2001-02-30T00:00:00Z", None]], "not RFC 3339"),
    ("extent/temporal/interval", [["2001-01-01", None]], "schema: extent.temporal.interval"),
    ("cube:variables/sst/dimensions", ["tiem"], "does not have"),
    ("cube:variables/time", {"dimensions": ["time"], "type": "data"}, "both a dimension and a variable"),
    ("cube:variables/sst/type", "measured", "type 'data' or 'auxiliary'"),
    ("cube:variables/sst/data_type", "f4", "data_type 'f4'"),
    ("cube:variables/sst/dimensions", 5, "wrong shape"),
    ("cube:dimensions/y", {"type": "spatial", "extent": [0, 1]}, "axis None"),
    ("cube:dimensions/y", {"type": "other"}, "needs a type, and an extent or values"),
    ("cube:dimensions/y", {"type": "other", "extent": [2, 1]}, "not lower and upper"),
    ("cube:dimensions/time/extent", ["2000-01-02T00:00:00Z", "2000-01-01T00:00:00Z"], "ends before"),
    ("assets/data/href", '"s3://bucket/a.zarr"', "not a plain url"),
    ("assets/data/type", "application/vnd.zarr; version=3", "readers know 'application/vnd.zarr'"),
    ("assets/data/zarr:zarr_format", 4, "zarr:zarr_format = 4"),
    ("assets/data/zarr:chunks", [1], "zarr:chunks"),
    ("assets/data/storage:refs", ["nowhere"], "which is not there"),
    ("storage:schemes/store", {"type": "custom-s3", "platform": "https://example.org"}, "names no bucket"),
    ("storage:schemes/store", {"type": "aws-s3", "platform": "https://x.org", "bucket": "bucket"}, "of type aws-s3"),
    ("storage:schemes/store/bucket", "other", "storage scheme says bucket 'other'"),
    ("storage:schemes/store", {"type": "x", "platform": "https://{account}.org"}, "has no ['account']"),
    ("storage:schemes/store", {"platform": "example.org"}, "needs a type, and a platform"),
    ("stac_extensions", [], "extension is not declared"),
    ("links/0/href", "catalog file.json", "not a plain url"),
    ("links/1", {"rel": "root", "href": "../../../catalog.json"}, "is there 2 times"),
    ("description", "", "schema: description"),
    ("type", "Feature", "not Catalog or Collection"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "fault"), MISTAKES)
def test_a_mistake_that_schemas_may_pass_is_named(path: str, value: Any, fault: str) -> None:
    document = _full()
    assert stac_checks(document) == []
    _set(document, path, value)
    assert any(fault in found for found in stac_checks(document)), stac_checks(document)


def test_links_lead_somewhere(tmp_path: Path) -> None:
    faults = stac_checks(_full(), tmp_path)
    assert "link 'root' leads to ../../../catalog.json, which is not there" in faults


def test_a_reference_to_a_scheme_needs_the_scheme() -> None:
    document = _full()
    del document["storage:schemes"]
    assert stac_checks(document) == ["asset 'data' refers to storage scheme 'store', which is not there"]
