"""Many entries, as different as those of a large catalog: for its pages' size and speed.

``python -m tests.site.crowd FOLDER COUNT`` writes a catalog of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bakehouse.catalog.entry import Check, Dimension, Entry, Facts, Provider, Storage, Store, TimeRange, Variable
from tests.site.kit import shelve

DOMAINS = (("ocean", "sea_surface_temperature", "K"), ("atmosphere", "air_temperature", "K"), ("land", "soil", "m"))
LICENSES = ("CC-BY-4.0", "OGL-UK-3.0", "CC0-1.0", "other")
FIRST = datetime(2020, 1, 1, tzinfo=UTC)


def crowd(count: int, url: str = "s3://bucket/{}.zarr") -> Iterator[Entry]:
    """Make entries with a dozen variables each; none of their stores is there."""
    for number in range(count):
        yield _entry(number, url)


def _entry(number: int, url: str) -> Entry:
    domain, name, units = DOMAINS[number % len(DOMAINS)]
    published = FIRST + timedelta(hours=number)
    storage = Storage(protocol=url.partition(":")[0], endpoint="https://127.0.0.1:9", anonymous=True)
    return Entry(
        feedstock=f"{domain}-{number // 4:05d}",
        recipe=f"daily-{number % 4}",
        kind="baked",
        title=f"Dataset {number} of the {domain}, daily",
        description=f"Daily means of {name} on a global grid, number {number} of a large catalog. " * 3,
        license=LICENSES[number % len(LICENSES)],
        providers=(Provider(name=f"Institute {number % 50}", roles=("producer",), url="https://example.org"),),
        tags=(domain, name.replace("_", " "), "daily", f"group {number % 20}"),
        store=Store(url=url.format(number), zarr_format=3 if number % 3 else 2, consolidated=True, storage=storage),
        facts=_facts(name, units),
        check=Check(level="full", checked_at=published, objects_checked=12, objects_total=12),
        version=f"{number:016x}",
        published_at=published,
    )


def _facts(name: str, units: str) -> Facts:
    dims = {
        "time": Dimension(size=3650, axis="t", start="2000-01-01T00:00:00Z", end="2009-12-28T00:00:00Z", step="P1D"),
        "lat": Dimension(size=180, axis="y", start=-89.5, end=89.5, step=1.0, regular=True, units="degrees_north"),
        "lon": Dimension(size=360, axis="x", start=0.5, end=359.5, step=1.0, regular=True, units="degrees_east"),
    }
    shape, chunks = (3650, 180, 360), (30, 90, 180)
    data = [
        Variable(
            name=f"{name}_{level}", role="data", dims=tuple(dims), shape=shape, dtype="float32", stored_dtype="float32",
            units=units, standard_name=name, chunks=chunks, compressors=("blosc",), bytes=946_080_000, objects=488,
        )
        for level in range(9)
    ]  # fmt: skip
    axes = [
        Variable(name=dim, role="coordinate", dims=(dim,), shape=(each.size,), dtype="float64", stored_dtype="float64",
                 chunks=(each.size,), bytes=8 * each.size, objects=1)
        for dim, each in dims.items()
    ]  # fmt: skip
    return Facts(
        dims=dims,
        variables=tuple(data + axes),
        bbox=(-180.0, -89.5, 180.0, 89.5),
        time=TimeRange(start="2000-01-01T00:00:00Z", end="2009-12-28T00:00:00Z", calendar="standard"),
        shape="time 3650 × lat 180 × lon 360",
        bytes_decoded=9 * 946_080_000,
        bytes_stored=4 * 946_080_000,
        objects=9 * 488 + 3,
    )


if __name__ == "__main__":
    shelve(Path(sys.argv[1]), crowd(int(sys.argv[2])))
