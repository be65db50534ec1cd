"""What people are told of a run: under a pull request, and in one issue for as long as a feedstock fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.github.baker import Baker
from tests.github.standin import GitHub
from tests.github.test_untrusted_text import MENTION, by_markdown_it

SHA = "5b" * 20
URL = "https://example.org/2021.nc"
FAILED = {
    "feedstock": "sst", "recipe": "monthly", "ok": False,
    "failure": {
        "error": "SourceError", "message": "an input can't be read", "where": f"sst/monthly, input 0 ({URL})",
        "cause": "the server answers 404", "fix": "name inputs that are there, or run with --missing skip",
        "input": URL,
    },
}  # fmt: skip
GOOD = {
    "feedstock": "sst", "recipe": "monthly", "ok": True, "status": "published", "version": "1a2b",
    "entry": "entries/sst/monthly.json", "url": "s3://bucket/sst/monthly/1a2b.zarr", "size_bytes": 12_300_000,
    "plain_line": "xarray.open_zarr('s3://bucket/sst/monthly/1a2b.zarr', storage_options={'anon': True})",
    "objects": 24, "duration_s": 61.5, "cost_usd": 0.124, "line": "bakehouse.open(\"sst/monthly\")",
}  # fmt: skip
DAILY = {**FAILED, "recipe": "daily"}


def merged(hub: GitHub) -> int:
    number = hub.add_pull("Add sst", "sst", "aa" * 20)
    hub.issues[number]["state"] = "closed"
    hub.pulls[number].update(state="closed", merged=True, merged_at="2026-11-01T10:00:00Z", merge_commit_sha=SHA)
    return number


def report(baker: Baker, *words: str, exit_code: int = 0, recipes: list[Any] | None = None, **said: Any) -> Any:
    said = {"recipes": [GOOD] if recipes is None else recipes, **said}
    said.setdefault("ok", all(each["ok"] for each in said["recipes"]))
    folder = baker.hand_over("run", **said)
    return baker.document("report", "--run", str(folder), "--feedstock", "sst", *words, exit_code=exit_code)


def test_the_pull_request_that_was_merged_learns_how_its_dataset_is_opened(baker: Baker, hub: GitHub) -> None:
    number = merged(hub)
    baker.environment.update(GITHUB_EVENT_NAME="push", GITHUB_SHA=SHA, PUBLISH_RESULT="success")
    report(baker)
    (said,) = hub.said(number)
    assert said == "\n\n".join(
        [
            "<!-- bakehouse:run:sst -->\n### `sst` is published",
            "Every store was compared with its sources and is in the catalog now.",
            "Open it:",
            '```python\nimport bakehouse\n\nds = bakehouse.open("sst/monthly")\n\n# or without Bakehouse\n'
            "import xarray\n\nds = xarray.open_zarr('s3://bucket/sst/monthly/1a2b.zarr', "
            "storage_options={'anon': True})\n```",
            "| recipe | outcome | size | time | cost | page |\n|---|---|---|---|---|---|\n"
            "| `monthly` | published, version `1a2b` | 12.3 MB in 24 objects | 1 min 2 s | $0.12 "
            "| [page](https://bakers.example.org/datasets/sst/monthly/index.html) |",
            "[The run](https://github.com/bakers/feedstocks/actions/runs/77)",
        ]
    )


def test_telling_twice_leaves_one_comment(baker: Baker, hub: GitHub) -> None:
    number = merged(hub)
    for _ in range(2):
        report(baker, "--pr", str(number))
    assert len(hub.said(number)) == 1


def test_a_run_by_hand_on_main_tells_no_pull_request(baker: Baker, hub: GitHub) -> None:
    number = merged(hub)
    baker.environment.update(GITHUB_EVENT_NAME="workflow_dispatch", GITHUB_SHA=SHA)
    report(baker)
    assert hub.said(number) == []
    assert hub.writes() == []


def test_a_feedstock_that_fails_has_one_issue_which_names_the_input_and_the_command(baker: Baker, hub: GitHub) -> None:
    for _ in range(3):
        report(baker, recipes=[FAILED])
    (issue,) = hub.issues.values()
    assert (issue["title"], issue["state"]) == ("Feedstock sst can't be baked", "open")
    assert [each["name"] for each in issue["labels"]] == ["broken-feedstock"]
    assert f"- **input**: `{URL}`" in issue["body"]
    assert "gh workflow run run-recipe.yml -f feedstock=sst -f recipe=monthly -f bakery=cloud" in issue["body"]
    assert "bakehouse bake sst/monthly\n" in issue["body"]
    assert "@jcarberry" in issue["body"]


def test_the_issue_closes_when_the_feedstock_heals_and_a_new_one_opens_if_it_fails_again(
    baker: Baker, hub: GitHub
) -> None:
    report(baker, recipes=[FAILED])
    report(baker)
    report(baker, recipes=[FAILED])
    assert [each["state"] for each in hub.issues.values()] == ["closed", "open"]
    assert "It went well again" in hub.said(1)[0]


def test_a_recipe_that_went_well_does_not_close_the_issue_of_another(baker: Baker, hub: GitHub) -> None:
    report(baker, recipes=[FAILED, DAILY])
    report(baker, recipe="monthly")
    assert hub.issues[1]["state"] == "open"
    report(baker, recipes=[{**GOOD, "recipe": "daily"}], recipe="daily")
    assert hub.issues[1]["state"] == "closed"


def test_a_pruned_run_opens_no_issue(baker: Baker, hub: GitHub) -> None:
    report(baker, recipes=[FAILED], prune=2)
    assert hub.issues == {}


def test_a_run_for_an_open_pull_request_answers_there_and_nowhere_else(baker: Baker, hub: GitHub) -> None:
    number = hub.add_pull("Add sst", "sst", SHA)
    report(baker, "--pr", str(number), "--sha", SHA, recipes=[FAILED], credential_free=True, bakery="local")
    assert len(hub.issues) == 1
    (said,) = hub.said(number)
    assert "### `sst` could not be baked" in said
    assert "/run COMMIT sst" in said
    assert "gh workflow run" not in said


def test_a_run_for_an_open_pull_request_promises_nothing_that_is_not_so(baker: Baker, hub: GitHub) -> None:
    number = hub.add_pull("Add sst", "sst", SHA)
    report(baker, "--pr", str(number), "--sha", SHA, credential_free=True, bakery="local")
    (said,) = hub.said(number)
    assert "Nothing was published: that happens once the pull request is merged." in said
    assert "bakehouse.open" not in said


def test_entries_that_wait_in_a_pull_request_are_said_to_wait(baker: Baker, hub: GitHub) -> None:
    number = merged(hub)
    baker.environment.update(PUBLISH_RESULT="success", PROPOSED="12")
    report(baker, "--pr", str(number))
    assert "It is in the catalog once #12 is merged." in hub.said(number)[0]
    assert "bakehouse.open" not in hub.said(number)[0]


@pytest.mark.parametrize("ending", ["failure", "cancelled"])
def test_a_job_that_ended_badly_is_no_success_whatever_the_run_says(baker: Baker, hub: GitHub, ending: str) -> None:
    baker.environment.update(BAKE_RESULT=ending)
    assert report(baker)["run_ok"] is False
    assert f"ended as &#39;{ending}&#39;" in hub.issues[1]["body"]


def test_stores_whose_entry_could_not_be_published_are_a_failure(baker: Baker, hub: GitHub) -> None:
    baker.environment.update(BAKE_RESULT="success", PUBLISH_RESULT="failure")
    assert report(baker)["run_ok"] is False
    assert "publishing their entries ended" in hub.issues[1]["body"]


BAD = {
    "nothing": None,
    "no JSON": "{",
    "five megabytes": json.dumps({"x": "y" * 5_000_000}),
    "nested": '{"a":' * 100_000,
    "another feedstock": "other",
    "another form": '{"ok": true}',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_run_that_left_nothing_of_use_is_reported_as_lost(baker: Baker, hub: GitHub, text: str | None) -> None:
    folder = baker.hand_over("run", feedstock="other")
    if text is None:
        (folder / "run.json").unlink()
    elif text != "other":
        (folder / "run.json").write_text(text)
    said = baker.document("report", "--run", str(folder), "--feedstock", "sst", exit_code=1, BAKE_RESULT="cancelled")
    assert said["lost"] is True
    assert "the job ended as" in hub.issues[1]["body"]
    assert len(hub.issues[1]["body"]) < 5000


@pytest.mark.parametrize("said", [{"size_bytes": 10**400}, {"objects": 10**400}, {"duration_s": float("inf")},
                                  {"cost_usd": 1e300}], ids=lambda said: next(iter(said)))  # fmt: skip
def test_numbers_that_nothing_has_are_no_result(baker: Baker, hub: GitHub, said: dict[str, Any]) -> None:
    folder = baker.hand_over("run", recipes=[{**GOOD, **said}])
    path = folder / "run.json"
    path.write_text(path.read_text().replace("Infinity", "1e999"))
    assert baker.document("report", "--run", str(folder), "--feedstock", "sst", exit_code=1)["lost"] is True
    assert "can't be baked" in hub.issues[1]["title"]


def test_what_strangers_wrote_does_nothing(baker: Baker, hub: GitHub) -> None:
    number = hub.add_pull("Add sst", "sst", SHA)
    text = "@everyone <script>alert(1)</script> ](javascript:alert(1)) ``` #1 \u202e https://evil.example.org"
    failure = dict.fromkeys(("error", "message", "where", "cause", "fix", "input"), text)
    report(
        baker, "--pr", str(number), recipes=[{**FAILED, "failure": failure}], log=f"```\n{text}\n::error::x",
        credential_free=True,
    )  # fmt: skip
    (said,) = hub.said(number)
    page = by_markdown_it(said)
    assert set(page.tags) <= {"h3", "p", "strong", "ul", "li", "code", "pre", "details", "summary", "a"}
    assert page.attributes == [
        ("class", "language-text"), ("href", "https://github.com/bakers/feedstocks/actions/runs/77")
    ]  # fmt: skip
    assert not MENTION.search(page.outside_code) and "\u202e" not in said


def test_code_that_a_run_hands_over_to_be_copied_is_only_shown_if_it_opens_a_store(baker: Baker, hub: GitHub) -> None:
    number = merged(hub)
    evil = "xarray.open_zarr(__import__('os').system('curl evil'))"
    baker.environment.update(PUBLISH_RESULT="success")
    report(baker, "--pr", str(number), recipes=[{**GOOD, "plain_line": evil, "line": evil}])
    assert "evil" not in hub.said(number)[0]
    assert 'ds = bakehouse.open("sst/monthly")' in hub.said(number)[0]
