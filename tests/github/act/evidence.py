"""Play every scenario, and write what came of it: a page with tables, and a short log of each.

``python -m tests.github.act.evidence`` plays all; names play some and keep what is known of the others.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from tests.github.act.bench import HERE, ROOT, Bench, Ran
from tests.github.act.kitchen import kitchen
from tests.github.act.played import SCENARIOS
from tests.github.act.scenarios import Scenario
from tests.github.workflows import rows
from tests.support.s3 import S3, moto_s3

PAGE = ROOT / "docs/reference/github-flows.md"
LOGS = ROOT / "docs/reference/flows"
OUTCOMES = HERE / "outcomes.json"
LINES, WIDTH = 14, 200
WORDS = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"https?://127\.0\.0\.1:\d+"), "http://loopback"),
    (re.compile(r"/(?:tmp|home|root|opt|work|usr)/[^\s'\",)]*"), "…"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "<commit>"),
    (re.compile(r"\btest-[0-9a-f]{12}\b"), "bucket"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s|min)\b"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?"), "<date>"),
)


def main(names: list[str]) -> int:
    """Play, and write the page; give 1 if a scenario did not come out as it has to."""
    failed = []
    with moto_s3() as s3:
        for each in SCENARIOS:
            if not names or each.name in names:
                try:
                    outcome = _play(each, s3)
                except Exception:
                    traceback.print_exc()
                    failed.append(each.name)
                    continue
                print(f"{each.name}: {outcome}", flush=True)
                write(_known() | {each.name: outcome})
    write(_known())
    print("\n".join(f"failed: {name}" for name in failed))
    return 1 if failed else 0


def _known() -> dict[str, str]:
    return json.loads(OUTCOMES.read_text(encoding="utf-8")) if OUTCOMES.is_file() else {}


def write(known: dict[str, str]) -> None:
    """Write what came of the scenarios: for the next call, and for people."""
    wanted = {each.name: known[each.name] for each in SCENARIOS if each.name in known}
    OUTCOMES.write_text(json.dumps(wanted, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(wanted), encoding="utf-8")


def _play(each: Scenario, s3: S3) -> str:
    with (
        tempfile.TemporaryDirectory() as folder,
        kitchen(Path(folder, "b"), s3 if each.cloud else None, each.engine) as made,
    ):
        outcome = plain(each.play(made))
        _write_log(each, made)
    return outcome


def page(outcomes: dict[str, str]) -> str:
    """Write the page of the flows, from its text and what came of the scenarios."""
    text = (HERE / "page.txt").read_text(encoding="utf-8")
    jobs = [("workflow", "job", "token", "environment", "secrets", "recipe code"), *rows()]
    flows = [("flow", "what was run", "what came out", "log"), *_played(outcomes, attack=False)]
    attacks = [("where", "what was tried", "what came of it", "log"), *_played(outcomes, attack=True)]
    for name, table in {"JOBS": jobs, "FLOWS": flows, "ATTACKS": attacks}.items():
        text = text.replace(f"@{name}@", _table(table))
    return text


def _played(outcomes: dict[str, str], attack: bool) -> Iterator[tuple[str, ...]]:
    for each in SCENARIOS:
        if each.attack is attack and each.name in outcomes:
            yield each.flow, each.tells, outcomes[each.name], f"[log](flows/{each.name}.txt)"


def _table(table: list[tuple[str, ...]]) -> str:
    head, *body = table
    rule = "|" + "---|" * len(head)
    return "\n".join([_row(head), rule, *map(_row, body)])


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") or "–" for cell in cells) + " |"


def _write_log(each: Scenario, made: Bench) -> None:
    LOGS.mkdir(exist_ok=True)
    text = "\n".join(line for name, ran in made.ran for line in _log(name, ran))
    (LOGS / f"{each.name}.txt").write_text(f"# {each.tells}\n{text}\n", encoding="utf-8")


def _log(name: str, ran: Ran) -> Iterator[str]:
    """Give each job's last lines, without what differs from run to run, and its result."""
    yield f"{name}.yml"
    for job, result in ran.jobs.items():
        printed = [plain(line)[:WIDTH].rstrip() for line in ran.printed(job).splitlines() if line.strip()]
        left = [f"… {len(printed) - LINES} lines"] if len(printed) > LINES else []
        yield from (f"  {job} | {line}" for line in (*left, *printed[-LINES:]))
        yield f"  {job}: {result}"


def plain(text: str) -> str:
    """Take out what belongs to one machine or one run.

    Examples
    --------
    >>> plain("/tmp/b/tmp/run/x.json took 1.5 s at http://127.0.0.1:8000")
    '… took <time> at http://loopback'
    """
    for pattern, word in WORDS:
        text = pattern.sub(word, text)
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
