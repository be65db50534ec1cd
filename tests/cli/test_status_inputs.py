"""`bakehouse status --inputs`: whether what a store was made from is still upstream as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.growing import Growing
from tests.cli.projects import Project
from tests.support.http import Fault, serve


def test_inputs_that_are_as_they_were_are_counted_and_not_read(sea: Growing) -> None:
    assert sea.run("status", "--inputs").splitlines()[-1] == "sea: inputs 3 unchanged, 0 changed, 0 gone, 0 gaps"
    assert [(request.method, request.path) for request in sorted(sea.server.log, key=lambda r: r.path)] == [
        ("HEAD", f"/{day}.nc") for day in (0, 2, 4)
    ]


def test_without_inputs_none_is_asked(sea: Growing) -> None:
    assert "inputs" not in sea.document("status")
    assert sea.server.log == []


def test_what_changed_or_is_gone_is_named_with_reason_and_fix(sea: Growing) -> None:
    sea.touch(2)
    sea.write(4, warmer=1)
    (sea.server.folder / "0.nc").unlink()
    text = sea.run("status", "sea", "--inputs", exit_code=1)
    lines = text[text.index("sea: inputs") :].splitlines()
    assert lines[0] == "sea: inputs 0 unchanged, 2 changed, 1 gone, 0 gaps"
    said = [line.split(maxsplit=1) for line in lines[1:]]
    assert [label for label, _ in said] == ["changed", "changed", "gone", "fix", "note"]
    assert said[0][1].startswith(f"{sea.server.url}/2.nc: etag was ") and ", is " in said[0][1]
    assert said[2:4] == [["gone", f"{sea.server.url}/0.nc"], ["fix", "bakehouse update sea --changed"]]


def test_the_document_names_all_of_them(sea: Growing) -> None:
    sea.touch(2)
    state = sea.document("status", "--inputs", exit_code=1)
    assert (state["state"], state["ok"]) == ("baked", False)
    (changed,) = state["inputs"].pop("changed")
    assert state["inputs"] == {"unchanged": 2, "gone": [], "gaps": [], "appeared": []}
    assert (changed["url"], changed["reason"].split()[0]) == (f"{sea.server.url}/2.nc", "etag")
    assert changed["known"]["etag"] != changed["now"]["etag"]


def test_after_an_update_of_what_changed_all_is_well(sea: Growing) -> None:
    sea.write(2, warmer=1)
    sea.run("status", "--inputs", exit_code=1)
    sea.run("update", "sea", "--changed")
    text = sea.run("status", "--inputs")
    assert "sea: inputs 3 unchanged, 0 changed, 0 gone, 0 gaps" in text
    assert "sea: 1 other version kept: bakehouse rollback sea, bakehouse gc sea" in text


def test_a_gap_is_no_finding_and_said_when_it_can_be_filled(sea: Growing) -> None:
    sea.say(0, 2, 4, 6, 8)
    sea.write(8)
    sea.run("update", "sea", "--missing", "skip")
    text = sea.run("status", "sea", "--inputs")
    assert "sea: 1 gap, to be filled once the inputs are there: bakehouse update sea" in text
    assert "sea: inputs 4 unchanged, 0 changed, 0 gone, 1 gap\n" in text
    sea.write(6)
    text = sea.run("status", "sea", "--inputs")
    assert text.endswith(
        "sea: inputs 4 unchanged, 0 changed, 0 gone, 0 gaps, 1 gap can be filled\n"
        f"  there    {sea.server.url}/6.nc\n  fix      bakehouse update sea\n"
    )


def test_a_server_that_does_not_answer_is_no_answer(sea: Growing) -> None:
    sea.server.fail("/2.nc", Fault(status=403))
    text = sea.run("status", "--inputs", exit_code=1)
    assert "sea: the inputs can't be asked" in text and f"{sea.server.url}/2.nc" in text


def test_inputs_are_asked_at_their_mirror(sea: Growing, tmp_path: Path) -> None:
    shutil.copytree(sea.server.folder, tmp_path / "mirror")
    with serve(tmp_path / "mirror") as mirror:
        sea.run("status", "--inputs", "--mirror", f"{sea.server.url}/={mirror.url}/")
        assert len(mirror.log) == 3
    assert sea.server.log == []


def test_what_was_never_baked_has_no_inputs(project: Project) -> None:
    (state,) = project.document("status", "--inputs")["recipes"]
    assert (state["state"], "inputs" in state) == ("not baked", False)
