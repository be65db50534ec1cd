"""`bakehouse catalog build` and `serve`: where the pages lie, and what is said of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from bakehouse.cli import main
from bakehouse.site.bundle import Bundle
from bakehouse.site.javascript import node_for
from tests.catalog.samples import stored
from tests.site.kit import shelve

PROJECT = "title: Ours\nbakeries: {local: {target: stores}}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a project with one store in its local catalog."""
    (tmp_path / "meta.yaml").write_text(PROJECT, encoding="utf-8")
    shelve(tmp_path / ".bakehouse/catalog", [stored("oisst/daily", tmp_path / "a.zarr")])
    return tmp_path


def _build(root: Path, *words: str, exit_code: int = 0) -> dict[str, object]:
    done = CliRunner().invoke(main, ["catalog", "build", "--project", str(root), "--json", *words])
    assert done.exit_code == exit_code, done.output
    document: dict[str, object] = json.loads(done.stdout)
    return document


@pytest.fixture
def snippets() -> int:
    """Count the snippets that can be run here: the one in JavaScript takes Node and `make web`."""
    with node_for(Bundle(), ()) as node:
        return 4 if node is None else 5


def test_the_site_of_a_project_lies_in_its_ignored_folder(root: Path, snippets: int) -> None:
    index = root / ".bakehouse/site/index.html"
    said = {"opened": 5} if snippets == 5 else {"opened": 4, "not run": 1}
    assert _build(root)["site"] == {"index": str(index), "entries": 1, "warnings": [], "snippets": said}
    assert "Ours" in index.read_text("utf-8")
    assert (root / ".bakehouse/cache/site.sqlite").is_file()


def test_the_last_line_says_where_the_site_lies(root: Path, snippets: int) -> None:
    done = CliRunner().invoke(main, ["catalog", "build", "--project", str(root), "--run-for", "0"])
    assert done.stdout.splitlines()[-1] == (
        f"site of 1 dataset; snippets: {snippets} unavailable: {root / '.bakehouse/site/index.html'}"
    )


def test_a_catalog_of_no_project_has_its_site_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = shelve(tmp_path / "catalog", [stored("oisst/daily", tmp_path / "a.zarr")])
    done = CliRunner().invoke(main, ["catalog", "build", str(folder), "--run-for", "0"])
    assert done.exit_code == 0 and (tmp_path / "site/index.html").is_file()


def test_a_broken_entry_is_a_warning_of_build_and_a_failure_of_check(root: Path) -> None:
    (root / ".bakehouse/catalog/oisst/daily.json").write_text("{}", encoding="utf-8")
    site = _build(root, "--run-for", "0")["site"]
    assert isinstance(site, dict) and len(site["warnings"]) == 1
    assert CliRunner().invoke(main, ["catalog", "check", "--project", str(root)]).exit_code == 1


def test_an_address_that_is_none_of_the_web_is_refused(root: Path) -> None:
    error = _build(root, "--base-url", "example.org", exit_code=2)["error"]
    assert isinstance(error, dict) and "does not begin with https://" in error["message"]


def test_serving_builds_what_is_not_there_and_ends_when_it_is_interrupted(root: Path) -> None:
    words = [sys.executable, "-m", "bakehouse", "catalog", "serve", "--port", "0", "--project", str(root)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stderr
        line = next(line for line in process.stderr if line.startswith("serving "))
        address = line.split(" at ")[1].split()[0]
        assert b"The title of oisst/daily" in urlopen(address, timeout=30).read()
        assert urlopen(f"{address}stores/oisst/daily/a.zarr/zarr.json", timeout=30).status == 200
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert process.returncode == 130
