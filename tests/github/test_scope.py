"""Which feedstocks a pull request touches, and what else: told from paths, whatever they are called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.github.changes import scope_between
from bakehouse.github.scope import LABELS, Change, Scope, feedstock_of, judge
from tests.github.repositories import Repository, repository


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return repository(tmp_path / "project")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["feedstocks/sst/meta.yaml", "feedstocks/sst/a/b.py"], ()),
        (["feedstocks/sst/meta.yaml", "README.md", "docs/how-to/x.md", "docs/images/a.png"], ()),
        (["feedstocks/sst/meta.yaml", "feedstocks/ice/meta.yaml"], ("several",)),
        ([".github/workflows/check.yml"], ("workflows",)),
        ([".github/README.md"], ("workflows",)),
        (["meta.yaml"], ("project",)),
        (["catalog/sst/sst.json"], ("catalog",)),
        (["src/bakehouse/x.py"], ("engine",)),
        (["recipes/files_to_zarr.py"], ("engine",)),
        (["docs/generate.py"], ("engine",)),
        (["feedstocks/README.md"], ("engine",)),
        (["feedstocks"], ("engine",)),
        (["Feedstocks/sst/meta.yaml"], ("engine",)),
        (["feedstocks/../src/x.py"], ("engine",)),
        (["feedstocks/sst/../../src/x.py"], ("engine",)),
        (["feedstocks/$(touch x)/meta.yaml"], ("engine", "names")),
        (["feedstocks/sst/$(touch x)"], ("names",)),
        (["feedstocks/sst/a\nb.py"], ("names",)),
        (["feedstocks/sst/ünï.py"], ("names",)),
        (["feedstocks/.hidden/meta.yaml"], ("engine",)),
        ([], ()),
    ],
)  # fmt: skip
def test_what_is_touched_follows_from_the_paths(paths: list[str], expected: tuple[str, ...]) -> None:
    found = judge([Change(path) for path in paths], ["sst", "ice"])
    assert set(found.touched) == set(expected)


@given(st.lists(st.text(max_size=30) | st.sampled_from(["feedstocks/sst/x", "src/x", ".github/x"]), max_size=5))
def test_only_changes_within_one_feedstock_and_texts_are_baked(paths: list[str]) -> None:
    found = judge([Change(path) for path in paths], ["sst"])
    others = [
        path for path in paths if feedstock_of(path) != "sst" and not path.endswith((".md", ".png", ".svg", ".jpg"))
    ]
    assert not (found.bake and others) and found.feedstocks in ((), ("sst",))
    assert all(label in LABELS.values() for label in found.labels)


@pytest.mark.parametrize(
    ("target", "out"),
    [("data.csv", False), ("../sst/data.csv", False), ("../ice/data.csv", True), ("/etc/passwd", True),
     ("../../meta.yaml", True), ("a/../../../..", True), ("..", True), (".", False)],
)  # fmt: skip
def test_a_link_may_only_lead_to_its_own_feedstock(target: str, out: bool) -> None:
    found = judge([Change("feedstocks/sst/link", kind="link", target=target)], ["sst"])
    assert ("links" in found.touched) == out and found.bake == (not out)


def test_a_feedstock_that_is_added_is_baked(repo: Repository) -> None:
    repo.write("feedstocks/sst/meta.yaml")
    repo.commit()
    assert scope_between(repo.root, repo.base) == Scope(("sst",))


def test_what_main_has_meanwhile_is_no_part_of_the_change(repo: Repository) -> None:
    repo.write("feedstocks/sst/meta.yaml")
    head = repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("feedstocks/ice/meta.yaml")
    assert scope_between(repo.root, repo.commit(), head) == Scope(("sst",))


def test_a_renamed_feedstock_is_two(repo: Repository) -> None:
    repo.git("mv", "feedstocks/seasons", "feedstocks/times")
    repo.commit()
    found = scope_between(repo.root, repo.base)
    assert found == Scope(("times",), ("seasons",), ("several", "removed")) and not found.bake


def test_a_removed_feedstock_is_not_baked(repo: Repository) -> None:
    repo.git("rm", "-rq", "feedstocks/seasons")
    repo.commit()
    found = scope_between(repo.root, repo.base)
    assert found == Scope((), ("seasons",), ("removed",)) and not found.bake


def test_a_file_moved_in_from_elsewhere_is_a_change_there(repo: Repository) -> None:
    repo.git("mv", "meta.yaml", "feedstocks/seasons/other.yaml")
    repo.commit()
    assert scope_between(repo.root, repo.base) == Scope(("seasons",), (), ("project",))


def links(repo: Repository) -> None:
    (repo.root / "feedstocks/seasons/data").symlink_to("../../meta.yaml")


def link_as_feedstock(repo: Repository) -> None:
    (repo.root / "feedstocks/other").symlink_to("/etc")


def odd(repo: Repository) -> None:
    for name in ("$(touch x)", "a\nb", "ünï", "`id`", "-rf", '"', "a\tb"):
        repo.write(f"feedstocks/seasons/{name}")


def not_utf8(repo: Repository) -> None:
    with open(bytes(repo.root / "feedstocks/seasons") + b"/\xff\xfe", "w") as file:
        file.write("x")


@pytest.mark.parametrize(
    ("change", "expected"),
    [(links, Scope(("seasons",), (), ("links",))), (link_as_feedstock, Scope((), (), ("engine", "links"))),
     (odd, Scope(("seasons",), (), ("names",))), (not_utf8, Scope(("seasons",), (), ("names",)))],
)  # fmt: skip
def test_links_and_odd_names_are_seen_in_what_git_says(
    repo: Repository, change: Callable[[Repository], None], expected: Scope
) -> None:
    change(repo)
    repo.commit()
    assert scope_between(repo.root, repo.base) == expected


def test_a_repository_within_the_repository_is_not_baked(repo: Repository) -> None:
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.base},feedstocks/seasons/sub")
    repo.git("commit", "-qm", "change")
    assert scope_between(repo.root, repo.base) == Scope(("seasons",), (), ("links",))


def test_the_command_sets_the_outputs_of_its_step(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    repo.git("checkout", "-qb", "$(touch${IFS}x)")
    repo.write("feedstocks/seasons/note.txt")
    repo.commit("`touch x`")
    document = repo.project.document("ci", "scope", "--base", repo.base)
    written = (tmp_path / "output").read_text().splitlines()
    values = dict(zip((line.split("<<")[0] for line in written[::3]), written[1::3], strict=True))
    assert values == {"feedstocks": '["seasons"]', "bake": "true", "labels": "[]"}
    assert document["feedstocks"] == json.loads(values["feedstocks"]) and not (repo.root / "x").exists()


@pytest.mark.parametrize("base", ["0" * 40, "--output=x", "nothing", "HEAD:meta.yaml", ""])
def test_a_base_that_is_no_commit_is_refused(repo: Repository, base: str) -> None:
    result = repo.project.run("ci", "scope", f"--base={base}")
    assert result.exit_code == 2 and "names no commit" in result.stderr and not (repo.root / "x").exists()
