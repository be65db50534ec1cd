"""The report: RESULTS.md, a plot, and results.json, which holds the medians and ranges that both are made of."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.results import Record, summary
from benchmarks.verdicts import verdicts

PLOT = Path(__file__).with_name("plot.py")
RULES = Path(__file__).with_name("rules.md")
HEAD = "<!-- Written by `make bench`; do not edit. -->\n\n# Benchmarks\n"
COLUMNS = (
    "contestant", "", "runs", "wall s", "verify s", "work s", "ratio", "CPU s", "peak MB", "read MB", "written MB",
    "objects",
)  # fmt: skip


def write_report(raw: Path, folder: Path, scale: float, python: Path) -> None:
    """Take over what was measured at this scale into `folder`, and write the pages anew.

    At scale 1 what was measured before, perhaps elsewhere, stays.
    """
    kept = folder / "results.json"
    known = json.loads(kept.read_text()) if scale == 1 and kept.exists() else {}
    for path in sorted((raw / "results" / f"{scale:g}").glob("*.json")):
        record = Record.load(path)
        known[record.workload] = summary(record)
    known = dict(sorted(known.items()))
    kept.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    subprocess.run([python, PLOT, kept, folder / "results.svg"], check=True)
    (folder / "RESULTS.md").write_text(page(known))
    print(f"wrote {folder / 'RESULTS.md'}", flush=True)


def page(known: dict[str, Any]) -> str:
    """Write the page."""
    rules = RULES.read_text().split("\n", 1)[1]
    sections = [HEAD + rules, "![Times of all contestants, in seconds](results.svg)\n", *targets(known)]
    sections += [section(each) for each in known.values()]
    return "\n".join([*sections, *versions(known)])


def targets(known: dict[str, Any]) -> Iterator[str]:
    """Give the table of targets."""
    yield "## Targets\n\n| workload | what | target | found | |\n|---|---|---|---|---|"
    for each in known.values():
        for verdict in verdicts(each):
            link = f"[{each['workload']}](#{each['workload']})"
            yield f"| {link} | {verdict.what} | {verdict.target} | {verdict.found} | {verdict.mark} |"
    yield ""


def section(said: dict[str, Any]) -> str:
    """Write one workload's section."""
    inputs, machine = said["inputs"], said["machine"]
    stored, decoded = inputs["stored_bytes"] / 1e9, inputs["decoded_bytes"] / 1e9
    size = f"{inputs['files']:,} files, {stored:.2f} GB, {decoded:.2f} GB decoded"
    where = f"{said['date']}, {machine['cpus']} × {machine['processor']}, {machine['system']}"
    bound = f" Memory bound: {said['bound_bytes'] / 2**30:g} GiB." if said.get("bound_bytes") else ""
    small = "" if said["scale"] == 1 else f" **Scale {said['scale']:g}: not a measurement.**"
    ours = next((each for each in said["contestants"] if each["kind"] == "ours" and each["runs"]), None)
    rows = [row(each, ours) for each in said["contestants"]]
    return "\n".join(
        [
            f"## {said['workload']}\n",
            f"**{said['title']}.** {said['note']}{bound}{small}\n",
            f"{size}. {where}.\n",
            f"| {' | '.join(COLUMNS)} |",
            "|---" * len(COLUMNS) + "|",
            *rows,
            *stages(said),
            "",
        ]
    )


def row(each: dict[str, Any], ours: dict[str, Any] | None) -> str:
    """Write one contestant's row."""
    start = f"| {each['name']} | {each['kind']} | {each['runs']} |"
    if not each["runs"]:
        return f"{start} {cell(each['error'])} |" + " |" * 8
    ratio = f"{each['work_s'][0] / ours['work_s'][0]:.2f} ×" if ours else ""
    megabytes = [spread(each[key], 1e6, 0) for key in ("peak_bytes", "read_bytes", "written_bytes")]
    verify = spread(each["verify_s"]) if each["kind"] == "ours" else ""
    cells = [spread(each["wall_s"]), verify, spread(each["work_s"]), ratio, spread(each["cpu_s"]), *megabytes]
    note = f" ({cell(each['error'])})" if each["error"] else ""
    return f"{start} {' | '.join(cells)} | {each['objects'][0]:,.0f}{note} |"


def stages(said: dict[str, Any]) -> Iterator[str]:
    """List how long the phases of those took that say so."""
    for each in said["contestants"]:
        if each["runs"] and each["phases_s"]:
            phases = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in each["phases_s"].items())
            yield f"\n{each['name']}: {phases}."


def spread(values: list[float], unit: float = 1, digits: int = 2) -> str:
    """Write a median with its range."""
    middle, least, most = (f"{value / unit:,.{digits}f}" for value in values)
    return middle if least == most else f"{middle} ({least}–{most})"


def cell(text: str | None) -> str:
    """Make text fit into a table."""
    return (text or "").replace("|", "/").replace("\n", " ")


def versions(known: dict[str, Any]) -> Iterator[str]:
    """List the versions of what took part, for each environment and date that differs."""
    yield "## Versions\n"
    seen: dict[str, list[str]] = {}
    for each in known.values():
        for name, packages in each["environments"].items():
            listed = ", ".join(f"{package} {version}" for package, version in packages.items())
            seen.setdefault(f"**{name}**: {listed}", []).append(each["workload"])
    for text, users in seen.items():
        name = text.split(":")[0].strip("*")
        yield f"<details><summary>{name}, for {', '.join(users)}</summary>\n\n{text}\n\n</details>\n"
