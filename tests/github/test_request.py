"""Issue forms that become pull requests: every word of theirs is a stranger's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.catalog.entry import Check, Entry, Facts, Maintainer, Store
from bakehouse.github.asking import answer
from bakehouse.github.forms import REQUEST, RefusedRequestError, answers
from bakehouse.github.markdown import GAP
from bakehouse.meta.load import load_feedstock
from tests.github.baker import Baker, git
from tests.github.standin import GitHub
from tests.github.test_untrusted_text import MENTION, by_markdown_it
from tests.plan.samples import sea
from tests.support.http import Server

ASKED = {
    "Name": "Sea ice: daily", "URL": "https://example.org/ice", "Description": "Where the ice is.", "Size": "12 GB",
    "Licence": "cc-by-4.0", "Format": "NetCDF", "Location": "https://example.org/ice_{time:%Y%m%d}.nc",
    "Organization": "Ice centre", "Examples": "", "Authorization": "Nothing",
}  # fmt: skip


def body(said: Mapping[str, str]) -> str:
    """Write the body of an issue as GitHub makes it of a form."""
    return "\n\n".join(f"### {label}\n\n{text or '_No response_'}" for label, text in said.items())


def ask(baker: Baker, hub: GitHub, text: str, label: str = "request-dataset", exit_code: int = 0) -> tuple[Path, Any]:
    """Open an issue, and let the job read it; give what it wrote, and the event's path."""
    number = hub.add_issue("Request: x", text, "josiah", (label,))
    return read(baker, {"action": "opened", "issue": hub.issues[number]}, exit_code)


def read(baker: Baker, event: Any, exit_code: int = 0) -> tuple[Path, Any]:
    path, out = baker.folder / "event.json", baker.folder / "request"
    path.write_text(json.dumps(event))
    baker.environment.update(GITHUB_EVENT_PATH=str(path))
    return out, baker.document("request", "--out", str(out), exit_code=exit_code, GITHUB_EVENT_PATH=str(path))


def propose(baker: Baker, folder: Path, exit_code: int = 0) -> Any:
    event = baker.environment["GITHUB_EVENT_PATH"]
    return baker.document("propose", "--request", str(folder), exit_code=exit_code, GITHUB_EVENT_PATH=event)


def test_a_request_becomes_a_draft_with_its_meta_filled_in(baker: Baker, hub: GitHub) -> None:
    folder, _ = ask(baker, hub, body(ASKED))
    said = propose(baker, folder)
    text = git(baker.remote, "show", "bakehouse/request-1:feedstocks/sea-ice-daily/meta.yaml")
    assert yaml.safe_load(text) == {
        "title": "Sea ice: daily",
        "description": "Where the ice is.",
        "provenance": {
            "providers": [{"name": "Ice centre", "roles": ["producer"], "url": "https://example.org/ice"}],
            "license": "CC-BY-4.0",
        },
        "maintainers": [{"name": "josiah", "github": "josiah"}],
        "links": [{"label": "About the data", "url": "https://example.org/ice"}],
        "recipes": [
            {"id": "sea-ice-daily", "recipe": "files_to_zarr", "with": {"pattern": {
                "url": "https://example.org/ice_{time:%Y%m%d}.nc",
                "concat": {"time": {"start": None, "end": None, "freq": "D"}},
            }}}
        ],
    }  # fmt: skip
    pull = hub.pulls[said["pull_request"]]
    assert (pull["title"], pull["draft"], pull["base"]["ref"]) == ("Add sea-ice-daily: Sea ice: daily", True, "main")
    assert pull["body"].endswith("Closes #1")
    assert "**Size**" in pull["body"] and "12 GB" in pull["body"]
    assert f"#{said['pull_request']} proposes it." in hub.said(1)[0]


