"""Run workloads and write the report: ``python -m benchmarks.run``; ``make bench`` calls it.

Contestants take turns within a round. Only the two fastest peers of a kind in the first round are run again, the second
if it took no more than half as long again as the first; one that failed is not. A time counts only if the result is
what the inputs hold.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import contest, lifecycle
from benchmarks.environments import PROJECT, Environment, environments
from benchmarks.remote import serving
from benchmarks.report import write_report
from benchmarks.results import Record, Run
from benchmarks.workloads import chosen
from benchmarks.workloads.base import Workload

HERE = Path(__file__).parent
SLOW = 1.5
KEPT = 2
RACING = ("packaged", "handwritten")


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description="Bakehouse and its peers, doing the same work.")
    parser.add_argument("--workloads", default="", help="ids, or what they begin with: 'w1 w2'; all if left out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="size of the inputs; reports are committed at 1")
    parser.add_argument("--contestants", default="", help="only ours, and those with one of these in their name: a|b")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds after which a run is stopped")
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("BENCH_DIR", PROJECT / ".bench")))
    parser.add_argument("--report-only", action="store_true", help="write the report anew from what there is")
    asked = parser.parse_args()
    folder = asked.folder.absolute()
    envs = environments(folder)
    if not asked.report_only:
        for workload in chosen(asked.workloads, asked.scale):
            measure(workload, asked, folder, envs)
    write_report(folder, HERE if asked.scale == 1 else folder, asked.scale, envs["zarr3"].python)


def measure(workload: Workload, asked: argparse.Namespace, folder: Path, envs: dict[str, Environment]) -> None:
    """Run all rounds of one workload; what was measured is kept after every run."""
    print(f"{workload.id}: {workload.title}", flush=True)
    manifest = prepare(workload, folder / "inputs" / f"{workload.id}-{asked.scale:g}", envs)
    path = folder / "results" / f"{asked.scale:g}" / f"{workload.id}.json"
    record = Record(workload.id, asked.scale, about(workload, manifest, envs), others(path, asked.contestants))
    scratch = folder / "runs" / workload.id
    with serving(manifest["folder"], workload.latency_s) as (base, env):
        arena = contest.Arena(workload, manifest, scratch, envs, asked.timeout, base, env)
        for number in range(asked.rounds):
            take_turns(arena, record, number, asked.contestants, path)


def take_turns(arena: contest.Arena, record: Record, number: int, only: str, path: Path) -> None:
    """Run one round."""
    for name, attempt in contestants(arena, only):
        if name in out_of_the_race(record.runs):
            continue
        run = attempt(number)
        record.runs.append(run)
        record.save(path)
        print(f"  {number + 1} {name:45}{run.wall_s:9.2f} s  {run.error or 'equal'}", flush=True)
        shutil.rmtree(arena.scratch, ignore_errors=True)


def contestants(arena: contest.Arena, only: str = "") -> Iterator[tuple[str, Callable[[int], Run]]]:
    """Give each contestant's name and how to run it in some round."""
    whole = arena.workload.ours == "lifecycle"
    run_ours, run_peer = (lifecycle.run_ours, lifecycle.run_peer) if whole else (contest.run_ours, contest.run_peer)
    yield contest.OURS, lambda number: run_ours(arena, number)
    for peer in arena.workload.peers:
        if is_asked(peer.name, only):
            yield peer.name, lambda number, peer=peer: run_peer(arena, peer, number)


def is_asked(name: str, only: str) -> bool:
    """Say whether a contestant is one of those that were asked for; all are if none was named."""
    return any(part in name for part in only.split("|"))


def others(path: Path, only: str) -> list[Run]:
    """Keep what was measured of those who don't run now."""
    kept = Record.load(path).runs if only and path.exists() else []
    return [run for run in kept if run.kind != "ours" and not is_asked(run.contestant, only)]


def out_of_the_race(runs: list[Run]) -> set[str]:
    """Name who failed, or was not among the fastest in the first round."""
    failed = {run.contestant for run in runs if run.error and run.kind != "ours"}
    return failed.union(*(_slow([run for run in runs if run.kind == kind]) for kind in RACING))


def _slow(runs: list[Run]) -> set[str]:
    first = sorted((run for run in runs if run.round == 0 and not run.error), key=lambda run: run.wall_s)
    limit = SLOW * first[0].wall_s if first else 0
    return {run.contestant for place, run in enumerate(first) if place >= KEPT or run.wall_s > limit}


def prepare(workload: Workload, folder: Path, envs: dict[str, Environment]) -> dict[str, Any]:
    """Write the inputs unless they are there, read each once, and give their manifest."""
    spec, manifest = dict(workload.inputs), folder / "manifest.json"
    if not manifest.exists() or json.loads(manifest.read_text())["spec"] != spec:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"  writing inputs into {folder}", flush=True)
        (folder / "spec.json").write_text(json.dumps(spec))
        python, script = envs["zarr3"].python, HERE / "inputs.py"
        subprocess.run([python, script, folder / "spec.json", folder], check=True)
    found = json.loads(manifest.read_text())
    for name in found["files"]:
        with (folder / name).open("rb") as file:
            while file.read(1 << 24):
                pass
    return found


def about(workload: Workload, manifest: dict[str, Any], envs: dict[str, Environment]) -> dict[str, Any]:
    """Say what was measured, and with what."""
    return {
        "title": workload.title,
        "note": workload.note,
        "bound_bytes": workload.bound_bytes,
        "targets": [asdict(target) for target in workload.targets],
        "inputs": {key: manifest[key] for key in ("spec", "decoded_bytes", "stored_bytes")}
        | {"files": len(manifest["files"])},
        "date": date.today().isoformat(),
        "machine": {"cpus": os.cpu_count(), "processor": _processor(), "system": platform.platform()},
        "environments": {name: env.versions() for name, env in envs.items()},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
