"""Verifying says what it looked at, how many of how many, and whether that was all."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import cftime
import numpy as np
import pytest
import xarray as xr

from bakehouse.bake.verify import registered
from bakehouse.plan.sample import sample_tasks
from bakehouse.schema import Identity
from bakehouse.storage import Target
from bakehouse.verify import (
    Checked,
    NotWholeError,
    Proof,
    Proven,
    check_dataset,
    check_inputs,
    check_published,
    stop_on,
)
from tests.bake.kitchen import Kitchen, contents
from tests.cli.projects import new_project
from tests.plan.samples import plan_of, schema_of, sea
from tests.verify.shelves import said


@pytest.mark.parametrize("level", ["full", "sampled", "auto"])
def test_a_sound_store_passes_at_every_level_and_says_what_was_looked_at(whole: Kitchen, level: str) -> None:
    before = contents(whole.root / "stores")
    outcome = whole.verify(level)
    objects, values = outcome.objects, 2 * 6 * 2 * 3 + 3 * 6 + 2 + 3
    assert said(outcome) == {
        "root": "the registered one, with consolidated metadata",
        "documents": f"all {7 if whole.entry.store.zarr_format == 3 else 16} documents are what the root says of them",
        "lengths": "all 7 arrays agree along 3 dimensions",
        "proof": "the registered one",
        "grid": f"all {objects} objects that the root's grids name were written",
        "objects": f"all {objects} objects there, each of its size, no other",
        "checksums": f"all {objects} objects have the sha256 that was written",
        "shapes": "all 7 arrays have the planned shape",
        "coordinate time": "all 6 values strictly rising",
        "inputs": f"all 3 inputs still make version {outcome.version} (known by mtime+size)",
        "values": f"all {outcome.tasks} tasks equal their sources, value by value ({values} values)",
    }
    assert {each.coverage for each in outcome.checks} == {"exhaustive"}
    assert contents(whole.root / "stores") == before


def test_what_is_not_read_in_a_sample_is_said(whole: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far stores are not read whole; the coordinates, which are decoded, are."""
    monkeypatch.setattr("bakehouse.verify.proof.SAMPLED_TASKS", 0)
    rows = {
        f"{name}/{i}": Proven(f"{name}/{i}", 1, "", name, f"{name}{i}") for name in ("sst", "time") for i in range(3)
    }
    proof = Proof(tuple(rows.values()), Checked())
    assert proof.sample({"time"}) == {"sst/0", "time/0", "time/1", "time/2"}
    store = Target(str(whole.store))
    here = check_published(store, Target(str(whole.stores)), registered(whole.entry), everything=False)
    (checksums,) = (each for each in here.checked.statements if each.check == "checksums")
    assert (here.safe, checksums.coverage, checksums.looked_at) == (True, "exhaustive", checksums.of)


def test_an_object_outside_of_the_sample_is_compared_by_its_size_alone(tmp_path: Path) -> None:
    from bakehouse.verify import check_objects

    store, data = Target(str(tmp_path / "a.zarr")), {f"a/c/{i}": bytes([i]) * 4 for i in range(4)}
    for key, content in data.items():
        store.put(key, content)
    rows = [Proven(key, 4, hashlib.sha256(content).hexdigest()) for key, content in data.items()]
    store.put("a/c/3", b"else")
    found = check_objects(store, rows, {"a/c/0", "a/c/1"})
    how = "those that are decoded; the others were compared by their size alone, --full reads them all"
    assert [(s.check, s.text, s.coverage) for s in found.statements] == [
        ("objects", "all 4 objects there, each of its size, no other", "exhaustive"),
        ("checksums", f"2 of 4 objects have the sha256 that was written (sampled: {how})", "sampled"),
    ]
    assert [p.what[:44] for p in check_objects(store, rows, True).problems] == [
        "object 'a/c/3' has other content than was wr"
    ]
    assert not check_objects(store, rows, False)


def test_the_objects_that_a_sample_decodes_are_those_of_its_tasks() -> None:
    plan = plan_of(schema_of(*(sea(i) for i in range(0, 400, 2))), target_chunks={"time": 1}, shards=False)
    rows = tuple(
        Proven(f"{part.array}/c/{'/'.join(str(a) for a, _ in part.spans)}", 1, "", part.array, task.id)
        for task in plan.tasks
        for part in task.parts
    )
    sampled = sample_tasks(plan, "sampled")
    assert len(plan.tasks) >= 6 and sampled
    decoded = {row.key for row in rows if row.task in sampled}
    assert decoded <= Proof(rows, Checked()).sample(set())


DAYS = np.datetime64("2001-01-01", "ns") + np.arange(5) * np.timedelta64(1, "D")


