"""What is said of two versions: worked out from entries of stores that xarray wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bakehouse.catalog.changes import LONGEST, MOST, changes
from bakehouse.catalog.entry import Check, Gap, Provenance, Run
from bakehouse.catalog.register import register
from tests.catalog.samples import dataset, entry, facts, stored, write


def _of(path: Path, ds: Any = None, **fields: Any) -> Any:
    return entry("oisst/daily", str(path), facts=facts(write(dataset() if ds is None else ds, path)), **fields)


def test_added_times_are_said_with_their_end(tmp_path: Path) -> None:
    old, new = _of(tmp_path / "a.zarr"), _of(tmp_path / "b.zarr", dataset(7))
    said = changes(old, new)
    assert said[0] == "time: 3 time steps added, 7 now, ends at 2000-01-07 instead of 2000-01-04"
    assert said[1].startswith("size: ") and len(said) == 2


def test_variables_and_dimensions_that_come_go_and_change_are_named(tmp_path: Path) -> None:
    old = _of(tmp_path / "a.zarr")
    other = dataset().rename(sst="tos").astype({"tos": "f8"}).isel(lat=slice(1, None)).expand_dims("member")
    said = changes(old, _of(tmp_path / "b.zarr", other))
    assert {"new dimension: member", "new variable: tos", "removed variable: sst"} <= set(said)
    assert "lat: 1 element removed, 5 now, begins at -45 instead of -75" in said
    changed = dataset().astype("f8")
    changed.sst.attrs = {**dataset().sst.attrs, "units": "degC"}
    assert "sst: units K → degC, dtype float32 → float64" in changes(old, _of(tmp_path / "c.zarr", changed))


def test_inputs_recipe_options_software_checks_and_authors_words_are_compared(tmp_path: Path) -> None:
    def made(**fields: Any) -> Any:
        run = Run(
            started_at="2024-01-01T00:00Z", finished_at="2024-01-01T00:01Z", duration_s=60, versions={"zarr": "3.1"}
        )
        said = {"inputs_count": 3, "inputs_bytes": 10_000, "inputs_digest": "sha256:1", "recipe_digest": "sha256:2"}
        return Provenance(**{**said, "recipe_commit": "a" * 40, "run": run, **fields})

    old = stored("oisst/daily", tmp_path / "a.zarr", provenance=made(), license="CC0-1.0", description="Old")
    newer = Run(
        started_at="2024-01-02T00:00Z", finished_at="2024-01-02T00:01Z", duration_s=60, versions={"zarr": "3.2"}
    )
    origin = {"inputs_count": 5, "inputs_bytes": 15_000, "recipe_digest": "sha256:3", "recipe_commit": "b" * 40}
    new = old.model_copy(
        update={
            "provenance": made(**origin, options={"consolidated": True}, run=newer), "license": "CC-BY-4.0",
            "description": "New", "check": Check(level="declared"), "gaps": (Gap(inputs=("a.nc", "b.nc")),),
        }
    )  # fmt: skip
    assert changes(old, new) == (
        "inputs: 3 → 5 files, 10.0 kB → 15.0 kB",
        "recipe: changed, commit aaaaaaaaaa → bbbbbbbbbb",
        "option consolidated: None → True",
        "made with zarr 3.1 → 3.2",
        "check: reachable → declared",
        "missing inputs: 0 → 2",
        "description: rewritten",
        "licence: CC0-1.0 → CC-BY-4.0",
    )
    corrected = old.model_copy(update={"provenance": made(inputs_digest="sha256:9")})
    assert changes(old, corrected) == ("inputs: other files or other content",)


def test_however_much_changed_little_is_said() -> None:
    old = entry(provenance=Provenance(options={f"o{n}": "x" * 1000 for n in range(99)}))
    said = changes(old, entry())
    assert len(said) == MOST + 1 and said[-1] == "and 59 more changes"
    assert max(map(len, said)) == LONGEST


@pytest.mark.parametrize("order", ["v1 v2 v1", "v1 v2 v2 v1"])
def test_a_catalog_keeps_what_each_version_changed_when_it_was_new(tmp_path: Path, order: str) -> None:
    made = {"v1": _of(tmp_path / "a.zarr", version="v1"), "v2": _of(tmp_path / "b.zarr", dataset(5), version="v2")}
    for version in order.split():
        register(tmp_path / "catalog", made[version])
    from bakehouse.catalog.entry import Entry

    found = Entry.from_json((tmp_path / "catalog/oisst/daily.json").read_bytes())
    assert (found.version, found.change) == ("v1", None)
    (older,) = found.previous
    assert older.change and older.change.since == "v1"
    assert older.change.said == changes(made["v1"], made["v2"])
