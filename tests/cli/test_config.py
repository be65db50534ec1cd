"""Settings of pangeo-forge-runner: files in Python and JSON, and traits on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import xarray as xr

from bakehouse.cli.bakeries import place_around
from bakehouse.cli.configured import configured, job_name
from bakehouse.meta.project import Bakery
from bakehouse.storage import Target
from tests.cli.repositories import HEAD, PIPELINE, Repository, document, new_repository, run
from tests.cli.test_bake import _sample
from tests.support.s3 import S3

LOCAL = """\
import os
print("read")
c.Bake.prune = 1
c.Bake.bakery_class = 'pangeo_forge_runner.bakery.local.LocalDirectBakery'
BUCKET_PREFIX = "./pangeo-forge-runner-output"
c.TargetStorage.fsspec_class = "fsspec.implementations.local.LocalFileSystem"
c.TargetStorage.root_path = f"{BUCKET_PREFIX}/output/{{job_name}}"
c.InputCacheStorage.fsspec_class = "fsspec.implementations.local.LocalFileSystem"
c.InputCacheStorage.root_path = f"{BUCKET_PREFIX}/cache/"
"""
BUCKET = """\
c = get_config()
c.Bake.bakery_class = "pangeo_forge_runner.bakery.local.LocalDirectBakery"
c.LocalDirectBakery.num_workers = 0
c.TargetStorage.fsspec_class = "s3fs.S3FileSystem"
args = {{"key": {key!r}, "secret": {secret!r}, "client_kwargs": {{"endpoint_url": {endpoint!r}}}}}
c.TargetStorage.fsspec_args = args
c.TargetStorage.root_path = "{bucket}/rain/"
"""
MISSPELT = """\
c.Bake.bakery_class = "pangeo_forge_runner.bakery.dataflow.DataflowBakery"
c.DataflowBakery.max_workers = 50
c.TargetStore.fsspec_args = {"secret": "hush"}
c.TargetStorage.fsspec_args = "hush"
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return new_repository(tmp_path / "CanopyHeights-GLAD")


def _written(folder: Path, text: str, name: str = "config.py") -> str:
    (folder / name).write_text(text)
    return name


def test_a_file_in_python_says_where_stores_and_copies_lie(away: Path, repository: Repository) -> None:
    result = run("bake", str(repository.root), "-f", _written(away, LOCAL), "--json")
    assert result.exit_code == 0, result.output
    baked = json.loads(result.stdout)
    output = away / "pangeo-forge-runner-output/output/canopyheights-glad"
    (recipe,) = baked["recipes"]
    assert Path(recipe["url"]).parent == output / "CanopyHeights-GLAD/seasons/pruned"
    assert recipe["job_name"] == baked["job_name"] == "canopyheights-glad"
    assert recipe["job_id"] == baked["job_id"] == recipe["version"]
    assert "read" in result.stderr


def test_the_command_line_wins_over_the_file(away: Path, repository: Repository) -> None:
    words = ["-f", _written(away, LOCAL), "--Bake.prune=False", "--Bake.job_name", "Rain.7"]
    (baked,) = document("bake", str(repository.root), *words)["recipes"]
    assert Path(baked["url"]).parents[2] == away / "pangeo-forge-runner-output/output/Rain.7"
    xr.testing.assert_identical(xr.open_zarr(baked["url"]).load(), _sample().load())
    assert document("bake", str(repository.root), *words)["recipes"][0]["status"] == "unchanged"


def test_a_bucket_with_its_credentials_is_written_to(away: Path, repository: Repository, moto: S3) -> None:
    target = Target(moto.url, moto.fsspec_options)
    text = BUCKET.format(bucket=moto.bucket, key=moto.key, secret=moto.secret, endpoint=moto.endpoint)
    (baked,) = document("bake", str(repository.root), "-f", _written(away, text))["recipes"]
    assert baked["url"].startswith(f"s3://{moto.bucket}/rain/CanopyHeights-GLAD/seasons/")
    assert [key for key, _ in target.list() if key.endswith(f"{baked['version']}.zarr/zarr.json")]
    assert moto.secret not in (away / ".bakehouse/catalog/CanopyHeights-GLAD/seasons.json").read_text()


def test_a_file_in_json_says_the_same(away: Path, repository: Repository) -> None:
    both = f"recipes = {{'one': {PIPELINE.format(1)}, '0_25_deg': {PIPELINE.format(2)}}}\n"
    (repository.feedstock / "recipe.py").write_text(HEAD + both)
    meta = repository.feedstock / "meta.yaml"
    meta.write_text(re.sub(r"id: seasons\n    object: .*", "dict_object: 'recipe:recipes'", meta.read_text()))
    settings = {"Bake": {"repo": str(repository.root), "feedstock_subdir": "feedstock", "recipe_id": "0_25_deg"},
                "LocalDirectBakery": {"num_workers": 1}, "MetadataCacheStorage": {"root_path": "old"},
                "TargetStorage": {"root_path": "{job_name}"}}  # fmt: skip
    (baked,) = document("bake", "--config", _written(away, json.dumps(settings), "c.json"))["recipes"]
    assert (baked["recipe"], baked["job_name"]) == ("0_25_deg", "canopyheights-glad")
    result = run("bake", "-f", "c.json", "--Bake.recipe_id=0_25")
    assert (result.exit_code, "did you mean '0_25_deg'?" in result.stderr) == (2, True)


