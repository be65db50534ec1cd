"""A published store, damaged in every way that can be thought of: verifying names each, all at once, and never dies."""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from bakehouse.writers.template import is_metadata
from tests.bake.kitchen import Kitchen, contents
from tests.verify.shelves import documents_in, edit_json, forge, found, key, names, problems, rewrite, said, shelf

OTHER = "has other content than was written: sha256 [0-9a-f]{12}…, written was [0-9a-f]{12}…"
SHARD = "; its shard index is whole, its chunks are not"
UNREGISTERED = "is not the one that was registered: sha256:[0-9a-f]{64}, the entry has sha256:[0-9a-f]{64}"


VALUES = r"the store has \S+, its source has \S+ \(\d of \d values differ\) \(sea, .*/2.nc\)"


def insist(actual: list[str], *patterns: str) -> None:
    """Compare all that was found with what must be found, in any order."""
    assert len(actual) == len(patterns), actual
    unmatched = [p for p in patterns if not any(re.fullmatch(p, text) for text in actual)]
    assert not unmatched, actual


def everything_about(kitchen: Kitchen, level: str = "full") -> list[str]:
    """Give what is wrong with a store or with its sources."""
    return [problem.what for problem in found(kitchen, level).checked.problems]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def is_v2(kitchen: Kitchen) -> bool:
    return kitchen.root.name == "v2"


def quoted(kitchen: Kitchen, array: str, *cell: int) -> str:
    return re.escape(f"object '{key(kitchen, array, *cell)}' ")


@pytest.mark.parametrize("array", ["ice", "note", "time"])
def test_a_deleted_object_is_missing_and_no_fill(copy: Kitchen, array: str) -> None:
    cell = (1, 0, 0) if array == "ice" else (0,)
    name = quoted(copy, array, *cell)
    (copy.store / key(copy, array, *cell)).unlink()
    insist(problems(copy), f"{name}is missing")


def test_a_truncated_object_has_another_size(copy: Kitchen) -> None:
    path = copy.store / key(copy, "ice", 1, 0, 0)
    size = path.stat().st_size
    os.truncate(path, 5)
    insist(problems(copy, everything=False), f"{quoted(copy, 'ice', 1, 0, 0)}has 5 bytes, its receipt says {size}")


@pytest.mark.parametrize("array", ["sst", "ice"])
def test_a_flipped_byte_of_a_chunk_is_other_content(copy: Kitchen, array: str) -> None:
    flip(copy.store / key(copy, array, 0, 0, 0), 20)
    insist(problems(copy), f"{quoted(copy, array, 0, 0, 0)}{OTHER}{'' if is_v2(copy) else SHARD}")


def test_a_flipped_byte_of_a_shard_index_is_told_from_one_of_a_chunk(copy: Kitchen) -> None:
    flip(copy.store / key(copy, "sst", 0, 0, 0), -10)
    index = r"; its shard index is damaged \(the index has checksum [0-9a-f]{8}, the object states [0-9a-f]{8}\)"
    insist(problems(copy), f"{quoted(copy, 'sst', 0, 0, 0)}{OTHER}{'' if is_v2(copy) else index}")


def test_two_objects_of_equal_size_that_changed_places_are_both_named(copy: Kitchen) -> None:
    first, second = (copy.store / key(copy, "sst", i, 0, 0) for i in (0, 1))
    assert first.stat().st_size == second.stat().st_size
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)
    insist(
        problems(copy),
        *(
            f"{quoted(copy, 'sst', a, 0, 0)}{OTHER}; it holds what belongs to '{key(copy, 'sst', b, 0, 0)}'"
            for a, b in ((0, 1), (1, 0))
        ),
    )


def test_an_object_that_became_fill_is_found_though_it_decodes(copy: Kitchen) -> None:
    rewrite(copy, "sst", lambda values: np.full_like(values, np.nan))
    assert xr.open_zarr(copy.store, chunks=None)["sst"].isnull().all()
    rest = "" if is_v2(copy) else SHARD
    insist(problems(copy), *(f"{quoted(copy, 'sst', i, 0, 0)}{OTHER}{rest}" for i in range(3)))


