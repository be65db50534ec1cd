"""Check a pull request: lint the feedstocks that it changes, and try the one that it is about."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bakehouse.errors import UsageError
from bakehouse.github.annotations import quoted
from bakehouse.github.answers import failures_of, findings_of, recipes_of
from bakehouse.github.changes import commit, git, scope_between
from bakehouse.github.child import Ran, run
from bakehouse.github.confined import insist_no_credentials
from bakehouse.github.limited import SIZE_LIMIT_BYTES, made, write
from bakehouse.github.result import Failure, Feedstock, Result
from bakehouse.github.scope import Scope
from bakehouse.meta.load import REQUIREMENTS, meta_folder

PRUNE = 2
RESULT, SITE = "result.json", "site"
SITE_LIMIT_BYTES, FILE_LIMIT = 50 * 2**20, 2000
_LINT_S, _SITE_S, _SNIPPETS_S = 300.0, 300.0, 20


@dataclass(frozen=True)
class Bench:
    """Where a check works: the project, a folder that is thrown away, and how long a step may take."""

    root: Path
    scratch: Path
    limit_s: float

    def run(self, *words: str, limit_s: float | None = None) -> Ran:
        """Run one command on the project's unreviewed files; where it fails, the log has what it said."""
        ran = run(words, self.root, self.scratch, limit_s or self.limit_s)
        print(f"bakehouse {words[0]}: status {ran.status}, {ran.seconds:.0f} s", file=sys.stderr)
        if ran.status:
            print(quoted(ran.tail), file=sys.stderr)
        return ran

    @property
    def kept(self) -> Path:
        """Give the folder that the trial leaves."""
        return self.scratch / "kept"


def check(root: Path, base: str, head: str, out: Path, limit_s: float) -> Result:
    """Check what a branch changes; write the result and the preview of its entry.

    Raises
    ------
    UsageError
        If the job has credentials, a commit is not there or not checked out, or the folder for the result is not empty.
    """
    insist_no_credentials()
    scope, tip = scope_between(root, base, head), commit(root, head)
    if tip != commit(root, "HEAD"):
        raise UsageError(f"{head} is not checked out", str(root), None, f"git checkout {tip}")
    _make_empty(out)
    with tempfile.TemporaryDirectory(prefix="bakehouse-check-", ignore_cleanup_errors=True) as folder:
        bench = Bench(root, Path(folder), limit_s)
        checked = [_checked(bench, name, scope.bake) for name in scope.feedstocks]
        preview = _preview(bench, out / SITE) if scope.bake else False
    result = fitted(_result(tip, scope, checked, preview))
    write(out / RESULT, result)
    return result


def _make_empty(out: Path) -> None:
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise UsageError("the folder for the result is not empty", str(out), None, "name a new folder with --out")
    out.mkdir(parents=True, exist_ok=True)


def _checked(bench: Bench, name: str, bake: bool) -> Feedstock:
    linted = bench.run("lint", name, limit_s=_LINT_S)
    findings, failures = findings_of(linted), failures_of(f"lint {name}", linted)
    recipes, more = _tried(bench, name) if bake else ((), ())
    found = {"findings": findings, "findings_total": len(findings), "failures": (*failures, *more)}
    return made(Feedstock, {"feedstock": name, "recipes": recipes, "recipes_total": len(recipes), **found})


def _tried(bench: Bench, name: str) -> tuple[tuple[object, ...], tuple[Failure, ...]]:
    """Plan and try all recipes of a feedstock, with what its requirements.txt asks for."""
    before = _status(bench.root)
    asks = (meta_folder(bench.root / "feedstocks" / name) / REQUIREMENTS).is_file()
    isolated = ["--isolated"] if asks else []
    planned = bench.run("plan", name, *isolated)
    tried = bench.run("test", name, *isolated, "--prune", str(PRUNE), "--keep", str(bench.kept))
    recipes = recipes_of(planned, tried, PRUNE, lambda recipe: _shown(bench, f"{name}/{recipe}"))
    failures = [*failures_of(f"plan {name}", planned), *failures_of(f"test {name}", tried)]
    return recipes, (*failures, *_strayed(before, _status(bench.root)))


