"""Write the table of what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.compat.cases import CASES, Case
from benchmarks.compat.compare import Comparison, Dump, compare
from benchmarks.environments import Environment

SHOWN = {
    "upstream": (
        "python",
        "pangeo-forge-recipes",
        "pangeo-forge-runner",
        "apache-beam",
        "zarr",
        "xarray",
        "kerchunk",
        "numpy",
    ),
    "ours": ("python", "apache-beam", "zarr", "xarray", "kerchunk", "numpy"),
}
INTRODUCTION = (Path(__file__).parent / "introduction.md").read_text()
HEADER = "| feedstock | kind | inputs | upstream | Bakehouse | compared |\n|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Result:
    """What came out of one case."""

    case: Case
    upstream: dict[str, Any]
    ours: dict[str, Any]
    comparison: Comparison | None


def write_report(folder: Path, path: Path, envs: dict[str, Environment]) -> None:
    """Write the report of all cases that were run."""
    found = [result(case, folder) for case in CASES if (folder / "results" / f"{case.id}.ours.json").exists()]
    versions = "\n".join(f"- {name}: {listed(env, SHOWN[name])}" for name, env in sorted(envs.items(), reverse=True))
    rows = "\n".join(row(each) for each in found)
    notes = "\n".join(f"- **{each.case.id}**: {each.case.note}" for each in found if each.case.note)
    sources = "\n".join(map(source, found))
    path.write_text(
        f"{INTRODUCTION}\n{versions}\n\n## The runs\n\n{summary(found)}\n\n{HEADER}\n{rows}\n\n"
        f"## Notes\n\n{notes}\n\n## The feedstocks\n\n{sources}\n"
    )


def source(of: Result) -> str:
    """Say where a feedstock comes from."""
    link = f"[{of.case.repository}](https://github.com/{of.case.repository})"
    return f"- `{of.case.id}`: {link} at `{of.case.commit[:12]}`, `{of.case.subdir}`, recipe `{of.case.recipe}`"


def result(case: Case, folder: Path) -> Result:
    """Read what a case left behind."""
    said = [json.loads((folder / "results" / f"{case.id}.{side}.json").read_text()) for side in ("upstream", "ours")]
    dumps = [None if each["unreadable"] else Dump.load(Path(each["dump"])) for each in said]
    both = compare(dumps[0], dumps[1]) if dumps[0] and dumps[1] else None
    return Result(case, said[0], said[1], both)


def summary(found: list[Result]) -> str:
    """Count."""
    both = [each.comparison for each in found if each.comparison]
    equal = sum(not (each.shapes or each.values or each.types) for each in both)
    stored = [
        sum(not each.upstream["unreadable"] for each in found),
        sum(not each.ours["unreadable"] for each in found),
    ]
    repositories = len({each.case.repository for each in found})
    return (
        f"{len(found)} recipes of {repositories} repositories. Upstream left a readable store of {stored[0]}, "
        f"Bakehouse of {stored[1]}; of the {len(both)} that both have, {equal} have the same variables, sizes, types "
        "and values."
    )


def row(of: Result) -> str:
    """Write one line of the table."""
    cells = (of.case.id, of.case.kind, of.case.inputs, outcome(of.upstream), outcome(of.ours), compared(of.comparison))
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def outcome(said: dict[str, Any]) -> str:
    """Say what a side produced."""
    if not said["error"]:
        return "stored" if not said["unreadable"] else "stored, unreadable"
    reason = (
        said["error"]
        .strip()
        .splitlines()[-1]
        .split(" [while running")[0]
        .replace(str(Path(said["dump"]).parent), "…")
        .partition(" (/")[0]
    )
    return f"{'stored, then failed' if not said['unreadable'] else 'failed'}: {reason[:160]}"


def compared(found: Comparison | None) -> str:
    """Say what is equal and what is not."""
    if found is None:
        return "–"
    names = ("shapes", "types", "values", "packing", "attributes")
    wrong = [f"{name}: {'; '.join(getattr(found, name)[:4])}" for name in names if getattr(found, name)]
    chunks = f"; chunks: {'; '.join(found.chunks[:4])}" if found.chunks else ""
    return (", ".join(wrong) or f"all equal ({found.variables} variables)") + chunks


def listed(env: Environment, names: tuple[str, ...]) -> str:
    """List the versions of some packages."""
    versions = env.versions()
    return ", ".join(f"{name} {versions[name]}" for name in names if name in versions)
