"""Steps after the store see a store of zarr 2's kind, and what they do is published, once, with the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xarray as xr
import zarr

from bakehouse.bake import update
from bakehouse.errors import BakehouseError
from tests.bake.kitchen import contents
from tests.compat.feedstocks import HEAD, PLAIN, concatenated, days, three, upstream

ROOTS = ("zarr.json", ".zgroup", ".zmetadata", ".zattrs")
STEPS = """
import json, os
from dataclasses import dataclass
from leap_data_management_utils.data_management_transforms import Copy, CopyRclone, InjectAttrs

@dataclass
class Inject(beam.PTransform):
    attrs: dict
    def _inject(self, store: zarr.storage.FSStore) -> zarr.storage.FSStore:
        zarr.open(store, mode="a").attrs.update(self.attrs)
        return store
    def expand(self, pcoll: beam.PCollection[zarr.storage.FSStore]) -> beam.PCollection[zarr.storage.FSStore]:
        return pcoll | beam.Map(self._inject)

def look(store: zarr.storage.FSStore) -> zarr.storage.FSStore:
    assert isinstance(store, zarr.storage.FSStore)
    ds = xr.open_dataset(store.fs.get_mapper(store.path), engine="zarr", chunks={}, consolidated=True)
    with open("{root}/seen.json", "w") as file:
        json.dump([float(ds.sst.sum()), store.fs.protocol[0], store.path, os.path.isdir(store.path)], file)
    return store

def fail(store):
    assert store.path
    raise ValueError("this test failed")
"""


def steps(root: Path) -> str:
    return STEPS.replace("{root}", str(root))


def test_attributes_of_a_recipes_own_step_and_of_leaps_are_published(tmp_path: Path) -> None:
    after = (
        '| Inject({"x": 1}) | InjectAttrs({"y": [1, 2]}) | ConsolidateDimensionCoordinates() | ConsolidateMetadata())'
    )
    project = upstream(tmp_path, steps(tmp_path) + PLAIN + after, three())
    found = project.open(project.bake())
    xr.testing.assert_equal(found, concatenated(three()))
    assert (found.attrs["x"], found.attrs["y"]) == (1, [1, 2])
    stamps = {name for name in found.attrs if name.startswith("pangeo_forge")}
    assert stamps == {
        "pangeo_forge_build_git_hash", "pangeo_forge_gh_actions_url", "pangeo_forge_build_timestamp",
    }  # fmt: skip


def test_a_step_reads_the_whole_store_by_file_system_and_path_before_it_is_published(tmp_path: Path) -> None:
    project = upstream(tmp_path, steps(tmp_path) + PLAIN + '| beam.Map(look) | Inject({"x": 1}))', three())
    outcome = project.bake()
    total, protocol, path, is_folder = json.loads((tmp_path / "seen.json").read_text())
    expected = concatenated(three())
    assert (protocol, path, is_folder) == ("file", outcome.url, True)
    assert total == pytest.approx(float(expected.sst.sum()))
    found = project.open(outcome)
    xr.testing.assert_equal(found, expected)
    assert found.attrs == {"x": 1} and outcome.status == "published"


def test_a_step_that_fails_after_it_has_shown_the_store_leaves_no_root_and_the_next_bake_publishes(
    tmp_path: Path,
) -> None:
    project = upstream(tmp_path, steps(tmp_path) + PLAIN + "| beam.Map(fail))", three())
    with pytest.raises(BakehouseError, match="this test failed"):
        project.bake()
    assert [path.name for path in project.stores.glob("*.zarr/*") if path.name in ROOTS] == []
    path = tmp_path / "feedstocks" / "sea" / "recipe.py"
    path.write_text(path.read_text().replace("    raise ValueError", "    return store\n    raise ValueError"))
    xr.testing.assert_equal(project.open(project.bake()), concatenated(three()))


def test_a_step_that_asks_for_the_path_of_a_store_that_grows_shows_and_takes_away_nothing(tmp_path: Path) -> None:
    head = "import glob\n" + HEAD.replace("[{urls}]", f"sorted(glob.glob('{tmp_path}/inputs/*.nc'))")
    project = upstream(tmp_path, steps(tmp_path) + PLAIN + "| beam.Map(look))", three(), head=head)
    before = project.bake()
    root = (Path(before.url) / "zarr.json").read_bytes()
    days(6).to_netcdf(tmp_path / "inputs" / "3.nc", engine="h5netcdf")
    recipe = tmp_path / "feedstocks" / "sea" / "recipe.py"
    text = recipe.read_text()
    recipe.write_text(text.replace("| beam.Map(look))", "| beam.Map(look) | beam.Map(fail))"))
    with pytest.raises(BakehouseError, match="this test failed"):
        update(project.job(), tmp_path / "catalog")
    assert (Path(before.url) / "zarr.json").read_bytes() == root
    xr.testing.assert_equal(project.open(before), concatenated(three()))
    recipe.write_text(text)
    after = update(project.job(), tmp_path / "catalog")
    assert (after.status, after.url) == ("updated", before.url)
    xr.testing.assert_equal(project.open(after), concatenated({**three(), "3": days(6)}))


def test_a_copy_is_the_store_object_for_object_and_pruned_bakes_make_none(tmp_path: Path) -> None:
    copied = tmp_path / "copied.zarr"
    project = upstream(tmp_path, steps(tmp_path) + PLAIN + f'| InjectAttrs({{"x": 1}}) | Copy("{copied}"))', three())
    pruned = project.bake(prune=1)
    assert not copied.exists() and any("not copied" in note for note in pruned.notes)
    outcome = project.bake()
    assert contents(copied) == contents(Path(outcome.url))
    copied.rename(tmp_path / "moved.zarr")
    assert project.bake().status == "unchanged" and not copied.exists()


@pytest.mark.parametrize(
    "copy", ["Copy(target=False)", 'CopyRclone(target=False, remove_endpoint_url="https://a.org")']
)
def test_copies_that_are_switched_off_do_nothing(tmp_path: Path, copy: str) -> None:
    project = upstream(tmp_path, steps(tmp_path) + PLAIN + f"| {copy})", three())
    xr.testing.assert_equal(project.open(project.bake()), concatenated(three()))


def test_planning_and_verifying_run_no_step_after_the_store(tmp_path: Path) -> None:
    from bakehouse.bake import verify_recipe

    project = upstream(tmp_path, steps(tmp_path) + PLAIN + "| beam.Map(look))", three())
    assert project.plan()["dims"]["time"] == 6
    assert not (tmp_path / "seen.json").exists()
    project.bake()
    (tmp_path / "seen.json").unlink()
    assert verify_recipe(project.job(), project.entry).status == "verified"
    assert not (tmp_path / "seen.json").exists()


def test_a_store_of_zarr_2s_kind_is_written_read_listed_and_consolidated(tmp_path: Path) -> None:
    import bakehouse.compat  # noqa: F401

    store = zarr.storage.FSStore(f"file://{tmp_path}/a.zarr")  # type: ignore
    three()["0"].to_zarr(store, mode="w", consolidated=False)
    zarr.consolidate_metadata(store)
    again = zarr.storage.FSStore(store.path, fs=store.fs, mode="r")  # type: ignore
    xr.testing.assert_equal(xr.open_zarr(again, consolidated=True).load(), three()["0"])
    assert set(again.keys()) == set(contents(tmp_path / "a.zarr"))
    assert json.loads(again["zarr.json"])["zarr_format"] == 3 and "sst/zarr.json" in again
    with pytest.raises(KeyError):
        again["nothing"]