def test_what_nothing_knows_is_refused_with_its_line_and_without_its_value(away: Path, repository: Repository) -> None:
    result = run("bake", str(repository.root), "-f", _written(away, MISSPELT), "--Bake.pruen=True")
    assert result.exit_code == 2
    for words in (
        "4 settings can't be used",
        "config.py:2 DataflowBakery has no 'max_workers'; did you mean 'max_num_workers'?",
        "config.py:3 there is no class 'TargetStore'; did you mean 'TargetStorage'?",
        "config.py:4 TargetStorage.fsspec_args should be a mapping, not of type str",
        "--Bake.pruen Bake has no 'pruen'; did you mean 'prune'?",
    ):
        assert words in result.stderr
    assert "hush" not in result.stderr


@pytest.mark.parametrize(
    "text, where, words",
    [
        ("c.Bake.bakery_class = 'x.FlinkOperatorBakery'", 1, "--Bake.bakery_class=LocalDirectBakery"),
        ("c.Bake.bakery_class = 'x.DataflowBakery'", 1, "workers are on other machines, which can't reach"),
        ("c.Bake.bakery_class = 'x.DirectBakery'", 1, "did you mean 'LocalDirectBakery'?"),
        ("c.Bake.prune = 5", 1, "--prune N"),
        ("c.DataflowBakery.temp_gcs_location = 's3://x'", 1, "should begin with gs://"),
        ("c.TargetStorage.root_path = 'a/{jobname}'", 1, "root_path knows only {job_name}"),
        ("c.TargetStorage.fsspec_class = 'x.S3FileSystem'", 1, "TargetStorage.root_path is missing"),
        ("c.TargetStorage.update(\n  fsspec_class='x.S3FileSystem', root_path='gs://a/b')", 1, "on gs://"),
        ("c.TargetStorage.fsspec_class = 'x.SFTPFileSystem'\nc.TargetStorage.root_path = 'a'", 1, "can't be written"),
        ("import os\n\nkey = os.environ['OSN_LEAP_PIPELINE_KEY']", 3, "environment variable OSN_LEAP_PIPELINE_KEY"),
        ("import nothing_of_that_name", 1, "install 'nothing_of_that_name'"),
        ("c.Bake.prune = (", 1, "SyntaxError"),
    ],
)
def test_what_can_not_be_used_is_named_by_its_line(
    text: str, where: int, words: str, away: Path, repository: Repository
) -> None:
    result = run("bake", str(repository.root), "-f", _written(away, text))
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr
    assert f"config.py:{where}" in result.stderr
    assert not list(away.glob("**/*.zarr"))


@pytest.mark.parametrize("name, text, words", [("c.json", "{", "can't be read"), ("c.json", "[1]", "of the form")])
def test_a_file_of_another_form_is_refused(name: str, text: str, words: str, away: Path) -> None:
    result = run("bake", ".", "-f", _written(away, text, name))
    assert (result.exit_code, words in result.stderr) == (2, True)


def test_a_bakery_and_a_target_exclude_each_other(away: Path, repository: Repository) -> None:
    words = ["--TargetStorage.root_path=x", "--bakery", "local"]
    assert "exclude each other" in run("bake", str(repository.root), *words).stderr


def test_job_names_are_such_as_runners_accept() -> None:
    accepted = re.compile(r"[a-z][-_0-9a-z]{0,62}")
    for name in ("CanopyHeights-GLAD", "GPM_3IMERGDF.07", "0_25_deg", "x" * 200, "-a", "Ω"):
        assert accepted.fullmatch(job_name(name)) and accepted.fullmatch(job_name(name, None, "a recipe"))
    assert job_name("x" * 200) != job_name("x" * 201)


def test_a_word_that_is_no_trait_is_no_option(away: Path) -> None:
    assert run("bake", ".", "--bake.prune=True").exit_code == 2


DATAFLOW = """
c.Bake.bakery_class = "pangeo_forge_runner.bakery.dataflow.DataflowBakery"
c.Bake.container_image = "gcr.io/sea/bakehouse:1"
c.DataflowBakery.project_id = "sea-project"
c.DataflowBakery.temp_gcs_location = "gs://sea-scratch/beam"
c.DataflowBakery.machine_type = "n1-highmem-8"
c.DataflowBakery.max_num_workers = 20
c.DataflowBakery.disk_size_gb = 60
c.DataflowBakery.use_public_ips = False
c.DataflowBakery.use_dataflow_prime = True
c.DataflowBakery.service_account_email = "baker@sea.example"
c.TargetStorage.fsspec_class = "gcsfs.GCSFileSystem"
c.TargetStorage.root_path = "gs://sea/stores/{job_name}"
"""


def test_settings_of_dataflow_make_a_bakery_there(away: Path) -> None:
    own = place_around(None, None, ["./x"])
    found = configured(Path(_written(away, DATAFLOW)), []).place(own, "gpcp")
    said = {
        "project": "sea-project", "region": "us-central1", "temp_location": "gs://sea-scratch/beam",
        "machine_type": "n1-highmem-8", "max_num_workers": 20, "disk_size_gb": 60, "use_public_ips": False,
        "service_account_email": "baker@sea.example", "sdk_container_image": "gcr.io/sea/bakehouse:1",
        "dataflow_service_options": ("enable_prime",),
    }  # fmt: skip
    expected = Bakery.model_validate({"runner": "dataflow", "target": "gs://sea/stores/gpcp", "dataflow": said})
    assert (found.name, found.bakery) == ("DataflowBakery", expected)