def test_an_issue_that_is_edited_changes_its_pull_request(baker: Baker, hub: GitHub) -> None:
    propose(baker, ask(baker, hub, body(ASKED))[0])
    hub.issues[1]["body"] = body({**ASKED, "Name": "Sea ice", "Id": "sea-ice-daily"})
    folder, _ = read(baker, {"action": "edited", "issue": hub.issues[1]})
    propose(baker, folder)
    assert [each["title"] for each in hub.pulls.values()] == ["Add sea-ice-daily: Sea ice"]
    assert len(hub.said(1)) == 1


def test_work_on_a_draft_outlives_whatever_becomes_of_its_issue(baker: Baker, hub: GitHub) -> None:
    propose(baker, ask(baker, hub, body(ASKED))[0])
    mine = baker.folder / "mine"
    git(baker.folder, "clone", "--quiet", "--branch", "bakehouse/request-1", str(baker.remote), str(mine))
    (mine / "feedstocks/sea-ice-daily/recipe.py").write_text("# hours of work\n")
    git(mine, "add", "--all")
    git(mine, "commit", "--quiet", "--message", "Write the recipe")
    git(mine, "push", "--quiet", "origin", "HEAD")
    tip = git(baker.remote, "rev-parse", "bakehouse/request-1")
    hub.issues[1]["body"] = body({**ASKED, "Name": "Something else", "Id": "sea-ice-daily"})
    folder, _ = read(baker, {"action": "edited", "issue": hub.issues[1]})
    propose(baker, folder, exit_code=1)
    assert git(baker.remote, "rev-parse", "bakehouse/request-1") == tip
    assert [each["title"] for each in hub.pulls.values()] == ["Add sea-ice-daily: Sea ice: daily"]
    assert "the pull request is worked on" in hub.said(1)[0]


HOSTILE = {
    "a second heading": ({}, "\n\n### URL\n\nhttps://evil.example.org", "the heading 'URL' is there twice"),
    "an id that leads out": ({"Id": "../../.github/workflows/x"}, "", "can't be the id of a feedstock"),
    "an id of dots": ({"Id": "a..b"}, "", "can't be the id of a feedstock"),
    "an id that is taken": ({"Id": "sst"}, "", "there is a feedstock 'sst' already"),
    "an id that is an option": ({"Id": "--help"}, "", "can't be the id"),
    "a file": ({"URL": "file:///etc/passwd"}, "", "can't be read from"),
    "a credential": ({"Location": "https://me:pw@example.org/{time:%Y}.nc"}, "", "it holds a credential"),
    "a chain": ({"Location": "simplecache::s3://bucket/a.nc"}, "", "it chains file systems"),
    "a folder above": ({"Location": "https://example.org/../{time:%Y}.nc"}, "", "leads out of a folder"),
    "an attribute": ({"Location": "https://example.org/{time.__class__}.nc"}, "", "can't be read"),
    "two lines": ({"Name": "x\nrecipes: [{id: a, object: 'os:system'}]"}, "", "has several lines"),
    "hidden text": ({"Name": "Sea\u202eice"}, "", "can't be seen"),
    "a title without end": ({"Name": "x" * 201}, "", "201 characters"),
    "nothing": (dict.fromkeys(ASKED, ""), "", "the form leaves out: Name, URL, Description"),
    "a book": ({}, "x" * 70_000, "characters"),
}


