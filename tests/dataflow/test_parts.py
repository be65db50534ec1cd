"""What jobs are made of: names, labels, options, the engine's wheel, prices; and how they are followed."""

from __future__ import annotations

import hashlib
import re
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bakehouse
from bakehouse.bakeries.dataflow import waiting
from bakehouse.bakeries.dataflow.cost import cost_usd, estimate
from bakehouse.bakeries.dataflow.names import job_name, label_value
from bakehouse.bakeries.dataflow.options import Shipment, job_options
from bakehouse.bakeries.dataflow.service import Service
from bakehouse.bakeries.dataflow.waiting import follow
from bakehouse.bakeries.dataflow.wheel import pack_wheel
from bakehouse.errors import RecipeError, UsageError
from bakehouse.feedstock.shipped import shipped_requirements
from bakehouse.meta.dataflow import Dataflow, Prices
from bakehouse.meta.project import Bakery
from tests.dataflow.cloud import PROJECT, REGION, USAGE, Cloud, ends_as, stays

SAID = Dataflow(project=PROJECT, region=REGION, temp_location="gs://sea-scratch/beam")


@given(st.text(min_size=1, max_size=300), st.text(max_size=20))
def test_any_id_names_a_job_and_a_label(label: str, work: str) -> None:
    name = job_name(label, work)
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) and name == job_name(label, work)
    assert re.fullmatch(r"[a-z0-9_-]{0,63}", label_value(label))
    assert name != job_name(label, f"{work}.")


def bakery(said: Dataflow | None = SAID, **more: object) -> Bakery:
    return Bakery.model_validate({"runner": "dataflow", "target": "gs://sea/stores", "dataflow": said, **more})


@pytest.mark.usefixtures("cloud")
def test_every_setting_of_a_bakery_becomes_beams_option() -> None:
    from apache_beam.options.pipeline_options import GoogleCloudOptions, SetupOptions, WorkerOptions

    given = {
        "machine_type": "e2-highmem-4", "max_num_workers": 9, "num_workers": 2, "disk_size_gb": 30,
        "worker_zone": "us-central1-b", "network": "sea", "subnetwork": "regions/us-central1/subnetworks/sea",
        "use_public_ips": False, "sdk_container_image": "gcr.io/sea/bakehouse:1",
    }  # fmt: skip
    of_service = {
        "service_account_email": "baker@sea.example", "dataflow_kms_key": "projects/sea/key",
        "staging_location": "gs://sea-scratch/staged", "temp_location": "gs://sea-scratch/beam",
        "project": PROJECT, "region": REGION, "dataflow_service_options": ["enable_prime"],
    }  # fmt: skip
    said = Dataflow.model_validate({**given, **of_service, "labels": {"team": "sea"}, "max_cost_usd": 5})
    made = job_options(bakery(said, threads=3), "sea-1", {"bakehouse-run": "run-1"}, None)
    workers, service, setup = (made.view_as(kind) for kind in (WorkerOptions, GoogleCloudOptions, SetupOptions))
    assert {name: getattr(workers, name) for name in given} == given
    assert {name: getattr(service, name) for name in of_service} == of_service
    assert (service.job_name, service.labels) == ("sea-1", ["team=sea", "bakehouse-run=run-1"])
    assert (setup.extra_packages, setup.requirements_file, setup.save_main_session) == (None, None, False)
    assert made.get_all_options()["number_of_worker_harness_threads"] == 3
    shipped = job_options(bakery(), "sea-1", {}, Shipment(Path("b.whl"), Path("r.txt")), workers=4)
    setup = shipped.view_as(SetupOptions)
    assert (setup.extra_packages, setup.requirements_file, setup.requirements_cache) == (["b.whl"], "r.txt", "skip")
    assert shipped.view_as(WorkerOptions).max_num_workers == 4


@pytest.mark.usefixtures("cloud")
def test_what_is_missing_or_misspelt_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="needs project, region, temp_location") as caught:
        job_options(bakery(None), "sea-1", {}, None)
    assert "temp_location: gs://BUCKET/FOLDER" in str(caught.value.fix)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "sea")
    monkeypatch.setenv("CLOUDSDK_COMPUTE_REGION", "europe-west1")
    with pytest.raises(UsageError, match="needs temp_location\n"):
        job_options(bakery(None), "sea-1", {}, None)
    with pytest.raises(UsageError, match="Beam has no option 'machine_typ'") as caught:
        job_options(bakery(options={"machine_typ": "x"}), "sea-1", {}, None)
    assert caught.value.fix == "did you mean 'machine_type'?"


