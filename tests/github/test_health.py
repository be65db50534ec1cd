"""What a nightly look at every store leaves: marks in the catalog, and an issue for each dataset that is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bakehouse.catalog.check import check
from bakehouse.catalog.register import register
from bakehouse.cli import main as command_line
from tests.github.baker import Baker, git
from tests.github.standin import GitHub


@pytest.fixture
def baker(tmp_path: Path, hub: GitHub) -> Baker:
    made = Baker(tmp_path, environment=hub.environment()).start()
    for recipe in ("monthly", "daily"):
        register(made.root / "catalog", made.bake(recipe))
    made.push("Publish")
    return made


def look(baker: Baker) -> Path:
    """Open every store again, as the nightly job does; give the file of what it printed."""
    git(baker.root, "pull", "--quiet", "origin", "main")
    file = baker.folder / "recheck.json"
    from click.testing import CliRunner

    result = CliRunner().invoke(command_line, ["catalog", "recheck", "--json", "--project", str(baker.root)])
    file.write_text(result.stdout)
    git(baker.root, "checkout", "--quiet", "--", ".")
    return file


def row(baker: Baker, seen: str = "gone", **said: Any) -> dict[str, Any]:
    url = str(baker.stores / "sst/monthly/1a2b.zarr")
    known = {"id": "sst/monthly", "url": url, "state": "degraded", "seen": seen, "reason": "there is no zarr store"}
    return {**known, "since": "2026-11-02T03:43:00Z", "fix": None, **said}


def say(baker: Baker, *rows: dict[str, Any]) -> Path:
    file = baker.folder / "recheck.json"
    file.write_text(json.dumps({"catalogs": [{"folder": str(baker.root / "catalog"), "entries": list(rows)}]}))
    return file


def status(baker: Baker, recipe: str = "monthly") -> Any:
    return baker.published(f"catalog/sst/{recipe}.json")["status"]


def test_a_broken_dataset_is_marked_and_has_one_issue_until_it_is_well(baker: Baker, hub: GitHub) -> None:
    for _ in range(2):
        baker.run("health", "--recheck", str(say(baker, row(baker), row(baker, id="sst/daily", seen="as it was"))))
    assert status(baker) == {
        "state": "degraded", "reason": "there is no zarr store", "seen": "gone", "since": "2026-11-02T03:43:00Z"
    }  # fmt: skip
    (issue,) = hub.issues.values()
    assert issue["title"] == "sst/monthly can't be read as it was registered"
    assert "- **what was seen**: gone" in issue["body"] and "@jcarberry" in issue["body"]
    git(baker.root, "pull", "--quiet", "origin", "main")
    baker.run("health", "--recheck", str(say(baker, row(baker, "as it was", state="live", reason=None, since=None))))
    assert status(baker) == {"state": "live"}
    assert hub.issues[1]["state"] == "closed"
    git(baker.folder, "clone", "--quiet", str(baker.remote), "clone")
    assert check(baker.folder / "clone/catalog") == []


def test_what_a_look_at_the_stores_prints_is_understood(baker: Baker, hub: GitHub) -> None:
    said = baker.document("health", "--recheck", str(look(baker)))
    assert said["entries"] == 2
    assert len(said["issues"]) == 2, "the stores of this test have a root and nothing else"
    assert {status(baker, each)["state"] for each in ("monthly", "daily")} == {"degraded"}


def test_what_a_person_wrote_stays(baker: Baker, hub: GitHub) -> None:
    path = baker.root / "catalog/sst/monthly.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "status": {"state": "deprecated", "reason": "see daily"}}))
    baker.push("Deprecate monthly")
    baker.run("health", "--recheck", str(say(baker, row(baker))))
    assert status(baker) == {"state": "deprecated", "reason": "see daily"}


def test_a_store_that_was_registered_anew_meanwhile_is_not_marked(baker: Baker, hub: GitHub) -> None:
    baker.run("health", "--recheck", str(say(baker, row(baker, url="s3://bucket/old.zarr"))))
    assert status(baker) == {"state": "live"}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"catalogs": 1}', '{"catalogs": [{"folder": "catalog"}]}',
                                  '{"catalogs": [{"folder": "catalog", "entries": [{"id": 1}]}]}'])  # fmt: skip
def test_anything_else_is_refused(baker: Baker, hub: GitHub, text: str) -> None:
    file = baker.folder / "recheck.json"
    file.write_text(text)
    baker.run("health", "--recheck", str(file), exit_code=1)
    assert hub.writes() == []


def test_an_issue_that_somebody_else_opened_is_left_alone(baker: Baker, hub: GitHub) -> None:
    hub.add_issue("mine", "<!-- bakehouse:entry:sst/monthly -->\n…", "mallory", ("broken-dataset",))
    baker.run("health", "--recheck", str(say(baker, row(baker, "as it was"))))
    assert hub.issues[1]["state"] == "open"


def test_an_id_with_two_hyphens_has_its_issue_as_any_other(tmp_path: Path, hub: GitHub) -> None:
    baker = Baker(tmp_path, ("sea--ice", "daily"), hub.environment()).start()
    for recipe in baker.recipes:
        register(baker.root / "catalog", baker.bake(recipe))
    baker.push("Publish")
    gone = row(baker, id="sst/sea--ice", url=str(baker.stores / "sst/sea--ice/1a2b.zarr"))
    broken = row(baker, id="sst/daily", url=str(baker.stores / "sst/daily/1a2b.zarr"))
    for _ in range(2):
        baker.run("health", "--recheck", str(say(baker, gone, broken)))
    assert [each["title"].split()[0] for each in hub.issues.values()] == ["sst/sea--ice", "sst/daily"]
    assert {status(baker, each)["state"] for each in baker.recipes} == {"degraded"}
    baker.run("health", "--recheck", str(say(baker, {**gone, "seen": "as it was", "state": "live"}, broken)))
    assert [each["state"] for each in hub.issues.values()] == ["closed", "open"]


def test_a_server_that_talks_without_end_keeps_no_other_from_being_marked(baker: Baker, hub: GitHub) -> None:
    daily = row(baker, id="sst/daily", url=str(baker.stores / "sst/daily/1a2b.zarr"))
    said = f"its etag was 1, it is \x1b[2J{'x' * 8000}"
    baker.run("health", "--recheck", str(say(baker, row(baker, reason=said), daily)))
    assert [status(baker, each)["state"] for each in ("monthly", "daily")] == ["degraded", "degraded"]
    assert len(status(baker)["reason"]) == 2000 and "\x1b" not in status(baker)["reason"]


def test_marks_wait_in_one_pull_request_where_nobody_pushes(baker: Baker, hub: GitHub) -> None:
    for _ in range(2):
        baker.run("health", "--recheck", str(say(baker, row(baker))), "--pull-request")
    (pull,) = hub.pulls.values()
    assert (pull["head"]["ref"], pull["base"]["ref"], pull["state"]) == ("bakehouse/marks", "main", "open")
    assert baker.published("catalog/sst/monthly.json", "bakehouse/marks")["status"]["state"] == "degraded"
    assert status(baker) == {"state": "live"}
    well = row(baker, "as it was", state="live", reason=None, since=None)
    baker.run("health", "--recheck", str(say(baker, well)), "--pull-request")
    assert pull["state"] == "closed"
