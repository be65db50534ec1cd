"""A bake as a job on Dataflow: what is submitted, what is shipped, and the store that comes of it."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.bakeries.dataflow import waiting
from bakehouse.bakeries.dataflow.wheel import pack_wheel
from bakehouse.catalog.entry import Entry
from bakehouse.feedstock.shipped import shipped_requirements
from bakehouse.storage import Target
from tests.cli.growing import growing
from tests.cli.projects import Project
from tests.cli.test_bake import _sample
from tests.dataflow.cloud import BUCKET, Cloud, ends_as, stays
from tests.dataflow.worker import load
from tests.support.s3 import S3

BAKE = ("bake", "seasons", "--bakery", "cloud")
SOURCE = """Error message from worker: Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1495, in process
bakehouse.errors.SourceError: SourceError: the input is not there
  where: seasons, input time=1 (https://example.org/1.nc)
  fix:   check the address [while running 'Create|OpenURLWithFSSpec-ptransform-36']
"""


def entry_of(project: Project) -> Entry:
    path = project.catalog / "seasons" / "seasons.json"
    return Entry.from_json(path.read_bytes(), str(path))


def test_a_job_that_was_lost_out_of_sight_is_finished_by_its_id(
    project: Project, cloud: Cloud, moto: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOST_S", 0.3)
    cloud.broken = lambda method, path: 503 if method == "GET" and path.startswith("/v1b3") and cloud.jobs else 0
    lost = project.document(*BAKE, exit_code=1)["recipes"][0]
    (job,) = cloud.jobs.values()
    assert (lost["ok"], lost["error"]["error"]) == (False, "LostJobError")
    assert job["id"] in lost["error"]["message"] and "bakehouse bake seasons --bakery cloud" in lost["error"]["fix"]
    assert not (project.catalog / "seasons").exists()

    cloud.broken = lambda method, path: 0
    cloud.wait("DONE")
    baked = project.document(*BAKE, "--job-id", job["id"])["recipes"][0]
    assert list(cloud.jobs) == [job["id"]]
    assert (baked["status"], baked["job_id"], baked["job_name"]) == ("published", job["id"], job["name"])
    entry = entry_of(project)
    run = entry.provenance.run
    assert run is not None and (run.runner, run.cost_usd) == ("dataflow", pytest.approx(0.1596, abs=1e-3))
    assert (entry.check.level, entry.store.url) == ("full", baked["url"])
    assert baked["url"].startswith(f"{moto.url}/stores/seasons/seasons/")
    found = xr.open_zarr(baked["url"], chunks=None, storage_options=moto.fsspec_options)
    xr.testing.assert_identical(found.load(), _sample().load())
    target = Target(f"{moto.url}/stores/seasons/seasons", {"endpoint_url": moto.endpoint})
    assert [key for key, _ in target.list() if key.startswith((".runs", ".staging"))] == []

    again = project.run(*BAKE, "--job-id", job["id"])
    assert (again.exit_code, "was finished before" in again.stderr) == (1, True), again.output


def test_a_job_s_graph_is_complete_and_what_it_names_was_staged(project: Project, cloud: Cloud, tmp_path: Path) -> None:
    cloud.act = ends_as("CANCELLED")
    (project.root / "feedstocks/seasons/requirements.txt").write_text("tqdm>=4\napache-beam[gcp]\nzarr==2.0\n")
    project.run(*BAKE)
    (job,) = cloud.jobs.values()
    _check_job(job)
    graph = load(cloud.graph_of(job))
    names = {transform.unique_name for transform in graph.components.transforms.values()}
    steps = ("Describe", "Plan", "Split", "Tile", "Route", "Gather", "Write", "Compare", "Candidate")
    assert {step for step in steps if not any(name.endswith(f"StoreToZarr/{step}") for name in names)} == set()
    _check_shipment(cloud, job, tmp_path)

    job.update(labels={}, currentState="JOB_STATE_RUNNING")  # somebody else's, of the same name
    (said,) = project.document(*BAKE, exit_code=1)["recipes"]
    assert (said["error"]["error"], list(cloud.jobs)) == ("JobError", [job["id"]])
    assert said["error"]["message"] == f"a Dataflow job '{job['name']}' is running"


def _check_job(job: dict[str, Any]) -> None:
    """Compare what the job says of itself with what the bakery says."""
    assert job["name"].startswith("seasons-") and job["type"] == 1  # batch
    labels = dict(job["labels"])
    assert labels.pop("bakehouse-run").startswith("run-")
    assert labels == {"bakehouse-feedstock": "seasons", "bakehouse-recipe": "seasons"}
    (pool,) = job["environment"]["workerPools"]
    options = job["environment"]["sdkPipelineOptions"]["options"]
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert pool["machineType"] == "n1-highmem-2"
    assert f"beam_python{version}_sdk" in pool["sdkHarnessContainerImages"][0]["containerImage"]
    assert {"use_runner_v2", "beam_fn_api"} <= set(job["environment"]["experiments"])
    assert (options["save_main_session"], options["pickle_library"]) == (False, "cloudpickle")
    assert options["temp_location"].startswith(f"gs://{BUCKET}/beam/")


def _check_shipment(cloud: Cloud, job: dict[str, Any], folder: Path) -> None:
    """Open what was staged: the engine as it runs here, and the versions that it runs on."""
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    graph = api.Pipeline.FromString(cloud.graph_of(job))
    named = {}
    for environment in graph.components.environments.values():
        for each in environment.dependencies:
            payload = api.ArtifactUrlPayload.FromString(each.type_payload)
            role = api.ArtifactStagingToRolePayload.FromString(each.role_payload)
            named[role.staged_name] = cloud.folder / payload.url.removeprefix("gs://")
    wheel = next(name for name in named if name.endswith(".whl"))
    assert set(named) == {"requirements.txt", "extra_packages.txt", wheel}
    assert named["extra_packages.txt"].read_text().split() == [wheel]
    lines = named["requirements.txt"].read_text().splitlines()
    assert lines == [*shipped_requirements(Path("none")), next(line for line in lines if line.startswith("tqdm"))]
    assert any(line.startswith("zarr==3") for line in lines) and not any("apache-beam" in line for line in lines)
    assert named[wheel].read_bytes() == pack_wheel(folder).read_bytes()


def test_every_end_but_done_is_a_failure_that_says_how_to_go_on(
    project: Project, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOST_S", 0.3)
    cloud.act = stays
    cloud.broken = lambda method, path: -1 if method == "GET" and "/jobs/" in path else 0  # it hangs up
    assert project.document(*BAKE, exit_code=1)["recipes"][0]["error"]["error"] == "LostJobError"
    (job,) = cloud.jobs.values()
    cloud.broken = lambda method, path: 0

    cloud.messages[job["id"]] = ["Workflow failed."]
    for state in ("CANCELLED", "UPDATED", "DRAINED", "UNKNOWN"):
        job["currentState"] = f"JOB_STATE_{state}"
        followed = project.document(*BAKE, "--job-id", job["id"], exit_code=1)["recipes"][0]["error"]
        assert f"ended as {state}" in followed["message"] or state == "UNKNOWN" and "lost" in followed["message"]
        assert f"dataflow/jobs/us-central1/{job['id']}" in followed["where"]
        assert followed["fix"].endswith("bakehouse bake seasons --bakery cloud")
    cloud.messages[job["id"]] = [SOURCE, "Workflow failed."]
    seen = 0

    def fail_soon(method: str, path: str) -> int:
        nonlocal seen
        seen += path.endswith(job["id"])
        job["currentState"] = "JOB_STATE_RUNNING" if seen < 4 else "JOB_STATE_FAILED"
        return 0

    cloud.broken = fail_soon  # the plain command finds the job while it runs
    (said,) = project.document(*BAKE, exit_code=1)["recipes"]
    assert list(cloud.jobs) == [job["id"]]
    assert (said["error"]["error"], "ended as FAILED" in said["error"]["message"]) == ("EndedJobError", True)
    assert "input time=1 (https://example.org/1.nc)" in said["error"]["where"]
    assert said["error"]["cause"] == "the input is not there"
    assert said["error"]["fix"].startswith("check the address; then go on")
    assert not (project.catalog / "seasons").exists()


def test_what_is_estimated_to_cost_too_much_is_not_started(project: Project, cloud: Cloud) -> None:
    meta = project.root / "meta.yaml"
    meta.write_text(meta.read_text().replace('"region"', '"max_cost_usd": 0.001, "region"'))
    (said,) = project.document(*BAKE, exit_code=1)["recipes"]
    assert "max_cost_usd is 0.001" in said["error"]["message"] and "vCPU hours" in said["error"]["cause"]
    assert (cloud.jobs, list(cloud.bucket.iterdir())) == ({}, [])
    assert "about $" in project.run("plan", "seasons", "--bakery", "cloud").stdout


def test_workers_can_not_reach_what_lies_on_this_machine(project: Project, cloud: Cloud, tmp_path: Path) -> None:
    for words in (("--cache", str(tmp_path)), ("--mirror", f"https://example.org/={tmp_path}/")):
        (said,) = project.document(*BAKE, *words, exit_code=1)["recipes"]
        assert "lies on this machine" in said["error"]["message"]
    assert cloud.jobs == {}


@pytest.mark.nightly
def test_ctrl_c_leaves_the_job_to_itself_and_says_so(project: Project, cloud: Cloud) -> None:
    cloud.act = stays
    process = project.start(*BAKE)
    job = cloud.wait("RUNNING")
    while not any(request.endswith(f"{job['id']}/metrics") for request in cloud.requests):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert f"Dataflow job {job['id']} goes on; to stop it: gcloud dataflow jobs cancel {job['id']}" in said
    assert "running it again completes it: bakehouse bake seasons --bakery cloud" in said
    assert job["currentState"] == "JOB_STATE_RUNNING"


@pytest.mark.nightly
def test_a_store_grows_by_jobs_and_a_broken_input_is_named_by_its_job(
    project: Project, cloud: Cloud, moto: S3, tmp_path: Path
) -> None:
    with growing(project, tmp_path / "www") as sea:
        sea.document("bake", "sea", "--bakery", "cloud")
        sea.grow(6)
        updated = sea.document("update", "sea", "--bakery", "cloud")
        assert (updated["status"], updated["changes"]["added"], len(cloud.jobs)) == ("updated", 1, 2)
        found = xr.open_zarr(updated["url"], chunks=None, storage_options=moto.fsspec_options).load()
        xr.testing.assert_equal(found, sea.expected())
        sea.document("verify", "sea", "--bakery", "cloud")
        (sea.server.folder / "8.nc").write_bytes(b"no netCDF")
        sea.say(0, 2, 4, 6, 8)
        error = sea.document("update", "sea", "--bakery", "cloud", exit_code=1)["error"]
        assert (error["error"], "ended as FAILED" in error["message"]) == ("EndedJobError", True)
        assert f"{sea.server.url}/8.nc" in error["where"]
        assert sea.document("verify", "sea", "--bakery", "cloud", "--sampled")["status"] == "verified"
