"""The forms: link a dataset, request one."""

from __future__ import annotations

import json

from tests.github.act.bench import Bench, Ran
from tests.github.act.kitchen import opened_event, shelf
from tests.github.act.scenarios import scenario

REQUESTED = {
    "Name": "Sea ice",
    "URL": "https://example.org/ice",
    "Description": "Sea ice concentration, daily",
    "Licence": "CC-BY-4.0",
    "Format": "NetCDF",
    "Location": "https://example.org/ice_{time:%Y%m%d}.nc",
}


def _form(answers: dict[str, str]) -> str:
    """Write an issue's body as GitHub makes it of a form."""
    return "\n\n".join(f"### {label}\n\n{text or '_No response_'}" for label, text in answers.items())


def _asked(made: Bench, kind: str, answers: dict[str, str], login: str = "reader") -> tuple[int, Ran]:
    """Fill in a form; give the issue and what came of it."""
    number = made.hub.add_issue("A form", _form(answers), login, (f"{kind}-dataset",))
    return number, made.run(kind, "issues", opened_event(made, number))


@scenario("Request a dataset", nightly=True)
def a_request_becomes_a_draft_pull_request(made: Bench) -> str:
    """The form, filled in."""
    number, ran = _asked(made, "request", REQUESTED)
    assert ran.jobs == {"read": "success", "propose": "success"}, ran.lines
    (pull,) = made.hub.pulls.values()
    assert pull["draft"] and f"Closes #{number}" in pull["body"]
    meta = made.file("feedstocks/sea-ice/meta.yaml", pull["head"]["ref"])
    assert "title: Sea ice" in meta and "CC-BY-4.0" in meta
    return "a draft pull request with `feedstocks/sea-ice/meta.yaml`, which closes the issue"


@scenario("Request a dataset", attack=True)
def a_form_that_writes_outside_its_folder_is_refused(made: Bench) -> str:
    """The id is `../../.github/workflows/x`, the name holds YAML, `$(touch x)` and a mention."""
    name = 'Ice $(touch x) @everyone\nrecipes: [{id: x, object: "os:system"}]'
    number, ran = _asked(made, "request", {**REQUESTED, "Name": name, "Id": "../../.github/workflows/x"}, "stranger")
    assert (ran.jobs["propose"], made.hub.pulls) == ("failure", {}), ran.lines
    (said,) = made.hub.said(number)
    assert "@everyone" not in said and [path for path in made.folder.rglob("x") if path.name == "x"] == []
    assert made.git("branch", "--list", cwd=made.origin).split() == ["*", "main"]
    return "refused with the reason under the issue; no branch, no file"


@scenario("Request a dataset", attack=True, nightly=True)
def files_that_were_swapped_between_the_jobs_are_refused(made: Bench) -> str:
    """What the reading job hands over was exchanged: a workflow, a recipe.py, a link out of the folder."""
    number, _ = _asked(made, "request", REQUESTED)
    made.hub.pulls.clear()
    (made.folder / "meanwhile").write_text(
        f"set -eu\nrm {made.folder}/meanwhile\ncd {made.artifacts}/request/files\n"
        "mkdir -p .github/workflows\necho 'on: push' > .github/workflows/x.yml\nln -s /etc/passwd feedstocks/passwd\n"
    )
    ran = made.run("request", "issues", opened_event(made, number))
    assert (ran.jobs, made.hub.pulls) == ({"read": "success", "propose": "failure"}, {}), ran.lines
    return "the proposing job is red; nothing is pushed"


@scenario("Link a dataset", nightly=True)
def a_public_store_gets_an_entry_by_pull_request(made: Bench) -> str:
    """The form names a zarr store on a web server."""
    with shelf(made.folder) as server:
        made.environment["BAKEHOUSE_TRUST_HOSTS"] = server.url.removeprefix("http://")
        answers = {"URL": server.address("ice.zarr"), "Title": "Sea ice", "Licence": "CC-BY-4.0", "Contact": "@reader"}
        number, ran = _asked(made, "link", answers)
    assert ran.jobs == {"read": "success", "propose": "success"}, ran.lines
    (pull,) = made.hub.pulls.values()
    assert f"Closes #{number}" in pull["body"]
    entry = json.loads(made.file("catalog/sea-ice/sea-ice.json", pull["head"]["ref"]))
    assert (entry["kind"], entry["license"]) == ("linked", "CC-BY-4.0")
    return "a pull request with `meta.yaml` and the entry, harvested from the store; it closes the issue"


@scenario("Link a dataset", attack=True, nightly=True)
def a_private_address_is_refused_before_it_is_asked(made: Bench) -> str:
    """The form names the metadata address, loopback (this API), a file, and a chained URL."""
    places = [
        "http://169.254.169.254/latest/meta-data/x.zarr", f"{made.hub.url}/x.zarr", "file:///etc/x.zarr",
        "simplecache::file:///etc/x.zarr",
    ]  # fmt: skip
    for place in places:
        answers = {"URL": place, "Title": "Mine", "Licence": "CC0-1.0", "Contact": "@stranger"}
        number, ran = _asked(made, "link", answers, "stranger")
        assert ran.jobs["propose"] == "failure" and len(made.hub.said(number)) == 1, ran.lines
    assert made.hub.pulls == {} and not any("x.zarr" in path for _, path, _ in made.hub.requests)
    return f"refused {len(places)} times, each with the reason under the issue; nothing was asked"
