"""Who reviews what."""

from __future__ import annotations

from pathlib import Path

from bakehouse.github.owners import PATH, owners_text
from tests.github.baker import Baker

ROOT = Path(__file__).resolve().parents[2]


def test_this_projects_owners_are_those_that_its_meta_names() -> None:
    assert (ROOT / PATH).read_text() == owners_text(ROOT)


def test_everything_has_an_owner_and_workflows_are_the_projects(tmp_path: Path) -> None:
    made = Baker(tmp_path).start()
    for name, people in {"ice": "[{name: A, github: ada}, {name: T, github: org/sea-ice}]", "wind": "[]"}.items():
        folder = made.root / "feedstocks" / name
        folder.mkdir()
        (folder / "meta.yaml").write_text(f"title: {name}\nmaintainers: {people}\n")
    (made.root / "feedstocks/evil x @mallory").mkdir()
    made.run("owners")
    assert (made.root / ".github/CODEOWNERS").read_text().splitlines()[1:] == [
        "*                 @bakers",
        "/feedstocks/ice/  @ada @org/sea-ice",
        "/feedstocks/sst/  @jcarberry",
        "/feedstocks/wind/ @bakers",
        "/.github/         @bakers",
        "/meta.yaml        @bakers",
    ]
    assert made.document("owners", "--check")["same"] is True
    (made.root / ".github/CODEOWNERS").write_text("* @mallory\n")
    made.run("owners", "--check", exit_code=1)


def test_a_project_whose_workflows_nobody_would_review_is_refused(tmp_path: Path) -> None:
    made = Baker(tmp_path).start()
    meta = made.root / "meta.yaml"
    meta.write_text(meta.read_text().partition("defaults:")[0])
    assert "nobody owns .github/" in made.run("owners", exit_code=1).stderr
