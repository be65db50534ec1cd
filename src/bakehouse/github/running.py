"""Run a feedstock's recipes in a process of their own, and write down what came of it."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import entry_path
from bakehouse.catalog.lines import xarray_line
from bakehouse.errors import CatalogError, RecipeError
from bakehouse.github.child import run
from bakehouse.github.confined import insist_no_credentials, recipe_environment
from bakehouse.github.following import LOG_CHARACTERS, LOG_LINES, Ended, follow, harmless, say
from bakehouse.github.masking import Mask
from bakehouse.github.runs import ENTRIES, RESULT, Failure, Mode, RecipeResult, RunResult

_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s<>\"')]+")
_COMMANDS: dict[str, list[str]] = {"bake": ["bake"], "refresh": ["bake", "--refresh"], "update": ["update"]}
_FREE = {"feedstock", "recipe", "ok", "status", "version", "url", "line", "objects", "duration_s", "added"}
CANCELLED = 130
LIMIT_S = 6 * 3600.0


@dataclass(frozen=True)
class Asked:
    """What to run: a feedstock or one of its recipes, in a bakery of a project whose entries lie in `catalog`.

    Parameters
    ----------
    options
        Of the project's bakeries; those called like secrets are shown nowhere.
    credential_free
        Whether nobody has merged the recipe: it gets no credentials, and no job that has some runs it.
    limit_s
        How long it may take.
    isolated
        Whether it needs what a requirements.txt asks for.
    """

    root: Path
    catalog: Path
    feedstock: str
    bakery: str
    mode: Mode = "bake"
    recipe: str | None = None
    prune: int | None = None
    credential_free: bool = False
    limit_s: float | None = None
    isolated: bool = False
    options: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def words(self) -> list[str]:
        """Give the command, as a person runs it."""
        name = f"{self.feedstock}/{self.recipe}" if self.recipe else self.feedstock
        prune = ["--prune", str(self.prune)] if self.prune else []
        isolated = ["--isolated"] if self.isolated and self.mode != "update" else []
        return [*_COMMANDS[self.mode], name, *prune, *isolated, "--bakery", self.bakery]


def run_recipes(asked: Asked, out: Path) -> RunResult:
    """Run recipes and wait for what becomes of them; write the result and the entries into a folder.

    Raises
    ------
    UsageError
        If nobody has merged the recipes, and the job has credentials.
    """
    if asked.credential_free:
        insist_no_credentials()
    mask, started = Mask.of(os.environ, *asked.options), datetime.now(UTC)
    words = [*asked.words, "--project", str(asked.root)]
    if asked.credential_free:
        ended = _unreviewed(words, asked, mask)
    else:
        ended = follow(words, asked.root, recipe_environment(), mask, asked.limit_s)
    result = _result(asked, ended, mask, out, started)
    out.mkdir(parents=True, exist_ok=True)
    (out / RESULT).write_text(result.to_json(), encoding="utf-8")
    return result


def _unreviewed(words: list[str], asked: Asked, mask: Mask) -> Ended:
    with tempfile.TemporaryDirectory(prefix="bakehouse-run-") as scratch:
        ran = run(words, asked.root, Path(scratch), asked.limit_s or LIMIT_S)
    log = mask("\n".join(ran.tail.splitlines()[-LOG_LINES:]))[-LOG_CHARACTERS:]
    for line in log.splitlines():
        say(harmless(line))
    stopped = ran.fault if ran.state != "ended" else None
    return Ended(ran.status, ran.document, log, stopped)


def _result(asked: Asked, ended: Ended, mask: Mask, out: Path, started: datetime) -> RunResult:
    document, finished = ended.document or {}, datetime.now(UTC)
    recipes = tuple(_recipe(asked, mask, out, each) for each in document.get("recipes", ()))
    failure = _failure(ended, document, mask)
    ok = failure is None and not ended.status and bool(recipes) and all(each.ok for each in recipes)
    return RunResult(
        feedstock=asked.feedstock, recipe=asked.recipe, mode=asked.mode, bakery=asked.bakery, prune=asked.prune,
        credential_free=asked.credential_free, ok=ok, exit_status=_status(ended, ok),
        command=shlex.join(["bakehouse", *asked.words]), started_at=started, finished_at=finished,
        duration_s=(finished - started).total_seconds(), recipes=recipes, failure=failure, log=ended.log,
    )  # fmt: skip


def _status(ended: Ended, ok: bool) -> int:
    """Give the exit status of the command; one that ended otherwise never counts as well."""
    if ended.stopped:
        return CANCELLED
    return 0 if ok else ended.status if ended.status > 0 else 1


def _failure(ended: Ended, document: Mapping[str, Any], mask: Mask) -> Failure | None:
    if ended.stopped:
        return Failure(error="Stopped", message=f"the run was stopped: {ended.stopped}", fix="run it again: it goes on")
    if isinstance(error := document.get("error"), dict):
        return failure_of(error, mask)
    if ended.status < 0:
        fix = "if memory was short, run it with fewer workers or on a bigger machine; running it again completes it"
        return Failure(error="Killed", message=f"the process was killed by signal {-ended.status}", fix=fix)
    if not document.get("recipes"):
        said = "nothing was run" if document else "the command gave no answer"
        return Failure(error="NoResult", message=f"{said} (exit status {ended.status})", fix="see the log")
    return None


def failure_of(error: Mapping[str, Any], mask: Mask) -> Failure:
    """Give an error of the command line's document, without secrets, and the input that it names."""
    said = {key: mask(str(error[key]))[:4000] for key in ("message", "where", "cause", "fix") if error.get(key)}
    named = _URL.search(said.get("where", "")) or _URL.search(said.get("message", ""))
    kind = str(error.get("error") or "Error")[:200]
    return Failure(error=kind, input=named.group() if named else None, **{"message": kind, **said})


def _recipe(asked: Asked, mask: Mask, out: Path, said: Mapping[str, Any]) -> RecipeResult:
    found: dict[str, Any] = {
        key: mask(value) if isinstance(value, str) else value for key, value in said.items() if key in _FREE
    }
    if isinstance(error := said.get("error"), dict):
        return RecipeResult(**found, failure=failure_of(error, mask))
    found |= {"size_bytes": said.get("bytes_stored"), "cost_usd": said.get("cost_usd")}
    if not said.get("entry"):
        return RecipeResult(**found)
    try:
        entry = Entry.from_json((asked.catalog / entry_path(f"{said['feedstock']}/{said['recipe']}")).read_bytes())
        return RecipeResult(**{**found, **handed_over(entry, mask, out)})
    except (CatalogError, RecipeError) as error:
        return RecipeResult(**{**found, "ok": False}, failure=failure_of(error.as_dict(), mask))


def handed_over(entry: Entry, mask: Mask, out: Path) -> dict[str, Any]:
    """Write an entry where the next job looks for it; give what the result says of it.

    Raises
    ------
    RecipeError
        If it holds a secret.
    """
    text, name = entry.to_json(), f"{ENTRIES}/{entry_path(entry.id)}"
    if mask(text) != text:
        cause = "what a recipe writes into attributes or notes is in the entry"
        raise RecipeError("the entry holds a secret of this job", entry.id, cause, "keep it out of the recipe's output")
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    run = entry.provenance.run
    cost = {"cost_usd": run.cost_usd} if run and run.cost_usd is not None else {}
    return {"entry": name, "plain_line": xarray_line(entry), **cost}