@pytest.mark.parametrize(
    "values, statement, problem",
    [
        ([1, 2, 3], "all 3 values strictly rising", None),
        ([3.0, 2.0, 1.0], "all 3 values strictly falling", None),
        ([7], "all 1 values nothing to be in order with", None),
        (DAYS, "all 5 values strictly rising", None),
        ([cftime.Datetime360Day(2000, 2, day) for day in (28, 29, 30)], "all 3 values strictly rising", None),
        (["b", "a"], "not looked at: <U1 values have no order", None),
        ([1, 1, 2], "", "coordinate 'time' does not run one way: 1 at 0 is followed by 1 at 1"),
        ([1, 2, 2], "", "coordinate 'time' rises, but 2 at 1 is followed by 2 at 2"),
        ([3, 2, 4], "", "coordinate 'time' falls, but 2 at 1 is followed by 4 at 2"),
        ([1.0, np.nan, 3.0], "", "coordinate 'time' is missing (nan) at 1"),
        ([DAYS[0], np.datetime64("NaT")], "", "coordinate 'time' is missing (NaT) at 1"),
        (np.array([0, 250, 3], "u1"), "", "coordinate 'time' rises, but 250 at 1 is followed by 3 at 2"),
    ],
)  # fmt: skip
def test_a_concat_coordinate_runs_strictly_one_way(values: object, statement: str, problem: str | None) -> None:
    dataset = xr.Dataset(coords={"time": ("time", np.asarray(values))})
    found = check_dataset(dataset, {"time": {"size": dataset.sizes["time"]}})
    assert [p.what for p in found.problems] == ([problem] if problem else [])
    assert problem or found.statements[-1].text == statement
    assert not check_dataset(dataset, {"time": {}}, ordered=False)


@pytest.mark.parametrize(
    "tail, problem",
    [
        ([6, 7], None),
        ([5, 7], "coordinate 'time' rises, but 5 at 4 is followed by 5 at 5"),
        ([7, 6], "coordinate 'time' rises, but 7 at 5 is followed by 6 at 6"),
    ],
)
def test_an_append_looks_at_what_is_new_and_where_it_joins(tail: list[int], problem: str | None) -> None:
    """What was there before is not looked at again, even if it were wrong."""
    dataset = xr.Dataset(coords={"time": [1, 3, 2, 4, 5, *tail]})
    found = check_dataset(dataset, {"time": {"size": 7}}, since={"time": 5})
    assert [p.what for p in found.problems] == ([problem] if problem else [])
    statement = found.statements[-1]
    assert (statement.looked_at, statement.of, statement.coverage) == (4, 7, "sampled")
    assert problem or statement.text == (
        "4 of 7 values strictly rising (sampled: from 3 on; those before were looked at when they were published)"
    )


def test_dates_of_other_calendars_are_named_as_dates() -> None:
    dates = [cftime.DatetimeNoLeap(2001, 2, day) for day in (1, 3, 2)]
    found = check_dataset(xr.Dataset(coords={"time": dates}), {"time": {"size": 3}})
    assert [p.what for p in found.problems] == [
        "coordinate 'time' rises, but 2001-02-03 00:00:00 at 1 is followed by 2001-02-02 00:00:00 at 2"
    ]


def test_inputs_that_changed_appeared_or_went_are_named_with_both_values() -> None:
    then = {"a.nc": Identity(10, "x"), "b.nc": Identity(10, None, "5"), "c.nc": Identity(1)}
    found = check_inputs(
        then, {"a.nc": Identity(10, "y"), "b.nc": Identity(10, None, "5"), "c.nc": None, "d.nc": Identity(2)}
    )
    assert [p.what for p in found.problems] == [
        "input 'a.nc' changed: etag is y, was x",
        "input 'c.nc' is gone",
        "input 'd.nc' is new",
    ]


def test_an_error_with_what_was_looked_at_survives_pickling() -> None:
    with pytest.raises(NotWholeError) as caught:
        stop_on([f"object '{i}' is missing" for i in range(30)], "sea")
    error = pickle.loads(pickle.dumps(caught.value))
    assert (str(error), error.checked) == (str(caught.value), caught.value.checked)
    assert "… and 10 more" in error.cause and len(error.as_dict()["problems"]) == 30


def test_the_command_states_every_check_in_text_and_in_json(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    assert project.run("bake", "seasons").exit_code == 0
    (sound,) = project.document("verify", "seasons")["recipes"]
    assert {check["coverage"] for check in sound["checks"].values()} == {"exhaustive"}
    text = project.run("verify", "seasons").stdout
    assert text.startswith(f"seasons: verified, version {sound['version']}\n")
    assert all(f"  {name} " in text and check["says"] in text for name, check in sound["checks"].items())

    count = sound["checks"]["objects"]["of"]
    victim = next(path for path in sorted(project.store().rglob("*")) if path.is_file() and "json" not in path.name)
    victim.unlink()
    result = project.run("verify", "seasons")
    assert (result.exit_code, f"object '{victim.relative_to(project.store())}' is missing" in result.stderr) == (
        1,
        True,
    )
    assert f"all {count} objects looked at: 1 problem" in result.stdout
    assert "not looked at: the proof or an object is damaged" in result.stdout
    (damaged,) = project.document("verify", "seasons", exit_code=1)["recipes"]
    assert damaged["checks"]["objects"] == {
        "coverage": "exhaustive",
        "looked_at": count,
        "of": count,
        "unit": "objects",
        "problems": 1,
        "says": f"all {count} objects looked at: 1 problem",
    }
    assert [each["what"] for each in damaged["error"]["problems"]] == [
        f"object '{victim.relative_to(project.store())}' is missing"
    ]
    assert json.dumps(damaged)
