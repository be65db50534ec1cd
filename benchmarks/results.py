"""Runs as they are kept, and what is made of them: medians and ranges."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

KINDS = ("ours", "packaged", "handwritten", "floor")
MEASURES = (
    "wall_s",
    "verify_s",
    "work_s",
    "cpu_s",
    "peak_bytes",
    "read_bytes",
    "written_bytes",
    "objects",
    "stored_bytes",
)


@dataclass(frozen=True)
class Run:
    """One contestant's run; `work_s` is the wall time without our verification. Only runs without error count."""

    contestant: str
    kind: str
    round: int
    wall_s: float
    verify_s: float
    cpu_s: float
    peak_bytes: int
    read_bytes: int
    written_bytes: int
    objects: int = 0
    stored_bytes: int = 0
    error: str | None = None
    phases_s: dict[str, float] = field(default_factory=dict)

    @property
    def work_s(self) -> float:
        """Give the time from start to publication, in seconds."""
        return self.wall_s - self.verify_s


@dataclass
class Record:
    """All runs of one workload at one scale, and what they ran with."""

    workload: str
    scale: float
    about: dict[str, Any]
    runs: list[Run] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write the record."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read a record."""
        said = json.loads(path.read_text())
        return cls(said["workload"], said["scale"], said["about"], [Run(**each) for each in said["runs"]])


def summary(record: Record) -> dict[str, Any]:
    """Give medians and ranges by contestant: ours first, floors last, else in the order of their first runs."""
    runs = sorted(record.runs, key=lambda run: KINDS.index(run.kind))
    names = list(dict.fromkeys(run.contestant for run in runs))
    contestants = [_contestant(name, [run for run in record.runs if run.contestant == name]) for name in names]
    return {"workload": record.workload, "scale": record.scale, **record.about, "contestants": contestants}


def _contestant(name: str, runs: list[Run]) -> dict[str, Any]:
    good = [run for run in runs if run.error is None]
    error = next((run.error for run in runs if run.error), None)
    found = {"name": name, "kind": runs[0].kind, "runs": len(good), "error": error}
    if not good:
        return found
    return {
        **found,
        **{key: _spread([getattr(run, key) for run in good]) for key in MEASURES},
        "phases_s": {
            phase: round(median(run.phases_s.get(phase, 0.0) for run in good), 3) for phase in good[0].phases_s
        },
    }


def _spread(values: Iterable[float]) -> list[float]:
    """Give median, least and greatest."""
    held = [round(value, 3) for value in values]
    return [round(median(held), 3), min(held), max(held)]