def test_an_added_object_is_in_no_receipt_and_is_to_be_removed(copy: Kitchen) -> None:
    path = copy.store / key(copy, "sst", 9, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    error = found(copy)
    insist([p.what for p in error.checked.problems], f"{quoted(copy, 'sst', 9, 0, 0)}is in no receipt")
    assert error.fix == "remove it; readers may take it for data"
    assert said(error)["values"].startswith("all")


def test_a_root_with_another_shape_is_not_the_registered_one(copy: Kitchen) -> None:
    root, document, _ = names(copy)
    shape = r"shape is \[6, 2, 3\], the root has \[5, 2, 3\]"
    edit_json(copy.store / root, lambda doc: documents_in(doc, "sst", 2 if is_v2(copy) else 3).update(shape=[5, 2, 3]))
    insist(
        problems(copy),
        f"the root document '{root}' {UNREGISTERED}",
        f"document 'sst/{document}' is not what the root says of it: {shape}",
        "dimension 'time' has 6 elements in 'time' and 5 in 'sst'",
    )


def test_a_scale_factor_that_only_the_array_says_is_named_with_both_values(copy: Kitchen) -> None:
    name = names(copy)[2]
    at = "" if is_v2(copy) else "attributes."
    edit_json(copy.store / "ice" / name, lambda doc: doc.get("attributes", doc).update(scale_factor=0.25))
    insist(
        problems(copy),
        f"document 'ice/{name}' is not what the root says of it: {at}scale_factor is 0.25, the root has 0.5",
    )


def test_a_deleted_array_document_is_missing(copy: Kitchen) -> None:
    name = names(copy)[1]
    (copy.store / "sst" / name).unlink()
    insist(problems(copy), f"document 'sst/{name}' is missing")


def test_removed_consolidated_metadata_is_named(copy: Kitchen) -> None:
    path = copy.store / names(copy)[0]
    if is_v2(copy):
        path.unlink()
        expected = ["the root document '.zmetadata' is missing"]
    else:
        edit_json(path, lambda document: document.pop("consolidated_metadata"))
        expected = [
            f"the root document 'zarr.json' {UNREGISTERED}",
            "the root document 'zarr.json' holds no consolidated metadata",
        ]
    error = found(copy)
    insist([p.what for p in error.checked.problems], *expected)
    assert said(error)["documents"] == "not looked at: there is no root to compare them with"


def test_an_edited_proof_proves_nothing(copy: Kitchen) -> None:
    proof = next(copy.stores.glob("*.proof.parquet"))
    flip(proof, 100)
    error = found(copy)
    insist([p.what for p in error.checked.problems], f"the proof '{proof.name}' {UNREGISTERED}")
    assert said(error)["objects"] == "not looked at: without its proof, what was written is unknown"
    assert said(error)["values"] == "not looked at: the proof or an object is damaged"


def test_a_deleted_proof_is_missing(copy: Kitchen) -> None:
    proof = next(copy.stores.glob("*.proof.parquet"))
    proof.unlink()
    insist(problems(copy), f"the proof '{proof.name}' is missing")


def test_a_rewritten_coordinate_is_other_content(copy: Kitchen) -> None:
    rewrite(copy, "time", lambda values: values[::-1])
    rest = "" if is_v2(copy) else SHARD
    insist(problems(copy), *(f"{quoted(copy, 'time', i)}{OTHER}{rest}" for i in range(3)))


def test_a_forged_coordinate_runs_both_ways_and_differs_from_its_source(copy: Kitchen) -> None:
    """Proof, receipts and entry agree with what lies there; only the coordinate itself and the source tell."""
    rewrite(copy, "time", lambda values: values[[0, 1, 2, 4, 3, 5]])
    forge(copy)
    order = r"coordinate 'time' rises, but 2001-01-05T\S+ at 3 is followed by 2001-01-04T\S+ at 4"
    insist(everything_about(copy), order, rf"'time' at {{'time': [34]}}: {VALUES}")


def test_a_forged_value_differs_from_its_source(copy: Kitchen) -> None:
    rewrite(copy, "ice", lambda values: values + 1)
    forge(copy)
    (only,) = everything_about(copy)
    assert re.match(r"'ice' at {'time': \d, 'lat': 0, 'lon': 0}: the store has .*, its source has .*\.nc", only)


def test_an_array_that_was_cut_is_named_with_both_shapes(copy: Kitchen) -> None:
    zarr.open_array(copy.store / "note", mode="r+").resize((5,))
    name = names(copy)[1]
    insist(
        problems(copy),
        rf"document 'note/{re.escape(name)}' is not what the root says of it: shape is \[5\], the root has \[6\]",
    )


def test_a_forged_length_differs_between_arrays_and_from_the_plan(copy: Kitchen) -> None:
    zarr.open_array(copy.store / "note", mode="r+").resize((4,))
    edit_json(
        copy.store / names(copy)[0], lambda doc: documents_in(doc, "note", 2 if is_v2(copy) else 3).update(shape=[4])
    )
    last = copy.store / key(copy, "note", 2)
    last.touch()
    forge(copy)
    last.unlink()
    assert "dimension 'time' has 6 elements in 'time' and 4 in 'note'" in problems(copy)


def test_everything_that_is_wrong_is_named_at_once(copy: Kitchen) -> None:
    (copy.store / key(copy, "sst", 0, 0, 0)).unlink()
    flip(copy.store / key(copy, "ice", 1, 0, 0), 18)
    (copy.store / "lat" / names(copy)[1]).unlink()
    recipe = copy.root / "feedstocks" / "sea" / "recipe.py"
    recipe.write_text(recipe.read_text() + "\n# changed\n")
    error = found(copy)
    assert error.message == "the store is not whole: 4 problems"
    insist(
        [p.what for p in error.checked.problems],
        f"{quoted(copy, 'sst', 0, 0, 0)}is missing",
        f"{quoted(copy, 'ice', 1, 0, 0)}{OTHER}.*",
        rf"document 'lat/{re.escape(names(copy)[1])}' is missing",
        "inputs or recipe are no longer those of version .*: the digest of the recipe is .*, was .*",
    )
    assert error.fix == "build it anew, beside the old: bakehouse bake sea/sea --refresh"
    assert [each["what"] for each in error.as_dict()["problems"]] == [p.what for p in error.checked.problems]


def test_a_store_that_is_gone_misses_its_root_and_every_object(copy: Kitchen) -> None:
    root, objects = names(copy)[0], [name for name in contents(copy.store) if not is_metadata(name)]
    shutil.rmtree(copy.store)
    insist(
        problems(copy),
        f"the root document '{root}' is missing",
        *(re.escape(f"object '{name}' is missing") for name in objects),
    )


def test_garbled_objects_never_reach_a_decoder(copy: Kitchen) -> None:
    """Decoders written in C may take the process with them."""
    draw = random.Random(0)
    cells = [("ice", (i, 0, 0)) for i in range(3)] + [("time", (i,)) for i in range(3)]
    for array, cell in cells:
        path = copy.store / key(copy, array, *cell)
        path.write_bytes(path.read_bytes()[:4] + draw.randbytes(path.stat().st_size - 4))
    shutil.rmtree(copy.work / "receipts")
    insist(everything_about(copy, "sampled"), *(f"{quoted(copy, array, *cell)}{OTHER}.*" for array, cell in cells))


def test_a_source_that_changed_or_went_away_is_named(tmp_path: Path) -> None:
    kitchen = shelf(tmp_path / "v3", "v3")
    path = kitchen.inputs / "2.nc"
    changed = xr.load_dataset(path)
    changed["sst"] += 1
    changed.to_netcdf(tmp_path / "new.nc", engine="h5netcdf")
    (tmp_path / "new.nc").replace(path)
    error = found(kitchen)
    insist(
        [p.what for p in error.checked.problems],
        f"inputs or recipe are no longer those of version {kitchen.entry.version}, .*: the digest of the inputs is .*",
        rf"input '{re.escape(str(path))}' changed: (size_bytes is \d+, was \d+; )?mtime is \d+, was \d+",
    )
    assert said(error)["checksums"].startswith("all") and said(error)["values"].startswith("not looked at")
    path.unlink()
    error = found(kitchen)
    assert error.message.startswith("the store does not agree with its sources: ")
    assert "no such file" in str(error) and "2.nc" in str(error) and "time=1" in str(error)
    assert said(error)["inputs"] == "not looked at: they can't be planned"
