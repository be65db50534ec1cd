from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bakehouse.catalog.canonical import clean_json, dumps
from bakehouse.catalog.entry import Check, Dimension, Entry, Facts, Note, Run, Store
from bakehouse.errors import CatalogError
from tests.catalog.samples import HOSTILE, entry

BIDI = "\u202e\u2066\u200f\u2028"


def test_an_entry_survives_its_file() -> None:
    facts = Facts(
        dims={"time": Dimension(size=2, axis="t", start="2000-02-30T00:00:00Z", end="2000-03-30T00:00:00Z")},
        bbox=(170, -10, -170, 10),
        bytes_decoded=8,
    )
    made = entry(
        facts=facts, notes=[Note(message="units differ", kind="attribute", variable="sst")], aliases=["a.zarr"]
    )
    assert Entry.from_json(made.to_json()) == made


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_any_text_comes_back_as_it_was(title: str, description: str, tags: list[str]) -> None:
    made = entry(title=title, description=description, tags=tags)
    text = made.to_json()
    assert Entry.from_json(text) == made
    assert json.loads(text)["title"] == title
    assert Entry.from_json(text).to_json() == text


def test_a_hostile_title_is_text_and_its_line_cannot_be_turned_around() -> None:
    text = entry(title=HOSTILE).to_json()
    assert json.loads(text)["title"] == HOSTILE
    assert "🍞" in text and "שלום" in text
    assert not set(text) & set(BIDI)


def test_the_same_entry_is_the_same_bytes_in_whatever_order_it_was_said() -> None:
    said = json.loads(entry(tags=["b", "a"]).to_json())
    turned = Entry.model_validate(dict(reversed(said.items())))
    assert turned.to_json() == entry(tags=["b", "a"]).to_json()
    assert turned.to_json().endswith("}\n")


def test_what_is_unknown_is_not_written() -> None:
    said = json.loads(entry().to_json())
    assert set(said) == {"schema_version", "id", "feedstock", "recipe", "kind", "title", "store", "check", "status"}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_no_file_holds_nan(number: float) -> None:
    with pytest.raises(ValidationError):
        Run(started_at="2024-01-01T00:00:00Z", finished_at="2024-01-01T00:00:01Z", duration_s=number)
    with pytest.raises(ValueError):
        dumps({"a": number})
    assert json.loads(dumps(clean_json({"a": number})))["a"] in ("NaN", "Infinity")


def test_times_are_written_in_utc_and_need_a_zone() -> None:
    assert (
        '"checked_at": "2024-01-01T10:00:00Z"'
        in entry(check=Check(level="declared", checked_at="2024-01-01T12:00:00+02:00")).to_json()
    )
    with pytest.raises(ValidationError, match="timezone"):
        Check(level="declared", checked_at="2024-01-01T12:00:00")


def test_every_fault_of_an_entry_is_listed_at_once() -> None:
    said = {**json.loads(entry().to_json()), "titel": "x", "kind": "cooked"}
    with pytest.raises(CatalogError) as caught:
        Entry.from_json(json.dumps(said), "oisst/daily.json")
    assert caught.value.where == "oisst/daily.json"
    assert "titel: Extra inputs are not permitted" in str(caught.value)
    assert "kind: Input should be 'baked', 'linked' or 'virtual'" in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PLACES = [
    (),
    ("store",),
    ("store", "url"),
    ("store", "storage"),
    ("check",),
    ("check", "level"),
    ("id",),
    ("feedstock",),
]
MORE = [("facts",), ("facts", "bbox"), ("facts", "dims"), ("providers",), ("links",), ("previous",), ("provenance",)]


@given(st.sampled_from(PLACES + MORE), JSON)
def test_whatever_a_file_holds_it_is_an_entry_or_a_catalog_error(place: tuple[str, ...], value: object) -> None:
    said: Any = json.loads(entry(facts=Facts(bytes_decoded=0)).to_json())
    if not place:
        said = value
    else:
        inner = said
        for part in place[:-1]:
            inner = inner[part]
        inner[place[-1]] = value
    for lenient in (False, True):
        try:
            read = Entry.from_json(json.dumps(said), lenient=lenient)
        except CatalogError:
            continue
        assert Entry.from_json(read.to_json()) == read


def test_a_reader_skips_what_a_later_release_added() -> None:
    said = {**json.loads(entry().to_json()), "flavour": "rye"}
    assert Entry.from_json(json.dumps(said), lenient=True) == entry()


@pytest.mark.parametrize("part", ["..", "a/b", "", ".hidden", "a b", "x\n", "a.", "ü", "a" * 129])
def test_an_id_is_one_plain_path_component(part: str) -> None:
    with pytest.raises(ValidationError):
        Entry(**{**entry().model_dump(), "id": "", "recipe": part})


@pytest.mark.parametrize("part", ["GPM_3IMERGDF.07", "0_25_deg", "CanopyHeights-GLAD", "a"])
def test_ids_that_feedstocks_have_are_accepted(part: str) -> None:
    assert entry(f"{part}/{part}").id == f"{part}/{part}"


def test_an_id_that_contradicts_its_parts_is_refused() -> None:
    with pytest.raises(ValidationError, match="id is 'a/b', feedstock and recipe say 'oisst/daily'"):
        Entry(**{**entry().model_dump(), "id": "a/b"})


def test_a_baked_entry_needs_a_checked_version() -> None:
    with pytest.raises(ValidationError, match="'full' or 'sampled'"):
        entry(kind="baked", version="v1")
    with pytest.raises(ValidationError, match="needs facts"):
        entry(check=Check(level="full"))
    checked = entry(kind="baked", version="v1", check=Check(level="full"), facts=Facts(bytes_decoded=0))
    assert checked.version == "v1"


@pytest.mark.parametrize("url", ['"s3://b/a.zarr"', "s3://b/a b.zarr", "", "https://x/<a>", "s3://b/\u202ea"])
def test_a_store_url_is_plain(url: str) -> None:
    with pytest.raises(ValidationError):
        Store(url=url, zarr_format=3, consolidated=True)


def test_a_local_path_with_a_space_becomes_a_file_url() -> None:
    store = Store(url="/my data/a.zarr", zarr_format=3, consolidated=True)
    assert (store.url, store.storage.protocol) == ("file:///my%20data/a.zarr", "file")


def test_an_entry_cannot_choose_the_code_that_opens_it() -> None:
    with pytest.raises(ValidationError, match="engine"):
        Store(url="s3://b/a", zarr_format=3, consolidated=True, open_kwargs={"engine": "evil"})
    Store(url="s3://b/a", zarr_format=3, consolidated=True, open_kwargs={"decode_times": False})


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//host/x"])
def test_links_lead_to_the_web(url: str) -> None:
    with pytest.raises(ValidationError):
        entry(links=[{"label": "x", "url": url}])


@pytest.mark.parametrize("bbox", [(0, 95, 360, -95), (0, 10, 20, -10), (-181, 0, 0, 1)])
def test_a_box_is_on_the_globe(bbox: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="west, south, east, north"):
        Facts(bbox=bbox, bytes_decoded=0)


def test_the_models_import_nothing_heavy() -> None:
    heavy = "('apache_beam', 'xarray', 'zarr', 'numpy', 'pandas', 'obstore', 'pystac')"
    code = f"import sys, bakehouse.catalog.entry; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
