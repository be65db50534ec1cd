from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bakehouse.errors import MetaError
from bakehouse.meta.examples import FEEDSTOCK, write_example
from bakehouse.meta.findings import Example, Finding, Link
from bakehouse.meta.lint import lint_feedstock, lint_project
from bakehouse.meta.load import load_feedstock
from bakehouse.meta.rules import RULES

HEAVY = ["apache_beam", "xarray", "zarr", "pandas", "numpy", "dask", "fsspec", "obstore", "pangeo_forge_recipes"]
SCHEMA_LINE = FEEDSTOCK.splitlines()[0]
COPY = RULES["BH422"].good


def shown(findings: list[Finding]) -> list[tuple[str, int, int]]:
    return [(finding.code, finding.line, finding.col) for finding in findings]


def lint(folder: Path, text: str) -> list[Finding]:
    (folder / "meta.yaml").write_text(text, encoding="utf-8")
    return lint_feedstock(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_example(Example(), tmp_path)


def test_every_problem_of_a_feedstock_is_reported_at_once(folder: Path) -> None:
    text = (
        "title: Sea ice\n"
        "titel: Sea ice\n"
        "provenance:\n"
        "  license: CC-BY-4\n"
        "  providers: [{name: X, roles: [maker], url: 'http://example.org'}]\n"
        "maintainers: [{name: Bo, github: '@bo', orcid: 0000-0000-0000-0000}]\n"
        "recipes:\n"
        "  - {id: Demo, object: 'recipe:recpie'}\n"
        "  - {id: demo, recipe: cpoy}\n"
        "stores: [{id: demo, url: ../x.zarr, public: yes}]\n"
    )
    assert shown(lint(folder, text)) == [
        ("BH012", 1, 1),
        ("BH302", 1, 1),
        ("BH101", 2, 1),
        ("BH303", 4, 12),
        ("BH307", 5, 33),
        ("BH312", 5, 46),
        ("BH309", 6, 34),
        ("BH308", 6, 48),
        ("BH204", 8, 10),
        ("BH403", 8, 24),
        ("BH107", 9, 10),
        ("BH421", 9, 24),
        ("BH201", 10, 26),
        ("BH007", 10, 45),
    ]


def test_parameters_are_checked_where_they_stand(tmp_path: Path) -> None:
    folder = write_example(COPY, tmp_path)
    text = (folder / "meta.yaml").read_text().partition("recipes:")[0]
    text += """\
recipes:
  - id: demo
    recipe: copy
    with:
      pattern:
        url: 'https://example.org/{time:%Y}.nc'
        concat: {time: {start: 2006-04, end: 2001-13, freq: MS, steps: 1}}
        file_tpye: grib
  - id: other
    recipe: copy
  - id: third
    recipe: copy
    with: {pattern: {files: [/data/a.nc, 'http://example.org/b.nc'], concat: time}}
"""
    assert shown(lint(folder, text)) == [
        ("BH103", 14, 46),
        ("BH101", 14, 65),
        ("BH101", 15, 9),
        ("BH102", 16, 5),
        ("BH201", 20, 30),
        ("BH312", 20, 42),
    ]


def test_a_fixture_is_found_beside_meta_yaml_or_from_the_projects_root(folder: Path) -> None:
    module = folder.parents[1] / "tests" / "support" / "generators"
    module.mkdir(parents=True)
    (module / "__init__.py").write_text("from . import files\n\n\ndef oisst(): ...\n")
    assert lint(folder, f"{FEEDSTOCK}fixture: tests.support.generators:oisst\n") == []
    assert lint(folder, f"{FEEDSTOCK}fixture: recipe:recipe\n") == []
    assert lint(folder, f"{FEEDSTOCK}fixture: noaa-oisst\n") == []
    assert shown(lint(folder, f"{FEEDSTOCK}fixture: tests.support.generators:oist\n")) == [("BH403", 10, 10)]
    assert shown(lint(folder, f"{FEEDSTOCK}fixture: tests.support.generator:oisst\n")) == [("BH401", 10, 10)]


@pytest.mark.parametrize(
    "recipe",
    [
        "from helpers import *\n",
        "globals()['recipe'] = 1\n",
        "def __getattr__(name): return 1\n",
        "if True:\n    recipe = 1\nelse:\n    recipe = 2\n",
        "a, (recipe, b) = 1, (2, 3)\n",
        "recipe: object = 1\n",
        "import somewhere as recipe\n",
        "with open('x') as f:\n    recipe = 1\n",
        "try:\n    pass\nexcept E:\n    recipe = 1\n",
        "class recipe: ...\n",
        "(recipe := 1)\n",
    ],
)
def test_whatever_may_define_the_export_is_accepted(folder: Path, recipe: str) -> None:
    (folder / "recipe.py").write_text(recipe)
    assert lint_feedstock(folder) == []


@pytest.mark.parametrize("recipe", ["def f():\n    recipe = 1\n", "x.recipe = 1\n", "print(recipe)\n", ""])
def test_names_that_are_not_at_the_top_are_no_exports(folder: Path, recipe: str) -> None:
    (folder / "recipe.py").write_text(recipe)
    assert [finding.code for finding in lint_feedstock(folder)] == ["BH403"]


def test_a_syntax_error_in_a_recipe_is_named_with_its_line(folder: Path) -> None:
    (folder / "recipe.py").write_text("a = 1\ndef recipe(:\n    pass\n")
    (finding,) = lint_feedstock(folder)
    assert (finding.path, finding.line, finding.code) == ("feedstocks/demo/recipe.py", 2, "BH402")


@pytest.mark.parametrize(
    "secret",
    [
        "contact: {password: hunter2}",
        "contact: {aws_secret_access_key: abcdefghij}",
        "contact: {storage_options: {key: abcdefghij}}",
        "# token AKIAIOSFODNN7EXAMPLE",
        "links: [{label: a, url: 'https://ada:hunter2@example.org/'}]",
        "citation: '-----BEGIN RSA PRIVATE KEY-----'",
        "contact: https://example.org/a?X-Amz-Signature=0123456789abcdef",
    ],
)
def test_credentials_are_found_and_not_repeated(folder: Path, secret: str) -> None:
    findings = lint(folder, f"{FEEDSTOCK}{secret}\n")
    assert [finding.code for finding in findings] == ["BH313"]
    assert "hunter2" not in str(findings) and "IOSFODNN7" not in str(findings) and "abcdef" not in str(findings)


def test_credentials_are_found_in_recipes_too(folder: Path) -> None:
    (folder / "recipe.py").write_text("recipe = None\nKEY = 'AKIAIOSFODNN7EXAMPLE'\n")
    assert [(f.path, f.line, f.code) for f in lint_feedstock(folder)] == [("feedstocks/demo/recipe.py", 2, "BH313")]


@pytest.mark.parametrize(
    "harmless",
    [
        "contact: {token: $DATA_TOKEN}",
        "contact: {storage_options: {token: google_default, anon: true}}",
        "citation: 'https://example.org:8080/a@b'",
        "tags: [key, secret, token]",
    ],
)
def test_what_only_resembles_a_credential_is_left_alone(folder: Path, harmless: str) -> None:
    assert lint(folder, f"{FEEDSTOCK}{harmless}\n") == []


def test_nothing_is_read_through_links_that_lead_out(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "meta.yaml").write_text("title: AKIAIOSFODNN7EXAMPLE\n")
    root = tmp_path / "project"
    folder = write_example(Example(files={"meta.yaml": Link("../../../outside/meta.yaml")}), root)
    assert [(f.code, f.path) for f in lint_feedstock(folder)] == [("BH202", "feedstocks/demo/meta.yaml")]
    with pytest.raises(MetaError, match="BH202"):
        load_feedstock(folder)
    (folder.parent / "linked").symlink_to(tmp_path / "outside")
    with pytest.raises(MetaError, match="BH202"):
        load_feedstock(folder.parent / "linked")
    assert [(f.code, f.path) for f in lint_project(root)] == [
        ("BH202", "feedstocks/demo/meta.yaml"),
        ("BH202", "feedstocks/linked"),
        ("BH202", "feedstocks/linked/meta.yaml"),
    ]


def test_a_projects_own_file_is_linted(tmp_path: Path) -> None:
    write_example(Example(), tmp_path)
    (tmp_path / "meta.yaml").write_text(
        "title: Demo\n"
        "bakeries:\n"
        "  local: {taget: x, storage_options: {secret: abc}}\n"
        "  other: {target: ../x, workers: 0}\n"
    )
    assert shown(lint_project(tmp_path)) == [
        ("BH012", 1, 1),
        ("BH102", 3, 10),
        ("BH101", 3, 11),
        ("BH313", 3, 47),
        ("BH201", 4, 19),
        ("BH103", 4, 34),
    ]


def test_a_repository_of_one_feedstock_is_linted_as_it_is(tmp_path: Path) -> None:
    inner = tmp_path / "demo" / "feedstock"
    inner.mkdir(parents=True)
    (inner / "recipe.py").write_text("recipe = None\n")
    (inner / "meta.yaml").write_text(FEEDSTOCK.partition("\n")[2])
    assert lint_project(tmp_path / "demo") == lint_feedstock(tmp_path / "demo") == []


def test_the_engines_own_recipes_can_be_linted_without_their_libraries() -> None:
    root = Path(__file__).parents[2]
    codes = [f for f in lint_project(root) if f.code in ("BH402", "BH423", "BH424")]
    assert codes == []


def test_lint_imports_nothing_heavy(tmp_path: Path) -> None:
    write_example(COPY, tmp_path)
    code = (
        "import sys; from pathlib import Path; from bakehouse.meta.lint import lint_project;"
        " assert lint_project(Path(sys.argv[1])) == [];"
        f" print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


FRAGMENTS = """
[] | {} | null | true | 1 | x | [x] | [1] | [{}] | [[]] | [null] | {a: b} | [{id: x}] | [{id: [x]}] | {providers: x}
{providers: [x]} | {license: []} | {license: x} | {license: (} | {license_link: x}
{providers: [{name: x, roles: [[]]}]}
[{name: x, github: 1, orcid: 0000}] | [{name: x, orcid: 0000-0000-0000-000٣}] | {dict_object: []} | .. | / | ~ | 0o7
[{id: x, recipe: copy, with: [1]}] | [{id: x, recipe: copy, with: {pattern: {url: 1, concat: [x], merge: {a: }}}}]
[{recipe: copy, with: {pattern: {files: x}}}] | [{recipe: [], object: [], id: {}}] | [{url: [x]}] | x:y:z | :: | ://@:/
[{id: a, url: "http://["}] | [{id: a, url: "package://"}] | 1e999 | 2006-04 | "http://[" | [{url: "http://[::"}] | a:b
"""
KEYS = ["title", "description", "provenance", "maintainers", "recipes", "stores", "fixture", "update", "tags", "links"]
TEXTS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(re.split(r" \| |\n", FRAGMENTS.strip())))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.text(max_size=20))
def test_no_text_makes_lint_or_load_fail_in_any_other_way(tmp_path: Path, values: dict[str, str], tail: str) -> None:
    folder = write_folder(tmp_path)
    text = "".join(f"{key}: {value}\n" for key, value in values.items()) + tail
    (folder / "meta.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    findings = lint_feedstock(folder)
    assert findings == sorted(findings)
    try:
        load_feedstock(folder)
    except MetaError as error:
        assert {line.split(" ")[1] for line in error.message.splitlines()[1:]} <= {f.code for f in findings}


def write_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "feedstocks" / "demo"
    return folder if folder.exists() else write_example(COPY, tmp_path)
