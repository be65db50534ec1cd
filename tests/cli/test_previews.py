"""Previews from the command line: every version has its own, and keeps it until it is collected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.growing import Growing


def _preview(sea: Growing) -> Path:
    preview = sea.entry.preview
    assert preview is not None and preview.url.endswith(f"/{sea.entry.version}.preview")
    return Path(preview.url)


def _previews(sea: Growing) -> set[str]:
    return {path.name.removesuffix(".preview") for path in (sea.project.stores / "sea/sea").glob("*.preview")}


def test_previews_come_go_back_and_go_with_their_versions(sea: Growing) -> None:
    oldest = str(sea.entry.version)
    sea.run("bake", "sea", "--refresh", "--previews")
    refreshed, baked = str(sea.entry.version), _preview(sea)
    sea.grow(6)
    sea.run("update", "sea", "--previews")
    updated, appended = str(sea.entry.version), _preview(sea)
    assert len({oldest, refreshed, updated}) == 3 and _previews(sea) == {refreshed, updated}
    assert "2001-01-08" in (sea.entry.preview.thumbnail_alt if sea.entry.preview else None or "")
    assert (appended / "sst.map.png").read_bytes() != (baked / "sst.map.png").read_bytes()
    before = {path: path.read_bytes() for path in appended.iterdir()}
    assert "nothing new" in sea.run("update", "sea", "--previews")
    assert {path: path.read_bytes() for path in appended.iterdir()} == before
    sea.run("rollback", "sea")
    assert _preview(sea) == baked and baked.is_dir()
    assert sea.run("verify", "sea").startswith("sea: verified")
    sea.run("rollback", "sea", "--to", updated)
    assert _preview(sea) == appended
    sea.run("gc", "sea", "--keep", "0", "--older-than", "0")
    assert _previews(sea) == {updated} and set(before) == set(appended.iterdir())


def test_a_preview_that_no_version_has_is_left_over(sea: Growing) -> None:
    stray = sea.project.stores / "sea/sea" / "0123456789abcdef.preview"
    stray.mkdir()
    (stray / "thumbnail.png").write_bytes(b"x")
    assert sea.document("gc", "sea")["leftovers"] == [], "it may be of a run that is under way"
    assert sea.document("gc", "sea", "--older-than", "0")["leftovers"] == [stray.name]
    assert not stray.exists()


def test_previews_can_be_left_out(sea: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BAKEHOUSE_PREVIEWS")
    sea.run("bake", "sea", "--refresh", "--no-previews")
    assert (sea.entry.preview, _previews(sea)) == (None, set())
    sea.run("bake", "sea", "--refresh")
    assert _previews(sea) == {sea.entry.version}
