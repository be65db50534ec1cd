"""w6: a store's life. Each contestant makes, extends, corrects and repeats one, and makes one that is cut short.

Every stage is a process of its own, and what it left is compared with the inputs as they were then. The time is the
sum of the stages; peak memory is the greatest of theirs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import contest, ours
from benchmarks.contest import ENV, OURS, Arena
from benchmarks.measure import Usage, run
from benchmarks.results import Run
from benchmarks.workloads.base import Peer
from benchmarks.workloads.lifecycle import CHANGED, FIRST, declared

HERE = Path(__file__).parent
SUMMED = ("wall_s", "cpu_s", "read_bytes", "written_bytes")


@dataclass(frozen=True)
class Cut:
    """Where a stage is killed: once its folder holds so many bytes."""

    folder: Path
    size_bytes: int

    @classmethod
    def half(cls, folder: Path, whole: Path) -> Cut:
        """Kill once a folder holds half as much as another store of the same inputs."""
        return cls(folder, contest.counted(whole)[1] // 2)

    def reached(self) -> bool:
        """Say whether there is as much; files come and go meanwhile."""
        return sum(_sizes(self.folder)) >= self.size_bytes


def _sizes(folder: Path) -> Iterator[int]:
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                yield os.stat(os.path.join(parent, name)).st_size


@dataclass
class Life:
    """What has happened so far."""

    arena: Arena
    usages: dict[str, Usage] = field(default_factory=dict)
    verify_s: float = 0.0
    error: str | None = None
    files: Path = Path()

    def __post_init__(self) -> None:
        """Start with the first inputs."""
        self.files = contest.fresh(self.arena) / "inputs"
        self.files.mkdir()
        self.arrive(0, FIRST)

    def arrive(self, start: int, stop: int | None) -> None:
        """Let inputs come."""
        for name in self.arena.manifest["files"][start:stop]:
            os.link(Path(self.arena.inputs) / name, self.files / name)

    def correct(self) -> None:
        """Let upstream change one input."""
        name = self.arena.manifest["files"][CHANGED]
        (self.files / name).unlink()
        shutil.copyfile(Path(self.arena.inputs) / "changed" / name, self.files / name)

    def do(self, stage: str, command: list[str], env: dict[str, str], cut: Cut | None = None) -> str:
        """Run a stage; give what it said. One that is cut short has to be killed on its way."""
        if self.error:
            return ""
        more = {"enough": cut.reached} if cut else {}
        usage = run(command, self.arena.scratch / "log.txt", self.arena.timeout_s, {**ENV, **env}, **more)
        self.usages[stage] = usage
        if usage.error and not cut:
            self.error = f"{stage}: {usage.error}"
        elif cut and not (usage.error or "").startswith("killed"):
            self.error = f"{stage}: ended before it was killed"
        return usage.stdout

    def check(self, stage: str, result: Path, files: int, corrected: bool) -> None:
        """Compare a stage's result with the inputs as they are."""
        if self.error:
            return
        held = json.loads(json.dumps(self.arena.manifest))
        if corrected:
            held["reference"][CHANGED] = held["changed"]
        held.update(files=held["files"][:files], reference=held["reference"][:files])
        path = self.arena.scratch / "manifest.json"
        path.write_text(json.dumps(held))
        if found := contest.compared(self.arena, path, result):
            self.error = f"{stage}: {found}"

    def finish(self, name: str, kind: str, number: int, result: Path) -> Run:
        """Add the stages up."""
        used = list(self.usages.values())
        total = {key: sum(getattr(each, key) for each in used) for key in SUMMED}
        phases = {stage: usage.wall_s for stage, usage in self.usages.items()}
        peak = max((each.peak_bytes for each in used), default=0)
        usage = Usage(**total, peak_bytes=peak, stdout="", error=self.error)
        count = contest.counted(result)
        return Run(
            name, kind, number, usage.wall_s, self.verify_s, usage.cpu_s, peak, usage.read_bytes, usage.written_bytes,
            *count, self.error, phases,
        )  # fmt: skip


