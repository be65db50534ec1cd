"""`doctor` tries what a bake does, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bakehouse.cli import main, probes
from bakehouse.storage import Target
from tests.cli.projects import Project
from tests.support.s3 import S3


def _states(project: Project, exit_code: int = 0) -> dict[str, str]:
    return {each["name"]: each["state"] for each in project.document("doctor", exit_code=exit_code)["symptoms"]}


def test_a_new_project_can_bake(project: Project) -> None:
    states = _states(project)
    assert {
        name: states[name] for name in ("python", "packages", "project", "bakery local", "catalog")
    } == dict.fromkeys(("python", "packages", "project", "bakery local", "catalog"), "ok")
    assert list((project.root / ".bakehouse").rglob("*")) in ([], [project.stores])


def test_a_target_that_can_not_be_written_is_an_error(project: Project) -> None:
    (project.root / ".bakehouse").write_text("a file where a folder should be")
    result = project.run("doctor")
    assert result.exit_code == 1
    assert "ERROR    bakery local:" in result.stdout and "fix:" in result.stdout


def test_another_bakery_is_only_a_warning(project: Project) -> None:
    meta = project.root / "meta.yaml"
    (project.root / "file").write_text("")
    meta.write_text(meta.read_text() + "  cloud: {runner: flink, target: file/stores}\n")
    assert _states(project)["bakery cloud"] == "warning"


def test_a_broken_project_is_an_error_and_none_a_warning(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "meta.yaml").write_text("titel: x\nbakeries: {}\n")
    assert _states(project, exit_code=1)["project"] == "error"
    monkeypatch.chdir(tmp_path.parent)
    result = CliRunner().invoke(main, ["doctor"])
    assert (result.exit_code, "bakehouse init" in result.stdout) == (0, True)


def test_an_endpoint_with_conditional_put_is_told_from_one_without(moto: S3, rclone: S3) -> None:
    found = {}
    for name, s3 in (("moto", moto), ("rclone", rclone)):
        options = {"key": s3.key, "secret": s3.secret, "endpoint_url": s3.endpoint}
        target = Target(f"{s3.url}/stores", options)
        found[name] = probes.probe(target)
        assert list(target.list()) == []
    assert found == {"moto": True, "rclone": False}


def test_a_probe_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    never = threading.Event()
    assert isinstance(probes.within(0.01, never.wait), TimeoutError)
    never.set()


def test_a_bakery_on_dataflow_is_told_what_it_lacks(
    project: Project, moto: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    where = f"target: '{moto.url}/stores', storage_options: {{endpoint_url: '{moto.endpoint}'}}"
    meta = project.root / "meta.yaml"
    meta.write_text(meta.read_text() + f"  cloud: {{runner: dataflow, {where}}}\n")
    found = {each["name"]: each for each in project.document("doctor")["symptoms"]}
    assert (found["bakery cloud"]["state"], found["jobs of cloud"]["state"]) == ("ok", "warning")
    assert "temp_location" in found["jobs of cloud"]["detail"] or "pip install" in found["jobs of cloud"]["fix"]
