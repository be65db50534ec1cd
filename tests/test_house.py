"""The repository itself: what its pages, its lock file and its generated files promise."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REGISTRY_HOST = re.compile(
    r"py[p]i\.org|python[h]osted|npm[j]s\.(org|com)|deb\.[d]ebian\.org|repo1?\.[m]aven|proxy\.[g]olang", re.IGNORECASE
)
PRIVATE_PATH = re.compile(r"(?<![\w.~:/}*-])/(home|root|Users|w[o]rk)/\w")
COMMAND = re.compile(r"(?:^\$ |`)bakehouse ([a-z]+)", re.MULTILINE)
TARGETS = re.compile(r"(?:^\$ |`)(?:PYTHON=\S+ )?make ([a-z ]+?)(?= *(?:#|`|$))", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _files() -> list[Path]:
    """List what is, or is about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def _texts() -> list[tuple[Path, str]]:
    return [(path, path.read_bytes().decode("utf-8", errors="replace")) for path in _files()]


def _pages() -> list[Path]:
    return [path for path in _files() if path.suffix == ".md"]


def _map() -> dict[str, str]:
    """Give the README's map: the first path of each line, and what it says."""
    block = _read(ROOT / "README.md").split("## Map", 1)[1].split("```")[1]
    rows = [line.split(maxsplit=1) for line in block.splitlines()[1:]]
    return {path: text for path, text in rows}


def _locked(name: str) -> str:
    return _read(ROOT / "requirements" / f"{name}.txt")


@pytest.mark.parametrize("pattern", [REGISTRY_HOST, PRIVATE_PATH], ids=["registry host", "path of one machine"])
def test_no_file_names_a(pattern: re.Pattern[str]) -> None:
    found = [f"{path.relative_to(ROOT)}: {hit.group()}" for path, text in _texts() if (hit := pattern.search(text))]
    assert found == []


def test_the_readme_maps_every_top_level_folder() -> None:
    folders = {f"{path.relative_to(ROOT).parts[0]}/" for path in _files() if path.parent != ROOT}
    mapped = {f"{path.split('/')[0]}/" for path in _map()}
    assert folders - mapped == set()


def test_what_the_readme_maps_exists_or_is_planned() -> None:
    absent = [path for path, text in _map().items() if "(planned" not in text and not (ROOT / path).exists()]
    assert absent == []


def test_the_recipe_in_the_readme_is_a_recipe() -> None:
    import apache_beam as beam

    blocks = re.findall(r"```python\n(.*?)```", _read(ROOT / "README.md"), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(next(block for block in blocks if "StoreToZarr" in block), "README.md", "exec"), names)
    assert isinstance(names["recipe"], beam.PTransform)


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in _pages()
        for target in LINK.findall(_read(page))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_of_the_docs_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached: set[Path] = set()
    frontier = [index]
    while frontier:
        page = frontier.pop()
        reached.add(page)
        linked = {(page.parent / target).resolve() for target in LINK.findall(_read(page))}
        frontier += [path for path in linked - reached if path.suffix == ".md" and path.is_relative_to(ROOT / "docs")]
    assert {page for page in _pages() if page.is_relative_to(ROOT / "docs")} - reached == set()


def test_every_how_to_is_in_the_index() -> None:
    index = _read(ROOT / "docs" / "index.md")
    pages = [f"how-to/{path.name}" for path in sorted((ROOT / "docs" / "how-to").glob("*.md"))]
    assert pages and [page for page in pages if f"({page})" not in index] == []


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", _read(ROOT / "Makefile"), re.MULTILINE))
    named = {name for page in _pages() for words in TARGETS.findall(_read(page)) for name in words.split()}
    assert named and named - targets == set()


def test_every_command_that_a_page_names_exists() -> None:
    from bakehouse.cli import main

    named = {name for page in _pages() for line in _read(page).splitlines() if "planned" not in line.lower()
             for name in COMMAND.findall(line)}  # fmt: skip
    assert named and named - set(main.commands) == set()


@pytest.mark.parametrize("lock", sorted(path.stem for path in (ROOT / "requirements").glob("*.txt")))
def test_a_lock_names_no_host_and_no_path_and_hashes_everything(lock: str) -> None:
    lines = [
        line for line in _locked(lock).splitlines() if not re.match(r"#|    # |    --hash=sha256:[0-9a-f]{64}", line)
    ]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[^ /]+( ; [^/]+)? \\", line)] == []
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links|--trusted-host", _locked(lock))


def test_the_lock_holds_what_the_project_asks_for() -> None:
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", _locked("dev"), re.MULTILINE):
        locked.setdefault(name, []).append(version)
    extras = PYPROJECT["project"]["optional-dependencies"]
    asked = [
        Requirement(text)
        for text in PYPROJECT["project"]["dependencies"] + extras["dev"] + extras["grib"] + extras["s3"]
    ]
    wanted = [each for each in asked if each.name != PYPROJECT["project"]["name"]]
    unmet = [
        str(each)
        for each in wanted
        if not any(each.specifier.contains(version) for version in locked.get(canonicalize_name(each.name), []))
    ]
    assert unmet == []


def test_the_wheel_holds_the_engine_and_the_shared_recipes(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    scripts = ROOT / "src/bakehouse/site/web"  # shipped as what `make web` makes of them, if it did
    bundle = [path for path in (ROOT / "src/bakehouse/site/bundle").rglob("*") if path.is_file()]
    sources = [path for path in _files() if path.is_relative_to(ROOT / "src") and not path.is_relative_to(scripts)]
    engine = {path.relative_to(ROOT / "src").as_posix() for path in sources + bundle}
    recipes = {
        f"bakehouse/{path.relative_to(ROOT).as_posix()}" for path in _files() if path.is_relative_to(ROOT / "recipes")
    }
    assert recipes and shipped == engine | recipes


def test_generated_files_equal_their_source() -> None:
    checked = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_test_that_a_guarantee_names_is_there() -> None:
    named = set(
        re.findall(r"`((?:tests|benchmarks)/[\w/]+\.py)(?:::(\w+))?`", _read(ROOT / "docs/explanation/guarantees.md"))
    )
    assert len(named) > 30
    lost = [f"{path}::{test}" for path, test in sorted(named) if not _has(ROOT / path, test)]
    assert lost == []


def _has(path: Path, test: str) -> bool:
    return path.is_file() and (not test or re.search(rf"^def {test}\b", _read(path), re.MULTILINE) is not None)
