"""The machine-readable files, each read by the library or the rules of those who read it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pystac
import pytest
import xarray as xr

import bakehouse
from bakehouse.catalog.check import check
from bakehouse.catalog.entry import Entry, Preview, VariablePreview
from bakehouse.catalog.jsonld import script_json, to_jsonld
from bakehouse.catalog.stac import to_collection
from bakehouse.catalog.stac_rules import stac_checks
from tests.catalog.samples import HOSTILE, dataset, entry, stored
from tests.site.kit import make, page, shelve

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.filterwarnings("ignore:The collection .* is deprecated")
def test_stac_is_walked_by_pystac_and_opened_by_xpystac(site: Path) -> None:
    catalog = pystac.Catalog.from_file(str(site / "catalog/catalog.json"))
    found = {each.id: each for each in catalog.get_children()}
    assert set(found) == {"oisst--daily", "old--daily", "shaky--daily", "hostile--all", "far--away"}
    opened = xr.open_dataset(found["oisst--daily"].assets["data"], engine="stac")  # type: ignore[arg-type]
    xr.testing.assert_identical(opened.load(), dataset())


def test_the_sites_own_catalog_is_whole_and_is_one_to_open_from(site: Path) -> None:
    assert check(site / "catalog") == []
    xr.testing.assert_identical(bakehouse.open("oisst", site / "catalog").load(), dataset())


def test_how_variables_are_drawn_is_in_stac() -> None:
    shown = [VariablePreview(name="sst", map="sst.map.png", cmap="plasma", limits=(271.0, 303.5))]
    preview = Preview(url="s3://bucket/v1.preview", thumbnail="thumbnail.png", variables=shown)
    document = to_collection(entry(preview=preview))
    assert stac_checks(document) == []
    assert document["renders"]["sst"]["rescale"] == [[271.0, 303.5]]
    thumbnail = document["assets"]["thumbnail"]
    assert (thumbnail["href"], thumbnail["type"]) == ("s3://bucket/v1.preview/thumbnail.png", "image/png")
    document["renders"]["sst"]["rescale"] = [[2, 1]]
    document["renders"]["tos"] = {"assets": ["nowhere"]}
    assert [fault.partition(" ")[2] for fault in stac_checks(document)] == [
        "'sst' has rescale [[2, 1]], not lower and upper",
        "'tos' draws assets ['nowhere'], which are not there",
    ]
    document["stac_extensions"] = []
    assert any("'renders' is used, but its extension is not declared" in fault for fault in stac_checks(document))


def test_intake_opens_every_zarr_store(site: Path) -> None:
    import intake

    catalog = intake.open_catalog(str(site / "intake.yaml"))
    assert {"oisst--daily", "hostile--all"} <= set(catalog)
    xr.testing.assert_identical(catalog["oisst--daily"].to_dask().load(), dataset())


def test_jsonld_says_what_search_engines_of_data_ask_for(tmp_path: Path) -> None:
    made = stored("oisst/daily", tmp_path / "a.zarr", license="CC-BY-4.0", description="short")
    said = to_jsonld(made, "https://example.org/datasets/oisst/daily/")
    assert (said["@context"], said["@type"]) == ("https://schema.org/", "Dataset")
    assert 50 <= len(said["description"]) <= 5000
    south, west, north, east = map(float, said["spatialCoverage"]["geo"]["box"].split())
    assert (south, west, north, east) == (-75, -180, 75, 180)
    start, end = map(datetime.fromisoformat, said["temporalCoverage"].split("/"))
    assert (end - start).days == 3
    assert said["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert said["variableMeasured"] == [{"@type": "PropertyValue", "name": "sst", "unitText": "K",
                                         "description": "sea_surface_temperature"}]  # fmt: skip


def test_nothing_in_jsonld_ends_its_script_element() -> None:
    text = script_json({"name": HOSTILE + "<!--<script></script>&amp;"})
    assert not set(text) & set("<>&") and json.loads(text)["name"].endswith("<!--<script></script>&amp;")


def test_the_feed_is_atom_and_its_ids_are_of_versions(catalog: Path, tmp_path: Path) -> None:
    make(catalog, tmp_path / "site", base_url="https://example.org/data/")
    top = ElementTree.parse(tmp_path / "site/feed.xml").getroot()
    assert top.tag == f"{ATOM}feed"
    for element in (top, *top.findall(f"{ATOM}entry")):
        for required in ("id", "title", "updated"):
            assert (element.findtext(f"{ATOM}{required}") or "").strip()
        assert datetime.fromisoformat(str(element.findtext(f"{ATOM}updated"))).tzinfo is not None
    ids = [each.findtext(f"{ATOM}id") for each in top.findall(f"{ATOM}entry")]
    assert "https://example.org/data/datasets/oisst/daily#v-2" in ids and len(ids) == len(set(ids)) == 4


@pytest.mark.parametrize("base_url", [None, "https://example.org/data"])
def test_the_sitemap_and_llms_txt_name_pages_that_are_there(
    catalog: Path, tmp_path: Path, base_url: str | None
) -> None:
    out = tmp_path / "site"
    make(catalog, out, base_url=base_url)
    prefix = f"{base_url}/" if base_url else ""
    found = ElementTree.parse(out / "sitemap.xml").getroot().iter(f"{SITEMAP}loc")
    pages = [str(each.text).removeprefix(prefix) for each in found]
    assert len(pages) == 10 and all((out / each / "index.html").is_file() for each in pages)
    text = (out / "llms.txt").read_text("utf-8")
    assert text.startswith("# ") and text.count(f"]({prefix}datasets/") == 5
    assert "<script>" not in text


def test_the_indexes_name_files_that_are_there(site: Path) -> None:
    for each in _json(site / "index.json")["entries"]:
        for key in ("page", "entry", "stac"):
            assert (site / each[key]).is_file()
        assert Entry.from_json((site / each["entry"]).read_bytes()).version == each["version"]
    assert [each["code"] for each in _json(site / "index.json")["problems"]] == ["CAT01"]


def test_search_json_holds_what_the_search_box_needs(site: Path) -> None:
    found = {each["id"]: each for each in _json(site / "search.json")["entries"]}
    assert len(found) == 5 and len({tuple(sorted(each)) for each in found.values()}) == 1
    sea = found["oisst/daily"]
    assert (site / sea["url"]).is_file() and (site / sea["thumbnail"]).read_bytes().startswith(b"\x89PNG")
    assert (sea["variables"], sea["standard_names"], sea["units"]) == (["sst"], ["sea_surface_temperature"], ["K"])
    assert (sea["kind"], sea["status"], sea["format"], sea["license"]) == ("baked", "live", "zarr v3", "CC-BY-4.0")
    assert (sea["bbox"], sea["period"]) == ([-180, -75, 180, 75], ["2000-01-01", "2000-01-04"])
    assert (sea["domain"], sea["resolution"], sea["updated"]) == (["ocean"], ">1°", "2024-05-01")
    assert found["far/away"]["bbox"] is None and found["far/away"]["thumbnail"] is None


# What leap-data-management-utils' `Feedstock` holds, which is what the LEAP web catalog shows.
_TEXT, _MAYBE = {"type": "string"}, {"type": ["string", "null"]}
LEAP: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["title", "description", "maintainers", "provenance"],
        "properties": {
            "title": _TEXT,
            "description": _TEXT,
            "maintainers": {
                "type": "array",
                "items": {"required": ["name"], "properties": {"name": _TEXT, "github": _MAYBE}},
            },
            "provenance": {
                "required": ["providers", "license"],
                "properties": {"providers": {"type": "array", "items": {"required": ["name"]}}, "license": _TEXT},
            },
            "thumbnail": _MAYBE,
            "tags": {"type": ["array", "null"], "items": _TEXT},
            "links": {"type": ["array", "null"], "items": {"required": ["label", "url"]}},
            "stores": {
                "type": "array",
                "items": {
                    "required": ["id", "url", "public", "geospatial", "xarray_open_kwargs"],
                    "properties": {
                        "url": _TEXT,
                        "public": {"type": ["boolean", "null"]},
                        "geospatial": {"type": ["boolean", "null"]},
                        "xarray_open_kwargs": {"properties": {"engine": {"enum": ["zarr", "kerchunk"]}}},
                        "last_updated": _MAYBE,
                    },
                },
            },
        },
    },
}


def test_leap_json_has_the_shape_that_the_leap_web_catalog_reads(tmp_path: Path) -> None:
    url = {"url": "gs://leap/a.zarr", "zarr_format": 3, "consolidated": True, "storage": {"anonymous": True}}
    several = [entry("leap/a", store=url), entry("leap/b"), stored("sea/c", tmp_path / "c.zarr")]
    make(shelve(tmp_path / "catalog", several), tmp_path / "site")
    found = _json(tmp_path / "site/leap.json")
    jsonschema.validate(found, LEAP)
    assert [[store["id"] for store in each["stores"]] for each in found] == [["a", "b"], ["c"]]
    first = found[0]["stores"][0]
    assert (first["url"], first["public"]) == ("https://storage.googleapis.com/leap/a.zarr", True)
    assert [each["geospatial"] for each in found[1]["stores"]] == [True]


def test_a_citation_names_source_and_version_in_three_forms(site: Path) -> None:
    import yaml

    blocks = ["".join(each.itertext()) for each in page(site, "datasets/oisst/daily").elements("pre")]
    text, bibtex, cff = blocks[-3:]
    for said in ("Met Office (2024): The title of oisst/daily.", "Version v-2.", "Source: Office, M. (2020)"):
        assert said in text
    assert bibtex.startswith("@misc{oisst-daily-v-2,\n") and bibtex.count("{") == bibtex.count("}")
    document = yaml.safe_load(cff)
    assert (document["cff-version"], document["type"], document["version"]) == ("1.2.0", "dataset", "v-2")
    assert document["authors"] == [{"name": "Met Office"}]
