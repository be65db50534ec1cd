"""A version becomes visible with its root document, once; what is published stays as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import zarr

from bakehouse.errors import PublishError
from bakehouse.storage import Target
from bakehouse.writers.publish import consolidated, publish_documents, read_candidate, save_candidate
from bakehouse.writers.store import CandidateStore
from bakehouse.writers.tasks import Prepared
from bakehouse.writers.template import root_names
from tests.plan.samples import sea
from tests.support.s3 import S3
from tests.writers.direct import opened, prepared_for, stored, write_all

TWO = [sea(0, 3), sea(3, 3)]


@pytest.fixture(params=[2, 3])
def prepared(request: pytest.FixtureRequest, tmp_path: Path) -> Prepared:
    made = prepared_for(TWO, Target(str(tmp_path)), zarr_format=request.param)
    write_all(made, TWO)
    save_candidate(made)
    return made


def publish(prepared: Prepared, **changes: Any) -> bool:
    documents = consolidated({**read_candidate(prepared.candidate), **changes}, prepared.plan.template.zarr_format)
    return publish_documents(prepared.store, documents, prepared.plan.template.zarr_format)


@dataclass(frozen=True)
class Recorded(Target):
    """A target that remembers the order of its writes."""

    puts: list[str] = field(default_factory=list, compare=False)

    def put(self, key: str, data: bytes) -> None:
        """Write and remember."""
        self.puts.append(key)
        super().put(key, data)

    def create(self, key: str, data: bytes) -> bool:
        """Write and remember."""
        self.puts.append(key)
        return super().create(key, data)


def test_before_publication_there_are_only_objects(prepared: Prepared) -> None:
    assert {key.rsplit("/")[-1][0] for key, _ in prepared.store.list()} == {"0"}
    with pytest.raises(FileNotFoundError):
        xr.open_zarr(prepared.store.url)


def test_the_root_is_written_last(prepared: Prepared) -> None:
    store = Recorded(prepared.store.url)
    publish_documents(
        store, consolidated(prepared.documents, prepared.plan.template.zarr_format), prepared.plan.template.zarr_format
    )
    assert tuple(store.puts[-len(root_names(prepared.plan.template.zarr_format)) :]) == root_names(
        prepared.plan.template.zarr_format
    )
    assert sorted(store.puts) == sorted(key for key, _ in store.list() if not key.rsplit("/")[-1][0].isdigit())


def test_publishing_twice_publishes_once_and_writes_nothing(prepared: Prepared) -> None:
    assert publish(prepared)
    store = Recorded(prepared.store.url)
    documents = consolidated(prepared.documents, prepared.plan.template.zarr_format)
    assert not publish_documents(store, documents, prepared.plan.template.zarr_format)
    assert store.puts == []


def test_a_publication_that_was_cut_is_completed(prepared: Prepared) -> None:
    documents = consolidated(prepared.documents, prepared.plan.template.zarr_format)
    for key in sorted(documents)[:3]:
        if key not in root_names(prepared.plan.template.zarr_format):
            prepared.store.put(key, documents[key])
    assert publish(prepared)
    assert opened(prepared).sizes["time"] == 6


def test_a_root_of_another_layout_is_not_replaced(prepared: Prepared) -> None:
    publish(prepared)
    before = {key: prepared.store.get(key) for key, _ in prepared.store.list()}
    name = "sst/zarr.json" if prepared.plan.template.zarr_format == 3 else "sst/.zarray"
    other = json.loads(prepared.documents[name])
    with pytest.raises(PublishError, match="another layout"):
        publish(prepared, **{name: json.dumps({**other, "shape": [1, 2, 3]}).encode()})
    assert before == {key: prepared.store.get(key) for key, _ in prepared.store.list()}


def test_attributes_that_later_steps_stamp_do_not_change_what_is_published(prepared: Prepared) -> None:
    publish(prepared)
    root = root_names(prepared.plan.template.zarr_format)[-1]
    before = prepared.store.get(root)
    name = "zarr.json" if prepared.plan.template.zarr_format == 3 else ".zattrs"
    stamped = json.loads(prepared.documents[name])
    (stamped["attributes"] if prepared.plan.template.zarr_format == 3 else stamped)["baked"] = "today"
    assert not publish(prepared, **{name: json.dumps(stamped).encode()})
    assert prepared.store.get(root) == before


def test_two_publishers_at_once_publish_the_same(moto: S3) -> None:
    target = Target(moto.url, {"endpoint_url": moto.endpoint, "key": moto.key, "secret": moto.secret})
    made = prepared_for(TWO, target)
    write_all(made, TWO)
    documents = consolidated(made.documents, 3)

    @dataclass(frozen=True)
    class Late(Target):
        """Another publisher comes in between looking and writing."""

        def create(self, key: str, data: bytes) -> bool:
            """Let the other publish first."""
            assert publish_documents(made.store, documents, 3)
            return super().create(key, data)

    assert publish_documents(Late(made.store.url, made.store.options), documents, 3)
    assert made.store.get("zarr.json") == documents["zarr.json"]


def candidate(prepared: Prepared) -> CandidateStore:
    return CandidateStore(prepared.store, read_candidate(prepared.candidate), prepared.candidate)


@pytest.mark.parametrize("how", ["group", "array", "xarray"])
def test_attributes_written_into_the_candidate_are_published(prepared: Prepared, how: str) -> None:
    store, zarr_format = candidate(prepared), prepared.plan.template.zarr_format
    if how == "xarray":
        xr.Dataset(attrs={"title": "Sea"}).to_zarr(store, mode="a", consolidated=False, zarr_format=zarr_format)  # type: ignore[call-overload]
    else:
        group = zarr.open_group(store, mode="r+")
        (group if how == "group" else group["sst"]).attrs["title"] = "Sea"
    assert [key for key, _ in prepared.store.list() if not key.rsplit("/")[-1][0].isdigit()] == []
    publish(prepared)
    for consolidated_ in (True, False):
        found = opened(prepared, consolidated=consolidated_)
        assert (found.sst if how == "array" else found).attrs["title"] == "Sea"
        assert found.sst.attrs["units"] == "K"


def test_a_candidate_reads_as_the_store_will(prepared: Prepared) -> None:
    found = xr.open_zarr(candidate(prepared), chunks=None, consolidated=True).load()
    publish(prepared)
    xr.testing.assert_identical(found, opened(prepared).load())


def test_an_attribute_that_is_deleted_stays_deleted(prepared: Prepared) -> None:
    group = zarr.open_group(candidate(prepared), mode="r+")
    group["sst"].attrs.clear()
    publish(prepared)
    assert dict(zarr.open_group(prepared.store.url, mode="r")["sst"].attrs).keys().isdisjoint({"units"})


def test_a_saved_candidate_replaces_an_older_one(prepared: Prepared) -> None:
    prepared.candidate.put("old/zarr.json", b"{}")
    save_candidate(prepared)
    assert read_candidate(prepared.candidate) == prepared.documents


def keys_of(store: CandidateStore) -> Iterator[str]:
    async def found() -> list[str]:
        return [key async for key in store.list()]

    from zarr.core.sync import sync

    yield from sync(found())


def test_a_candidate_lists_documents_and_objects_once(prepared: Prepared) -> None:
    publish(prepared)
    keys = list(keys_of(candidate(prepared)))
    assert len(keys) == len(set(keys))
    assert set(prepared.documents) <= set(keys)
    assert any(not key.rsplit("/")[-1].endswith(("json", "zarray", "zattrs", "zgroup", "zmetadata")) for key in keys)


def test_a_document_that_is_deleted_from_the_candidate_is_not_published(prepared: Prepared) -> None:
    from zarr.core.sync import sync

    store = candidate(prepared)
    gone = [key for key in store.documents if key.startswith("lat/")]
    for key in gone:
        sync(store.delete(key))
    assert not set(gone) & set(read_candidate(prepared.candidate))


def test_a_store_without_attributes_can_be_published_in_both_formats(tmp_path: Path) -> None:
    for zarr_format in (2, 3):
        bare = [ds.drop_attrs() for ds in TWO]
        made = stored(bare, Target(str(tmp_path / str(zarr_format))), zarr_format=zarr_format)
        assert opened(made).attrs == {}


def test_every_document_of_the_root_is_a_file_too(prepared: Prepared) -> None:
    publish(prepared)
    root = json.loads(prepared.store.get(root_names(prepared.plan.template.zarr_format)[-1]) or b"")
    listed = root["consolidated_metadata"]["metadata"] if prepared.plan.template.zarr_format == 3 else root["metadata"]
    for name, document in listed.items():
        key = f"{name}/zarr.json" if prepared.plan.template.zarr_format == 3 else name
        assert json.loads(prepared.store.get(key) or b"") == document
