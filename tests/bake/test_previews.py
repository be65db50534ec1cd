"""Previews of bakes: beside the store and never in it, on any target, and no reason to fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bakehouse.catalog.check import check
from bakehouse.storage import Target
from tests.bake.kitchen import Kitchen, contents, make_kitchen
from tests.bake.test_s3 import target_on
from tests.support.s3 import S3

IMAGES = {"thumbnail.png", "sst.map.png", "sst.series.png"}


def _unbaked(done: Kitchen, root: Path) -> Kitchen:
    """Give a kitchen of the same version that has not baked it."""
    kitchen = done.copy(root)
    for path in sorted([*kitchen.stores.rglob("*"), *(root / "catalog").rglob("*")], reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return kitchen


def test_a_preview_lies_beside_the_store_which_is_the_same_without_it(done: Kitchen, tmp_path: Path) -> None:
    kitchen = _unbaked(done, tmp_path)
    outcome = kitchen.bake(previews=True)
    entry = kitchen.entry
    assert (outcome.status, outcome.version) == ("published", done.entry.version)
    assert contents(kitchen.store) == contents(done.store)
    assert (entry.digests, done.entry.preview) == (done.entry.digests, None)
    assert entry.preview is not None and entry.preview.url == str(kitchen.stores / f"{entry.version}.preview")
    assert {path.name for path in Path(entry.preview.url).iterdir()} == IMAGES
    assert "preview" in outcome.phases_s
    assert check(tmp_path / "catalog") == []
    facts = entry.facts
    assert facts is not None
    (sst,) = (each for each in facts.variables if each.name == "sst")
    values = done.expected().sst
    assert (sst.range, sst.finite_fraction, sst.statistics_cover) == (
        (float(values.min()), float(values.max())),
        1.0,
        "all",
    )


def test_an_entry_that_is_lost_comes_back_with_its_preview_as_it_was(done: Kitchen, tmp_path: Path) -> None:
    kitchen = _unbaked(done, tmp_path)
    kitchen.bake(previews=True)
    entry, made = kitchen.entry, contents(Path(str(kitchen.entry.preview and kitchen.entry.preview.url)))
    kitchen.entry_path.unlink()
    kitchen.bake(previews=False)
    assert (kitchen.entry.preview, kitchen.entry.facts) == (entry.preview, entry.facts)
    assert entry.preview is not None and contents(Path(entry.preview.url)) == made


def test_a_preview_that_can_not_be_written_is_a_note(done: Kitchen, tmp_path: Path) -> None:
    kitchen = _unbaked(done, tmp_path)
    kitchen.stores.mkdir(exist_ok=True)
    (kitchen.stores / f"{done.entry.version}.preview").write_text("a file where the folder should be")
    outcome = kitchen.bake(previews=True)
    assert outcome.status == "published" and contents(kitchen.store) == contents(done.store)
    notes = [note.message for note in kitchen.entry.notes if note.kind == "preview"]
    assert notes and all("StorageError" in note for note in notes), notes
    assert kitchen.entry.preview is None or kitchen.entry.preview.thumbnail is None


def test_what_is_not_registered_has_none(tmp_path: Path) -> None:
    kitchen = make_kitchen(tmp_path)
    kitchen.bake(previews=True, prune=1)
    assert not list(kitchen.stores.glob("*.preview"))


@pytest.mark.parametrize("format", ["icechunk", "kerchunk-json"])
def test_other_formats_have_previews_too(format: str, tmp_path: Path) -> None:
    if format == "icechunk":
        pytest.importorskip("icechunk", reason="needs bakehouse[icechunk]")
    kitchen = make_kitchen(tmp_path, f'format="{format}"')
    kitchen.bake(previews=True)
    entry = kitchen.entry
    assert entry.preview is not None, entry.notes
    assert {path.name for path in Path(entry.preview.url).iterdir()} == IMAGES
    assert entry.preview.variables[0].alt == "Map of “Sst” (2001-01-06): from 50 to 55 K."


def test_a_preview_on_s3_is_put_into_the_bucket(done: Kitchen, moto: S3, tmp_path: Path) -> None:
    kitchen, target = _unbaked(done, tmp_path), target_on(moto)
    kitchen.bake(target, previews=True)
    preview = kitchen.entry.preview
    assert preview is not None and preview.url == f"{target.url}/{kitchen.entry.version}.preview"
    there: Target = replace(target, url=preview.url)
    assert {key for key, _ in there.list()} == IMAGES
    assert (there.get("thumbnail.png") or b"")[:4] == b"\x89PNG"
