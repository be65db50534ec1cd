from __future__ import annotations

from pathlib import Path

import pytest

from bakehouse.catalog.entry import (
    Change,
    Entry,
    Gap,
    Link,
    Maintainer,
    Note,
    Preview,
    Provider,
    Reader,
    Status,
    VariablePreview,
    Version,
)  # fmt: skip
from tests.catalog.samples import HOSTILE, entry, stored
from tests.site.kit import PNG, PUBLISHED, make, shelve


def _baked(id: str, folder: Path, **fields: object) -> Entry:
    said = {"kind": "baked", "version": "v-2", "published_at": PUBLISHED, "license": "CC-BY-4.0"}
    made = stored(id, folder / f"{id.replace('/', '-')}.zarr", **{**said, "check": {"level": "full"}, **fields})
    return made


def _pictured(id: str, folder: Path) -> Entry:
    """Make an entry that says all that an entry can, with pictures of its own."""
    preview = folder / "v-2.preview"
    preview.mkdir()
    for name in ("thumbnail.png", "sst.map.png", "sst.series.png"):
        (preview / name).write_bytes(PNG)
    shown = VariablePreview(name="sst", map="sst.map.png", series="sst.series.png", limits=(0.0, 1.0), alt="A map")
    return _baked(
        id,
        folder,
        preview=Preview(url=str(preview), thumbnail="thumbnail.png", variables=(shown,)),
        providers=[Provider(name="Met Office", roles=("producer",), url="https://example.org")],
        maintainers=[Maintainer(name="Ada")],
        links=[Link(label="Handbook", url="https://example.org/handbook")],
        tags=["ocean", "sst"],
        doi="10.1234/ab",
        citation="Office, M. (2020)",
        notes=[Note(message="an attribute was dropped")],
        gaps=[Gap(inputs=("a.nc",), ranges={"time": ("2000-01-02T00:00:00Z", "2000-01-02T00:00:00Z")})],
        readers=[Reader(name="xarray", version="2026.4", outcome="opened")],
        previous=[Version(version="v-1", url=str(folder / "old.zarr"), published_at=PUBLISHED)],
        change=Change(since="v-1", said=("time: 3 time steps added, 4 now", HOSTILE)),
    )


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Make a catalog of stores that are there, in every state, one of them with hostile texts; and a broken entry."""
    stores = tmp_path / "stores"
    stores.mkdir()
    hostile = {"tags": [HOSTILE], "license": HOSTILE, "citation": HOSTILE, "aliases": [HOSTILE]}
    folder = shelve(
        tmp_path / "catalog",
        [
            _pictured("oisst/daily", stores),
            _baked("old/daily", stores, status=Status(state="deprecated", successor="oisst/daily", reason=HOSTILE)),
            _baked("shaky/daily", stores, status=Status(state="degraded", reason="a sensor drifts")),
            _baked(
                "hostile/all", stores, title=HOSTILE, description=HOSTILE, providers=[Provider(name=HOSTILE)],
                maintainers=[Maintainer(name=HOSTILE)], links=[Link(label=HOSTILE, url="https://example.org/?a=1&b")],
                notes=[Note(message=HOSTILE)], gaps=[Gap(inputs=(HOSTILE,), reason=HOSTILE)], **hostile,
            ),
            entry("far/away", license="MIT AND CC0-1.0"),
        ],
    )  # fmt: skip
    (folder / "broken").mkdir()
    (folder / "broken" / "one.json").write_text('{"title": "<script>alert(1)</script>"}', encoding="utf-8")
    return folder


@pytest.fixture
def site(catalog: Path, tmp_path: Path) -> Path:
    """Build the site over the catalog."""
    make(catalog, tmp_path / "site")
    return tmp_path / "site"
