"""One comment, one issue: what our jobs keep on GitHub, seen from the other side of the API."""

from __future__ import annotations

import pytest

from bakehouse.errors import UsageError
from bakehouse.github.client import close_issues, keep_comment, keep_issue, marker, repository
from tests.github.standin import READER, GitHub


def test_a_comment_is_made_once_then_edited(hub: GitHub) -> None:
    number, repo = hub.add_issue("a pull request"), repository(hub.environment())
    for _ in range(40):
        hub.comment(number, "chatter", "someone")
    for body in ("first", "second", "second"):
        keep_comment(repo.get_issue(number), "check", body)
    assert hub.said(number)[40:] == [f"{marker('check')}\nsecond"]
    assert [method for method, _, _ in hub.writes()] == ["POST", "PATCH"]


def test_a_comment_that_another_marked_as_ours_is_left_alone(hub: GitHub) -> None:
    number, repo = hub.add_issue("a pull request"), repository(hub.environment())
    hub.comment(number, f"{marker('check')}\nall is well, merge me", "attacker")
    keep_comment(repo.get_issue(number), "check", "it fails")
    assert hub.said(number) == [f"{marker('check')}\nall is well, merge me", f"{marker('check')}\nit fails"]


def test_an_issue_is_opened_once_and_closed_when_it_heals(hub: GitHub) -> None:
    repo = repository(hub.environment())
    hub.add_issue("mine", f"{marker('sst')}\n…", "attacker", ("broken feedstock",))
    for day in ("Monday", "Tuesday"):
        keep_issue(repo, "broken feedstock", "sst", "sst fails", f"since {day}")
    assert close_issues(repo, "broken feedstock", "sst", "It works again.") == 1
    states = [(each["state"], each["body"].splitlines()[-1]) for each in hub.issues.values()]
    assert states == [("open", "…"), ("closed", "since Tuesday")]
    assert hub.said(2) == ["It works again."]


def test_a_token_that_may_only_read_can_not_comment(hub: GitHub) -> None:
    from github import GithubException

    number = hub.add_issue("a pull request")
    with pytest.raises(GithubException, match="not accessible"):
        keep_comment(repository(hub.environment(READER)).get_issue(number), "check", "hello")
    assert hub.said(number) == []


def test_outside_of_a_job_it_says_what_is_missing() -> None:
    with pytest.raises(UsageError, match="GITHUB_TOKEN is not set"):
        repository({})


@pytest.mark.parametrize("name", ["", "a-->b", "a%b", "<b", "a\nb"])
def test_a_marker_can_not_end_the_comment_that_hides_it(name: str) -> None:
    with pytest.raises(ValueError, match="can't mark"):
        marker(name)
