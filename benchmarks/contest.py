"""Contestants: how each is run once, and its result checked."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import ours
from benchmarks.environments import Environment
from benchmarks.measure import Usage, run
from benchmarks.results import Run
from benchmarks.workloads.base import BASE, Peer, Workload

HERE = Path(__file__).parent
OURS = "bakehouse"
# One thread a library: contestants say themselves how many things they do at once, and there are two cores.
PEER_PATH = {"PYTHONPATH": str(HERE / "peers")}
ENV = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "BAKEHOUSE_PREVIEWS": "0"}


@dataclass(frozen=True)
class Arena:
    """One workload with its inputs, a folder for outputs, and the environments.

    `base` is where contestants find the inputs, and `env` what they need for it.
    """

    workload: Workload
    manifest: dict[str, Any]
    scratch: Path
    envs: dict[str, Environment]
    timeout_s: float
    base: str
    env: Mapping[str, str]
    equal: set[str] = field(default_factory=set)

    @property
    def inputs(self) -> str:
        """Give the folder that holds the inputs."""
        return self.manifest["folder"]


def run_ours(arena: Arena, number: int) -> Run:
    """Bake in a new project."""
    project = fresh(arena) / "project"
    ours.write_project(project, arena.workload)
    log = arena.scratch / "log.txt"
    asked = ours.command(arena.envs["ours"].python, "bake", arena.workload.id, project, arena.base)
    usage = run(asked, log, arena.timeout_s, {**ENV, **source_path(), **arena.env})
    said = ours.outcome(usage.stdout)
    error = ours.error_of(said) or usage.error
    result = readable(Path(said.get("url") or "nowhere"), arena)
    return finished(arena, OURS, "ours", number, usage, result, error, said.get("phases_s") or {})


def readable(result: Path, arena: Arena) -> Path:
    """Give references that name the inputs where they are; ours name the archive that they are a mirror of."""
    document = result / "refs.json"
    if not document.exists():
        return result
    local = arena.scratch / "references.json"
    local.write_text(document.read_text().replace(BASE, f"{arena.base}/"))
    return local


def source_path() -> dict[str, str]:
    """Let the Python of ours find this checkout, whether or not it is installed there."""
    return {"PYTHONPATH": str(HERE.parent / "src")}


def run_peer(arena: Arena, peer: Peer, number: int) -> Run:
    """Run a peer's script."""
    output, spec = fresh(arena) / "output", arena.scratch / "spec.json"
    output = output.with_suffix(str(peer.options.get("suffix", ".zarr")))
    spec.write_text(json.dumps(spec_of(arena, peer)))
    command = peer_command(arena, peer, spec, output)
    usage = run(command, arena.scratch / "log.txt", arena.timeout_s, {**ENV, **PEER_PATH, **arena.env})
    return finished(arena, peer.name, peer.kind, number, usage, output, usage.error, {})


def peer_command(arena: Arena, peer: Peer, spec: Path, output: Path) -> list[str]:
    """Spell a peer's command."""
    python, script = arena.envs[peer.environment].python, HERE / "peers" / f"{peer.script}.py"
    return [str(python), str(script), str(spec), str(output)]


def spec_of(arena: Arena, peer: Peer) -> dict[str, Any]:
    """Give what a peer's script is told."""
    files = [f"{arena.base}/{name}" for name in arena.manifest["files"]]
    told = {"files": files, "variables": arena.manifest["variables"], "scratch": str(arena.scratch)}
    source = {"source": converted(arena)} if peer.source == "zarr" else {}
    return {**arena.workload.inputs, **arena.workload.options, **told, **source, **peer.options}


def converted(arena: Arena) -> str:
    """Give the inputs as a zarr store (format 2, which all who need it read); written once."""
    path = Path(arena.inputs) / "source.zarr"
    if not (path / ".zmetadata").exists():
        shutil.rmtree(path, ignore_errors=True)
        script = HERE / "peers" / "convert.py"
        subprocess.run([arena.envs["zarr2"].python, script, Path(arena.inputs) / "manifest.json", path], check=True)
    return str(path)


def fresh(arena: Arena) -> Path:
    """Give an empty folder for outputs."""
    shutil.rmtree(arena.scratch, ignore_errors=True)
    arena.scratch.mkdir(parents=True)
    return arena.scratch


def finished(
    arena: Arena, name: str, kind: str, number: int, usage: Usage, result: Path, error: str | None,
    phases_s: dict[str, float],
) -> Run:  # fmt: skip
    """Check a result, count what was made, and keep what was measured."""
    if error is None:
        error = compared(arena, Path(arena.inputs) / "manifest.json", result)
    return Run(
        name, kind, number, usage.wall_s, phases_s.get("verify", 0.0), usage.cpu_s, usage.peak_bytes,
        usage.read_bytes, usage.written_bytes, *counted(result), error, phases_s,
    )  # fmt: skip


def counted(result: Path) -> tuple[int, int]:
    """Give the number of objects of a result and their bytes."""
    found = [path for path in result.rglob("*") if path.is_file()] if result.is_dir() else [result]
    sizes = [path.stat().st_size for path in found if path.exists()]
    return len(sizes), sum(sizes)


def compared(arena: Arena, manifest: Path, result: Path) -> str | None:
    """Say why a result is not what the inputs hold; None if it is.

    What has the same bytes as a result that was found equal is equal; it is not decoded again.
    """
    made = bytes_of(manifest, result)
    if made in arena.equal:
        return None
    found = decoded(arena, manifest, result)
    if found is None:
        arena.equal.add(made)
    return found


def bytes_of(*paths: Path) -> str:
    """Give the digest of files, and of all files of folders with their names in them."""
    total = hashlib.sha256()
    for path in paths:
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.is_file():
                total.update(f"{each.relative_to(path)} {_sha256(each)}\n".encode())
    return total.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def decoded(arena: Arena, manifest: Path, result: Path) -> str | None:
    """Decode a result in a process of its own, and say how it differs from what the inputs hold."""
    done = subprocess.run(
        [arena.envs["zarr3"].python, HERE / "check.py", manifest, result], capture_output=True, text=True
    )
    return (done.stderr.strip().splitlines() or ["CheckError: no message"])[-1][:300] if done.returncode else None