def test_the_wheel_is_the_running_engine_and_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    wheel, again = pack_wheel(tmp_path), pack_wheel(tmp_path / "again")
    assert wheel.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    record = next(name for name in files if name.endswith("RECORD"))
    rows = [line.rsplit(",", 2) for line in files.pop(record).decode().splitlines()]
    expected = {
        name: (f"sha256={urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}", str(len(data)))
        for name, data in files.items()
    }
    assert {name: (digest, size) for name, digest, size in rows} == {**expected, record: ("", "")}
    package = Path(bakehouse.__file__).parent
    code = {f"bakehouse/{path.relative_to(package).as_posix()}" for path in package.rglob("*.py")}
    assert code <= set(files) and "bakehouse/recipes/files_to_zarr.py" in files


def test_what_lies_on_this_machine_is_not_shipped(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    for line in ("-e .", "./helpers", "helpers @ file:///srv/helpers.whl", "--find-links ./wheels"):
        file.write_text(f"{line}\n")
        with pytest.raises(RecipeError, match="can't be shipped to workers"):
            shipped_requirements(file)
    file.write_text("numpy\nxarray[io]\npangeo-forge-recipes==0.10.3\ngit+https://example.org/o/helpers@v1\n")
    more = shipped_requirements(file)[len(shipped_requirements(tmp_path / "none")) :]
    assert more[0].startswith("xarray[io]==") and more[1:] == ["git+https://example.org/o/helpers@v1"]


def test_cost_is_what_was_used_times_its_price() -> None:
    own = Prices(vcpu_hour_usd=1, memory_gb_hour_usd=0.1, disk_gb_hour_usd=0.01, ssd_gb_hour_usd=0, shuffle_gb_usd=2)
    assert cost_usd({**USAGE, "TotalShuffleDataProcessed": 3}, own) == pytest.approx(2 * 1 + 13 * 0.1 + 25 * 0.01 + 6)
    assert cost_usd({"CurrentVcpuCount": 4}, own) is None


def test_an_estimate_grows_with_the_work_and_not_with_the_limit_of_workers() -> None:
    plan = {
        "decoded_bytes": 10**12,
        "tasks": 4000,
        "inputs": {"count": 1000},
        "check": {"level": "sampled", "tasks": 9},
    }
    one, double = estimate(plan, SAID), estimate({**plan, "decoded_bytes": 2 * 10**12}, SAID)
    assert 1.5 < double.usd / one.usd < 2 and one.workers > 1
    few = estimate(plan, SAID.model_copy(update={"max_num_workers": 2}))
    assert few.workers == 2 and few.usd < one.usd


def test_beams_own_prices_are_those_that_are_stated() -> None:
    costs = pytest.importorskip("apache_beam.testing.load_tests.dataflow_cost_consts")
    beams = (costs.VCPU_PER_HR_BATCH, costs.MEM_PER_GB_HR_BATCH, costs.PD_PER_GB_HR, costs.PD_SSD_PER_GB_HR)
    assert tuple(Prices().model_dump().values()) == (*beams, costs.SHUFFLE_PER_GB_BATCH)


def started(cloud: Cloud) -> tuple[Service, str]:
    job = cloud.create({"name": "sea-1", "labels": {"bakehouse-run": "run-1"}})
    return Service(PROJECT, REGION, cloud.endpoint), job["id"]


def test_a_job_that_costs_too_much_is_cancelled(cloud: Cloud) -> None:
    cloud.act = stays
    service, job_id = started(cloud)
    ended = follow(service, job_id, cap_usd=0.1)
    assert (ended.state, cloud.jobs[job_id]["currentState"]) == ("CANCELLED", "JOB_STATE_CANCELLED")
    assert ended.over_usd == pytest.approx(0.1596, abs=1e-3)


def test_a_connection_that_fails_now_and_then_does_not_matter(cloud: Cloud) -> None:
    cloud.act, count = stays, 0
    service, job_id = started(cloud)

    def flaky(method: str, path: str) -> int:
        nonlocal count
        count += 1
        if count > 12:
            ends_as("DONE")(cloud, cloud.jobs[job_id])
        return (503, -1, 429, 0)[count % 4]

    cloud.broken = flaky
    assert follow(service, job_id).state == "DONE"
    assert count > 12


def test_jobs_are_found_by_name_the_latest_first(cloud: Cloud) -> None:
    cloud.act = ends_as("DONE")
    service, first = started(cloud)
    cloud.wait("DONE")
    cloud.jobs[first]["createTime"] = "2026-01-01T00:00:00Z"
    _, second = started(cloud)
    cloud.create({"name": "sea-10", "labels": {}})
    assert [(job.id, job.run_id) for job in service.named("sea-1")] == [(second, "run-1"), (first, "run-1")]
    assert service.job("no-such-job") is None


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_job_that_can_not_be_seen_any_more_is_lost_and_not_over(
    status: int, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOST_S", 0.3)
    cloud.act = stays
    service, job_id = started(cloud)
    cloud.broken = lambda method, path: status if path.endswith(job_id) else 0
    with pytest.raises(waiting.LostJobError, match="it may go on, and cost"):
        follow(service, job_id)
