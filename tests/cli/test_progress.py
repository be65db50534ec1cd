"""Progress on a terminal and elsewhere, and Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bakehouse.bake.job import Progress
from bakehouse.cli.progress import PlainReport
from bakehouse.cli.starter import make_sample
from tests.cli.projects import Project
from tests.support.http import Fault, Server, serve

STARTER = Path(make_sample.__file__).parent
PATIENCE_S = 120
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@contextmanager
def _slow_archive(project: Project, folder: Path, delay_s: float) -> Iterator[tuple[Server, str]]:
    """Serve the sample's inputs, each answer late; give the server and the mirrors that lead to it."""
    shutil.copytree(STARTER, folder / "data.example.org")
    meta = project.root / "feedstocks/seasons/meta.yaml"
    meta.write_text(meta.read_text().replace("package://bakehouse/cli/starter/", "https://data.example.org/"))
    with serve(folder) as server:
        for year in make_sample.YEARS:
            server.fail(f"/data.example.org/seasons_{year}.nc", Fault(delay_s=delay_s))
        yield server, f"https://data.example.org/={server.url}/data.example.org/"


def _wait_for_request(server: Server, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not server.log:
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.05)


def test_a_phase_is_said_once_and_tasks_every_ten_seconds() -> None:
    lines: list[str] = []
    times = iter([0.0, 1.0, 5.0, 11.5, 12.0, 20.0])
    report = PlainReport(lines.append, lambda: next(times))
    for done, phase in (
        (0, "writing"),
        (1, "writing"),
        (2, "writing"),
        (3, "writing"),
        (3, "writing"),
        (4, "comparing"),
    ):
        report(Progress("a/b", phase, done, 4, 4000))
    assert lines == [
        "a/b: writing, 0 of 4 tasks (0 B of 4.0 kB)",
        "a/b: writing, 3 of 4 tasks (3.0 kB of 4.0 kB)",
        "a/b: comparing, 4 of 4 tasks (4.0 kB of 4.0 kB)",
    ]


def test_ctrl_c_exits_with_130_in_one_line_and_the_same_command_completes_the_bake(
    project: Project, tmp_path: Path
) -> None:
    with _slow_archive(project, tmp_path / "www", 0.3) as (server, mirror):
        process = project.start("bake", "seasons", "--json", BAKEHOUSE_URL_MAP=mirror)
        _wait_for_request(server, process)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
        server.heal()
        assert process.returncode == 130
        assert stderr.splitlines()[-1] == "interrupted; running it again completes it: bakehouse bake seasons --json"
        assert "Traceback" not in stderr and json.loads(stdout)["error"]["message"] == "interrupted"
        assert not project.catalog.exists()
        process = project.start("bake", "seasons", BAKEHOUSE_URL_MAP=mirror)
        stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, 'bakehouse.open("seasons")' in stdout) == (0, True)


def test_a_terminal_shows_a_live_bar(project: Project, tmp_path: Path) -> None:
    with _slow_archive(project, tmp_path / "www", 0.1) as (_, mirror):
        shown, code = _on_a_terminal(project.root, mirror)
    assert code == 0
    assert "baking seasons: reading headers" in shown and "━" in shown
    assert 'bakehouse.open("seasons")' in shown


def _on_a_terminal(folder: Path, mirror: str) -> tuple[str, int]:
    """Run a bake with a terminal as its stderr and stdout; give what it showed."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "BAKEHOUSE_URL_MAP": mirror, "TERM": "xterm", "COLUMNS": "120"}
    command = [sys.executable, "-m", "bakehouse", "bake", "seasons"]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b"".join(_chunks(ours))
    os.close(ours)
    return ESCAPES.sub("", shown.decode()), process.wait()


def _chunks(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux says EIO where the other side has closed
            return
        if not chunk:
            return
        yield chunk


def test_a_reader_that_leaves_early_is_no_failure(project: Project) -> None:
    process = project.start("explain")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 1
    assert process.stderr is not None and "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("words", [["lint", "--json"], ["status", "--json"]])
def test_stdout_is_one_document_in_a_process_of_its_own(words: list[str], project: Project) -> None:
    stdout, _ = project.start(*words).communicate()
    assert json.loads(stdout)["command"] == words[0]
