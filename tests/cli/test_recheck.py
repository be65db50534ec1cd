"""`bakehouse catalog recheck` of what the project baked itself; what it linked is in tests/link."""

from __future__ import annotations

import shutil

from tests.cli.projects import Project


def test_what_the_project_baked_is_opened_as_its_bakery_does(baked: Project) -> None:
    document = baked.document("catalog", "recheck")
    assert [each["seen"] for each in document["catalogs"][0]["entries"]] == ["as it was"]
    chunks = [path for path in baked.store().rglob("c/*") if path.is_file() or path.is_dir()]
    assert chunks
    for path in chunks:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    document = baked.document("catalog", "recheck", exit_code=1)
    assert [each["seen"] for each in document["catalogs"][0]["entries"]] == ["damaged"]
    shutil.rmtree(baked.store())
    document = baked.document("catalog", "recheck", exit_code=1)
    assert [each["seen"] for each in document["catalogs"][0]["entries"]] == ["gone"]


def test_what_the_project_baked_is_compared_with_its_registration(baked: Project) -> None:
    root = baked.store() / "zarr.json"
    root.write_text(root.read_text().replace("{", "{ ", 1))
    document = baked.document("catalog", "recheck", exit_code=1)
    assert [each["seen"] for each in document["catalogs"][0]["entries"]] == ["changed"]
