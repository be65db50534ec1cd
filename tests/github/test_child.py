"""What code that nobody has reviewed can reach, and what is left of it: each attack is run."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bakehouse.github import child
from bakehouse.github.addresses import refused
from bakehouse.github.child import Ran, environment, run
from tests.cli.projects import IMPORTS, PATTERN, PIPELINE, Project, new_project

SECRETS = {
    "GITHUB_TOKEN": "ghs-canary", "ACTIONS_RUNTIME_TOKEN": "runtime-canary",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "oidc-canary",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://oidc-canary.example", "AWS_SECRET_ACCESS_KEY": "aws-canary",
    "GOOGLE_APPLICATION_CREDENTIALS": "/google-canary", "MY_PASSWORD": "password-canary", "PYPI_SECRET": "pypi-canary",
    "GITHUB_OUTPUT": "/canary/output", "GITHUB_ENV": "/canary/env", "GITHUB_PATH": "/canary/path",
    "GITHUB_STEP_SUMMARY": "/canary/summary", "SSH_AUTH_SOCK": "/canary/agent",
    "http_proxy": "http://user:canary@proxy.example",
    "BAKEHOUSE_URL_MAP": "https://a.example/=https://user:canary@b.example/",
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "project")


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run a script in the place of our command line: what a recipe does, without waiting for Beam."""

    def start(code: str, limit_s: float = 60) -> Ran:
        file = tmp_path / "script.py"
        file.write_text(textwrap.dedent(code))
        monkeypatch.setattr(child, "GUARDED", (sys.executable, str(file)))
        return run([], tmp_path, tmp_path / "scratch", limit_s)

    return start


RECIPE = """
import os, socket, sys, urllib.request
for line in ("::set-output name=run::true", "::add-mask::a", "::stop-commands::x", "##[group]x"):
    print(line)
    print(line, file=sys.stderr)
outcomes = []
for go in (
    lambda: urllib.request.urlopen("http://169.254.169.254/latest/meta-data/", timeout=1),
    lambda: socket.create_connection(("10.0.0.1", 80), 1),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.168.0.1", 53)),
):
    try:
        go()
        outcomes.append("reached")
    except Exception as error:
        outcomes.append(str(error))
raise ValueError(" / ".join([repr(dict(os.environ)), *outcomes]))
"""


@pytest.mark.nightly
def test_a_recipe_finds_nothing_of_the_job_and_reaches_no_metadata(
    secrets: None, project: Project, tmp_path: Path
) -> None:
    project.add_python("bad", RECIPE + IMPORTS + PATTERN + PIPELINE)
    ran = run(["plan", "bad"], project.root, tmp_path / "scratch", 120)
    assert ran.document is not None, ran.tail
    (failed,) = ran.document["recipes"]
    found = str(failed["error"]["message"])
    assert "'HOME'" in found and "canary" not in found
    assert not any(word in found for word in ("GITHUB_", "ACTIONS_", "AWS_SECRET", "GOOGLE_", "TOKEN"))
    assert found.count("reach public addresses only") == 3 and "reached" not in found


def test_only_listed_variables_are_handed_on(tmp_path: Path) -> None:
    given = {**SECRETS, "PATH": "/bin", "LANG": "C", "PYTHONPATH": "src", "PYTHONSTARTUP": "/x.py", "HOME": "/root"}
    found = environment(tmp_path, given)
    assert found["PATH"] == "/bin" and found["PYTHONPATH"] == os.path.abspath("src")
    assert found["HOME"] == str(tmp_path / "home") and "canary" not in repr(found)
    kept = " ".join(found)
    assert not any(word in kept for word in ("GITHUB", "ACTIONS", "TOKEN", "SECRET", "PROXY", "SSH", "ACCESS_KEY"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every process")
def test_the_environment_of_the_job_can_not_be_read_from_its_process(tmp_path: Path) -> None:
    child.conceal()
    with pytest.raises(PermissionError):
        Path(f"/proc/{os.getpid()}/environ").read_bytes()


def test_a_module_in_the_project_takes_no_place_of_ours(project: Project, tmp_path: Path) -> None:
    for name in ("bakehouse.py", "json.py", "sitecustomize.py"):
        (project.root / name).write_text("raise SystemExit('taken over')\n")
    ran = run(["lint", "seasons"], project.root, tmp_path / "scratch", 60)
    assert ran.fault is None and "taken over" not in ran.tail


ADDRESSES = ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1%lo", "10.1.2.3", "172.16.0.1",
             "192.168.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "fc00::1"]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_private_addresses_are_refused(address: str) -> None:
    assert refused(address) is not None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "8.8.8.8", "2606:4700::1111"])