@pytest.mark.parametrize(("said", "more", "why"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_honest_request_is_answered_with_the_reason(
    baker: Baker, hub: GitHub, said: dict[str, str], more: str, why: str
) -> None:
    folder, document = ask(baker, hub, body({**ASKED, **said}) + more, exit_code=1)
    assert why in document["refusal"]["message"]
    assert not (folder / "files").exists()
    propose(baker, folder, exit_code=1)
    assert hub.pulls == {}
    page = by_markdown_it(hub.said(1)[0])
    assert why.replace("'", "") in page.text.replace("'", "").replace("\u200b", "")
    assert git(baker.remote, "branch", "--list").split() == ["*", "main"]


NASTY = 'x" recipes: ] }} @everyone <script>alert(1)</script> ](javascript:x) `$(touch x)` ${{ github.token }} #1'


def test_whatever_a_title_says_it_is_a_title(baker: Baker, hub: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(baker.folder)
    said = {**ASKED, "Name": NASTY, "Description": f"{NASTY}\n- a\n# b\nstores: []", "Organization": NASTY, "Id": "ice"}
    folder, _ = ask(baker, hub, body({**said, "Comments": NASTY, "Size": "title: x"}))
    propose(baker, folder)
    meta = load_feedstock_at(git(baker.remote, "show", "bakehouse/request-1:feedstocks/ice/meta.yaml"), baker.folder)
    assert (meta.title, len(meta.recipes), meta.stores) == (NASTY, 1, ())
    pull = hub.pulls[2]
    page = by_markdown_it(pull["body"])
    assert set(page.tags) <= {"p", "pre", "code", "strong"}
    assert not MENTION.search(page.outside_code)
    assert not MENTION.search(pull["title"])
    assert not (baker.folder / "x").exists()


def test_a_title_closes_no_issue_once_it_is_part_of_a_merge(baker: Baker, hub: GitHub) -> None:
    propose(baker, ask(baker, hub, body({**ASKED, "Name": "Ice, fixes #12", "Id": "ice"}))[0])
    assert hub.pulls[2]["title"] == f"Add ice: Ice, fixes #{GAP}12"


def load_feedstock_at(text: str, folder: Path) -> Any:
    place = folder / "read" / "ice"
    place.mkdir(parents=True)
    (place / "meta.yaml").write_text(text)
    return load_feedstock(place)


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp")), min_size=1, max_size=60)


@given(TEXTS, TEXTS)
def test_any_title_and_organization_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, organization: str
) -> None:
    out = tmp_path_factory.mktemp("asked")
    said = {**ASKED, "Name": name, "Organization": organization, "Id": "ice"}
    issue = {"number": 3, "body": body(said), "labels": [{"name": "request-dataset"}], "user": {"login": "ada"}}
    made = answer({"issue": issue}, out, out)
    if made.refusal is None:
        meta = load_feedstock(out / "files/feedstocks/ice")
        assert meta.title == name.strip()
        assert meta.provenance is not None
        assert [each.name for each in meta.provenance.providers] == [organization.strip()]


def test_headings_that_are_not_the_forms_belong_to_the_answer() -> None:
    found = answers(body({"Description": "one\n\n### Two\n\nthree", "Size": "4"}), REQUEST)
    assert (found["Description"], found["Size"]) == ("one\n\n### Two\n\nthree", "4")
    with pytest.raises(RefusedRequestError):
        found.insist("URL")


LINKED = """\
title: Sea ice
provenance: {license: CC-BY-4.0}
maintainers: [{name: ada, github: ada}]
recipes: [{id: ice}]
stores: [{id: ice, url: "https://data.example.org/ice.zarr"}]
"""


def linked(**said: Any) -> dict[str, Any]:
    store = Store(url="https://data.example.org/ice.zarr", zarr_format=3, consolidated=True)
    entry = Entry(
        feedstock="ice", recipe="ice", kind="linked", title="Sea ice", license="CC-BY-4.0", store=store,
        maintainers=(Maintainer(name="ada", github="ada"),), facts=Facts(bytes_decoded=10),
        check=Check(level="reachable"),
    )  # fmt: skip
    return {**json.loads(entry.to_json()), **said}


def hand_over(
    baker: Baker, hub: GitHub, entry: dict[str, Any] | None, meta: str = LINKED, kind: str = "link", **said: Any
) -> Path:
    """Write what a job that read strangers' data may have written."""
    number = hub.add_issue("Link: ice", "…", "ada", ("link-dataset",))
    event, folder = baker.folder / "event.json", baker.folder / "request"
    event.write_text(json.dumps({"issue": hub.issues[number]}))
    baker.environment.update(GITHUB_EVENT_PATH=str(event))
    (folder / "files/feedstocks/ice").mkdir(parents=True)
    (folder / "files/feedstocks/ice/meta.yaml").write_text(meta)
    if entry:
        path = folder / f"files/catalog/{entry['feedstock']}/{entry['recipe']}.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(entry))
    document = {"schema_version": 1, "kind": kind, "number": 1, "feedstock": "ice", "title": "Sea ice", **said}
    (folder / "request.json").write_text(json.dumps(document))
    return folder


def test_a_link_becomes_a_pull_request_with_entry_and_index(baker: Baker, hub: GitHub) -> None:
    propose(baker, hand_over(baker, hub, linked()))
    branch = "bakehouse/link-1"
    assert baker.published("catalog/ice/ice.json", branch) == linked()
    assert [each["bakehouse:id"] for each in baker.published("catalog/catalog.json", branch)["links"][1:]] == [
        "ice/ice"
    ]
    assert git(baker.remote, "show", f"{branch}:feedstocks/ice/meta.yaml") == LINKED
    assert (hub.pulls[2]["title"], hub.pulls[2]["draft"]) == ("Link ice: Sea ice", False)
    assert hub.pulls[2]["body"].endswith("Closes #1")


def test_which_issue_it_is_about_is_not_believed_to_a_job_that_read_strangers_data(baker: Baker, hub: GitHub) -> None:
    other = hub.add_issue("Something else")
    propose(baker, hand_over(baker, hub, linked(), number=other))
    assert hub.said(other) == []
    assert hub.pulls[3]["body"].endswith("Closes #2")


FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "code": ({"meta": LINKED.replace("{id: ice}", "{id: ice, object: 'recipe:recipe'}")}, "no recipe"),
    "a shared recipe": ({"meta": LINKED.replace("{id: ice}", "{id: ice, recipe: files_to_zarr}")}, "no recipe"),
    "a fixture": ({"meta": LINKED + "fixture: 'os:system'\n"}, "no recipe"),
    "a key that nobody knows": ({"meta": LINKED + "evil: 1\n"}, "can't be used"),
    "no YAML": ({"meta": "{" * 1000}, "can't be used"),
    "Python in YAML": ({"meta": "title: !!python/object/apply:os.system [id]\n"}, "can't be used"),
    "a baked entry": ({"entry": linked(kind="baked", version="1", check={"level": "full"})}, "it is baked"),
    "another store": ({"entry": linked(store={**linked()["store"], "url": "https://evil.example.org"})}, "its store"),
    "another title": ({"entry": linked(title="Evil")}, "its title"),
    "a check that no link makes": ({"entry": linked(check={"level": "full"})}, "its check is 'full'"),
    "another dataset's name": ({"entry": linked(aliases=["oisst.zarr"])}, "no link says its aliases"),
    "a DOI": ({"entry": linked(doi="10.1000/evil")}, "no link says its doi"),
    "versions before": (
        {"entry": linked(previous=[{"version": "0", "url": "https://evil.example.org"}])}, "no link says its previous"
    ),
    "another feedstock's entry": ({"entry": linked(feedstock="sst", id="sst/ice")}, "no business there"),
    "no entry": ({"entry": None}, "a link comes with entries"),
    "a taken id": ({"feedstock": "sst"}, "already"),
    "an id that leads out": ({"feedstock": "../x"}, "not a request"),
    "an unknown kind": ({"kind": "evil"}, "not a request"),
    "a local store": (
        {"meta": LINKED.replace("https://data.example.org", "file:///data"),
         "entry": linked(store={"url": "file:///data/ice.zarr", "zarr_format": 3, "consolidated": True})}, "its store"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "why"), FORGED.values(), ids=FORGED)
def test_files_that_such_a_job_may_not_make_are_refused(
    baker: Baker, hub: GitHub, said: dict[str, Any], why: str
) -> None:
    document = propose(baker, hand_over(baker, hub, **{"entry": linked(), **said}), exit_code=1)
    assert why in document["refused"] + " ".join(hub.said(1)).replace("&#39;", "'")
    assert hub.pulls == {}
    assert git(baker.remote, "branch", "--list").split() == ["*", "main"]


@pytest.mark.parametrize(
    "name", [".github/workflows/x.yml", "feedstocks/ice/recipe.py", "feedstocks/sst/meta.yaml", "meta.yaml"]
)
def test_no_other_file_is_proposed(baker: Baker, hub: GitHub, name: str) -> None:
    folder = hand_over(baker, hub, linked())
    (folder / "files" / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "files" / name).write_text("x")
    assert "no business there" in propose(baker, folder, exit_code=1)["refused"]


def test_links_on_the_disk_are_not_followed(baker: Baker, hub: GitHub) -> None:
    folder = hand_over(baker, hub, linked())
    path = folder / "files/feedstocks/ice/meta.yaml"
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert "not a plain file" in propose(baker, folder, exit_code=1)["refused"]


def test_a_job_that_left_nothing_is_told_of(baker: Baker, hub: GitHub) -> None:
    folder = hand_over(baker, hub, linked())
    (folder / "request.json").unlink()
    propose(baker, folder, exit_code=1)
    assert "Nothing could be made of this yet." in hub.said(1)[0]


ASKED_LINK = {"Title": "Sea ice", "Licence": "CC-BY-4.0", "Contact": "@ada", "Id": "ice", "Comments": "It is mine."}


def ask_link(baker: Baker, hub: GitHub, url: str, exit_code: int = 0, **said: str) -> tuple[Path, Any]:
    return ask(baker, hub, body({"URL": url, **ASKED_LINK, **said}), "link-dataset", exit_code)


def test_a_store_that_the_form_names_is_linked(baker: Baker, hub: GitHub, http_server: Server) -> None:
    sea(0, 4).to_zarr(http_server.folder / "ice.zarr", zarr_format=3, consolidated=True)
    baker.environment.update(BAKEHOUSE_TRUST_HOSTS=http_server.url.removeprefix("http://"))
    folder, _ = ask_link(baker, hub, f"{http_server.url}/ice.zarr")
    propose(baker, folder)
    entry = baker.published("catalog/ice/ice.json", "bakehouse/link-1")
    assert (entry["kind"], entry["title"], entry["license"]) == ("linked", "Sea ice", "CC-BY-4.0")
    assert entry["maintainers"] == [{"name": "ada", "github": "ada"}]
    assert entry["facts"]["dims"]["time"]["size"] == 4
    assert "It is mine." in hub.pulls[2]["body"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("{}/ice.zarr", "127.0.0.1 is loopback"),
        pytest.param("http://169.254.169.254/latest", "169.254.169.254 is", marks=pytest.mark.nightly),
        pytest.param("http://10.0.0.1/a.zarr", "10.0.0.1 is", marks=pytest.mark.nightly),
    ],
)
def test_a_store_in_a_private_network_is_refused_without_a_connection(
    baker: Baker, hub: GitHub, http_server: Server, url: str, why: str
) -> None:
    folder, document = ask_link(baker, hub, url.format(http_server.url), exit_code=1)
    assert why in document["refusal"]["message"]
    assert not (folder / "files").exists()
    assert http_server.requests() == []


def test_a_dispatch_is_read_as_a_form_is(baker: Baker, hub: GitHub, http_server: Server) -> None:
    inputs = {"url": "file:///etc/passwd", "title": "x", "license": "CC0-1.0", "contact": "@ada", "id": ""}
    _, document = read(baker, {"inputs": inputs}, exit_code=1)
    assert "can't be read from" in document["refusal"]["message"]