def run_ours(arena: Arena, number: int) -> Run:
    """Bake, update, update --changed, update; then bake elsewhere, cut short and finished."""
    life, workload, total = Life(arena), arena.workload, len(arena.manifest["files"])
    project, other = arena.scratch / "project", arena.scratch / "other"
    ours.write_project(project, replace(workload, meta=declared(workload.id, FIRST, workload.options)))
    ours.write_project(other, workload)

    def stage(name: str, verb: str, where: Path, *more: str, cut: Cut | None = None) -> Path:
        command = ours.command(arena.envs["ours"].python, verb, workload.id, where, str(life.files), *more)
        said = ours.outcome(life.do(name, command, contest.source_path(), cut))
        life.verify_s += (said.get("phases_s") or {}).get("verify", 0.0)
        if said.get("error") and not cut:
            life.error = f"{name}: {ours.error_of(said)}"
        return Path(said.get("url") or "nowhere")

    life.check("bake", stage("bake", "bake", project), FIRST, False)
    reader = Reader(arena, project, life.files) if not life.error else None
    life.arrive(FIRST, None)
    (project / "feedstocks" / workload.id / "meta.yaml").write_text(ours.META + workload.meta)
    life.check("append", stage("append", "update", project), total, False)
    life.correct()
    life.check("change", result := stage("change", "update", project, "--changed"), total, True)
    stage("nothing new", "update", project)
    life.error = life.error or (reader.stop() if reader else None) or beam_imported(arena, project, life.files)
    stage("cut short", "bake", other, cut=Cut.half(other / "stores", result))
    life.check("finished", stage("finished", "bake", other), total, True)
    return life.finish(OURS, "ours", number, result)


def beam_imported(arena: Arena, project: Path, files: Path) -> str | None:
    """Say if an update with nothing new imports Beam; not timed."""
    command = ours.command(arena.envs["ours"].python, "update", arena.workload.id, project, str(files))
    command[1:1] = ["-X", "importtime"]
    env = {**os.environ, **contest.source_path()}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    return "nothing new: imports apache_beam" if "apache_beam" in done.stderr else None


class Reader:
    """Somebody who reads the store all the while, in a process of its own; it looks twice a second."""

    def __init__(self, arena: Arena, project: Path, files: Path) -> None:
        self.told, self.found = arena.scratch / "reader.stop", arena.scratch / "reader.json"
        entry = project / ".bakehouse" / "catalog" / arena.workload.id / f"{arena.workload.id}.json"
        spec = {
            "entry": str(entry), "stop": str(self.told), "found": str(self.found), "first": FIRST, "changed": CHANGED,
            "files": [f"{arena.inputs}/{name}" for name in arena.manifest["files"]], "inputs": arena.inputs,
        }  # fmt: skip
        path = arena.scratch / "reader.spec.json"
        path.write_text(json.dumps(spec))
        self.process = subprocess.Popen([arena.envs["zarr3"].python, HERE / "reader.py", path])

    def stop(self) -> str | None:
        """Stop it, and give what it saw that never was."""
        self.told.touch()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
        found = json.loads(self.found.read_text()) if self.found.exists() else {"error": "it saw nothing", "looks": 0}
        print(f"    the reader looked {found['looks']} times and saw states {found.get('seen')}", flush=True)
        return f"reader: {found['error']}" if found["error"] else None


def run_peer(arena: Arena, peer: Peer, number: int) -> Run:
    """Write everything anew at each stage; or, with `by_hand`, only what somebody who knows what has changed would."""
    life, names, total = Life(arena), arena.manifest["files"], len(arena.manifest["files"])
    result = arena.scratch / "output.zarr"
    steps = arena.workload.inputs["steps"]

    def write(stage: str, files: list[str], cut: Cut | None = None, **more: Any) -> None:
        if not more:
            shutil.rmtree(result, ignore_errors=True)
        told = contest.spec_of(arena, peer) | {"files": [str(life.files / name) for name in files], **more}
        spec = arena.scratch / "spec.json"
        spec.write_text(json.dumps(told))
        life.do(stage, contest.peer_command(arena, peer, spec, result), contest.PEER_PATH, cut)

    by_hand = peer.options.get("by_hand")
    write("bake", names[:FIRST])
    life.check("bake", result, FIRST, False)
    life.arrive(FIRST, None)
    write("append", *((names[FIRST:],) if by_hand else (names,)), **({"append": True} if by_hand else {}))
    life.check("append", result, total, False)
    life.correct()
    region = {"region": [CHANGED * steps, (CHANGED + 1) * steps]}
    write("change", *(([names[CHANGED]],) if by_hand else (names,)), **(region if by_hand else {}))
    life.check("change", result, total, True)
    if not by_hand:
        write("nothing new", names)
    write("cut short", names, Cut.half(result, result))
    write("finished", names)
    life.check("finished", result, total, True)
    return life.finish(peer.name, peer.kind, number, result)