def test_public_and_own_addresses_are_not(address: str) -> None:
    assert refused(address) is None


def test_what_is_printed_is_no_command_and_no_answer(script: Callable[..., Ran]) -> None:
    ran = script("""
        import os, sys
        for line in ("::set-output name=run::true", "::add-mask::a", "::stop-commands::x", "##[group]x"):
            print(line); print(line, file=sys.stderr)
        os.write(1, b'{"ok": true, "recipes": []}')
        os.write(1, b"\\n::error::x\\n")
        sys.exit(1)
    """)
    assert ran.fault == "it ended with status 1 and without an answer"
    assert ran.document is None


def test_a_recipe_that_never_ends_is_stopped_with_all_that_it_started(
    script: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = script(f"""
        import os, subprocess, sys, time
        code = "import time; time.sleep(600)"
        group = subprocess.Popen([sys.executable, "-c", code])
        hidden = subprocess.Popen([sys.executable, "-c", "import os; os.setsid(); " + code], start_new_session=True)
        if not os.fork():
            os.setsid()
            daemon = os.fork()
            if daemon:
                os._exit(0)
            open({str(tmp_path / "daemon")!r}, "w").write(str(os.getpid()))
            time.sleep(600)
        open({str(tmp_path / "pids")!r}, "w").write(f"{{group.pid}} {{hidden.pid}} {{os.getpid()}}")
        time.sleep(600)
    """, 2)  # fmt: skip
    assert ran.state == "took too long" and (ran.fault or "").startswith("it took too long and was stopped")
    pids = [int(word) for name in ("pids", "daemon") for word in (tmp_path / name).read_text().split()]
    assert len(pids) == 4 and not [pid for pid in pids if is_running(pid)]


def test_a_process_left_behind_by_a_recipe_that_ends_is_ended(script: Callable[..., Ran], tmp_path: Path) -> None:
    ran = script(f"""
        import subprocess, sys
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        open({str(tmp_path / "pid")!r}, "w").write(str(left.pid))
        print("{{}}")
    """)
    assert ran.document == {} and not is_running(int((tmp_path / "pid").read_text()))


def test_endless_output_is_cut_off(script: Callable[..., Ran]) -> None:
    ran = script("""
        import os
        while True:
            os.write(2, b"::error::x\\n" * 5000)
    """)
    assert ran.state == "said too much" and len(ran.tail) <= child.TAIL_BYTES and ran.document is None


def test_a_keeper_that_is_killed_counts_as_a_failure(script: Callable[..., Ran]) -> None:
    ran = script("import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
    assert (ran.status, ran.document) == (-signal.SIGKILL, None) and ran.fault


@pytest.mark.parametrize("answer", ["", "[]", "[" * 10**5, '{"a": ', "null", "\\xff", '{"a": 1} {"b": 2}'])
def test_an_answer_that_is_no_document_is_none(script: Callable[..., Ran], answer: str) -> None:
    assert script(f"print({answer!r})").fault == "it ended with status 0 and without an answer"


def is_running(pid: int) -> bool:
    """Say whether a process is there, and no zombie."""
    if sys.platform != "linux":
        return False
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.05)
    return True