def _shown(bench: Bench, name: str) -> str | None:
    opened = bench.run("open", name, "--catalog", str(bench.kept / "catalog"), limit_s=_LINT_S)
    shown = (opened.document or {}).get("repr")
    return shown if isinstance(shown, str) else None


def _status(root: Path) -> set[str]:
    """List the files of a project that differ from its commit."""
    said = git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    return {path for path in said.decode(errors="replace").split("\0") if path}


def _strayed(before: set[str], after: set[str]) -> Iterator[Failure]:
    """Report files of the project that a trial has written, which no recipe has any business with."""
    found = sorted(each[3:] for each in after - before)
    if found:
        message = f"the recipe wrote into the project: {', '.join(found[:10])}"
        fix = "store with StoreToZarr, and keep temporary files in tempfile.mkdtemp()"
        yield made(Failure, {"error": "StrayFile", "message": message, "fix": fix})


def _preview(bench: Bench, site: Path) -> bool:
    """Make the pages of what the trial kept; say whether there are any."""
    if not (bench.kept / "catalog").is_dir():
        return False
    made_at, seconds = bench.scratch / "site", str(_SNIPPETS_S)
    words = ("catalog", "build", str(bench.kept / "catalog"), "--out", str(made_at), "--run-for", seconds)
    bench.run(*words, limit_s=_SITE_S)
    return _copied(made_at, site)


def _copied(source: Path, target: Path) -> bool:
    """Copy ordinary files, no links, and not too much of them."""
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and not path.is_symlink()]
    inside = [path for path in files if path.resolve().is_relative_to(source.resolve())][:FILE_LIMIT]
    if not inside or sum(path.stat().st_size for path in inside) > SITE_LIMIT_BYTES:
        return False
    for path in inside:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy, follow_symlinks=False)
    return True


def _result(tip: str, scope: Scope, checked: list[Feedstock], preview: bool) -> Result:
    found = {"removed": scope.removed, "labels": scope.labels, "preview": preview}
    listed = {"feedstocks": checked, "feedstocks_total": len(checked)}
    return made(Result, {"commit": tip, "verdict": _verdict(scope, checked), **listed, **found})


def _verdict(scope: Scope, checked: list[Feedstock]) -> str:
    if any(has_failed(each) for each in checked):
        return "failed"
    return "nothing" if not checked else "passed" if scope.bake else "linted"


def has_failed(feedstock: Feedstock) -> bool:
    """Say whether something has to be mended before a feedstock can be merged."""
    lints = any(each.severity == "lint" for each in feedstock.findings)
    return lints or bool(feedstock.failures) or any(r.plan_failure or r.trial_failure for r in feedstock.recipes)


def fitted(result: Result) -> Result:
    """Leave out findings, arrays and representations until the document is small enough to be read."""
    for keep in (100, 20, 5, 0):
        cut = result.model_copy(update={"feedstocks": tuple(_cut(each, keep) for each in result.feedstocks)})
        if len(cut.model_dump_json(indent=1).encode()) < SIZE_LIMIT_BYTES * 0.9:
            return cut
    return result.model_copy(update={"feedstocks": ()})


def _cut(feedstock: Feedstock, keep: int) -> Feedstock:
    recipes = []
    for recipe in feedstock.recipes:
        plan = recipe.plan and recipe.plan.model_copy(update={"arrays": recipe.plan.arrays[:keep]})
        trial = recipe.trial if keep > 5 or recipe.trial is None else recipe.trial.model_copy(update={"repr": None})
        recipes.append(recipe.model_copy(update={"plan": plan, "trial": trial}))
    return feedstock.model_copy(update={"findings": feedstock.findings[:keep], "recipes": tuple(recipes)})
