"""What people read of a run: on its page, under a pull request, in an issue."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from bakehouse.catalog.words import human_bytes, plural
from bakehouse.github import markdown
from bakehouse.github.runs import Failure, RecipeResult, RunResult
from bakehouse.github.snippets import snippet
from bakehouse.meta.project import Project

SHOWN = 20
WORKFLOW = "run-recipe.yml"


@dataclass(frozen=True)
class Around:
    """Where a run stands: the address of its page, the commit and the pull request that it is about.

    `is_published` says whether its entries are in the catalog, `proposed` is the pull request in which they wait,
    `is_merged` says whether the recipe was reviewed.
    """

    run_url: str | None = None
    sha: str | None = None
    is_published: bool = False
    proposed: int | None = None
    is_merged: bool = True


def run_report(result: RunResult, project: Project, around: Around = Around()) -> str:
    """Say what came of a run: how the dataset is opened, or what stopped it and what to do."""
    good = [each for each in result.recipes if each.ok]
    parts = [f"### {_title(result, around)}", _verdict(result, around)]
    if good:
        parts += [*_opening(good, around), _table(good, project, around, result.credential_free)]
    parts += [part for name, failure in result.failures[:SHOWN] for part in failure_parts(name, failure)]
    if not result.ok:
        parts += [again(result, around)]
    parts += [_log(result)] if not result.ok else []
    parts += [markdown.link("The run", around.run_url)] if around.run_url else []
    return markdown.joined(parts)


def _title(result: RunResult, around: Around) -> str:
    name = markdown.span(_name(result))
    if not result.ok:
        return f"{name} could not be {'updated' if result.mode == 'update' else 'baked'}"
    if around.is_published:
        return f"{name} is published"
    return f"{name} can be baked" if result.credential_free else f"{name} was baked"


def _name(result: RunResult) -> str:
    same = result.recipe in (None, result.feedstock)
    return result.feedstock if same else f"{result.feedstock}/{result.recipe}"


def _verdict(result: RunResult, around: Around) -> str:
    if not result.ok:
        return f"{_failed(result)} What was published before stays as it was."
    part = f" on the first {plural(result.prune, 'input')} of each dimension" if result.prune else ""
    if result.credential_free:
        at = f" at commit {markdown.span(around.sha[:12])}" if around.sha else ""
        return (
            f"The recipe{at} ran to its end{part}, without credentials, and what it wrote equals its sources. Nothing "
            "was published: that happens once the pull request is merged."
        )
    if result.prune:
        return f"The recipes ran to their end{part}, and what they wrote equals their sources. Nothing was published."
    checked = "Every store was compared with its sources"
    if around.proposed:
        return f"{checked}. It is in the catalog once #{around.proposed} is merged."
    return f"{checked} and is in the catalog now." if around.is_published else f"{checked}."


def _failed(result: RunResult) -> str:
    bad = [each for each in result.recipes if not each.ok]
    if result.failure or len(result.recipes) < 2:
        return "It failed."
    return f"{len(bad)} of {plural(len(result.recipes), 'recipe')} failed." if bad else "It failed."


def _opening(good: list[RecipeResult], around: Around) -> list[str]:
    if not around.is_published:
        return []
    code = "\n\n\n".join(snippet(each.feedstock, each.recipe or "", each.plain_line) for each in good[:3])
    return ["Open it:", markdown.code(code, "python")]


def _table(good: list[RecipeResult], project: Project, around: Around, is_trial: bool) -> str:
    cost = any(each.cost_usd is not None for each in good)
    page = around.is_published and bool(project.catalog_url)
    head = ["recipe", "outcome", "size", "time", *(["cost"] if cost else []), *(["page"] if page else [])]
    rows = []
    for each in good[:SHOWN]:
        row = [
            markdown.span(each.recipe or each.feedstock),
            _outcome(each, is_trial),
            _size(each),
            duration(each.duration_s),
        ]
        row += [f"${each.cost_usd:,.2f}" if each.cost_usd is not None else "–"] if cost else []
        rows.append([*row, *([_page(each, project)] if page else [])])
    return markdown.table(head, rows)


def _outcome(each: RecipeResult, is_trial: bool) -> str:
    if is_trial:
        return "baked and checked"
    version = f", version {markdown.span(each.version)}" if each.version else ""
    added = f", added {markdown.text(each.added)}" if each.added else ""
    return f"{markdown.text(each.status or 'done')}{version}{added}"


def _size(each: RecipeResult) -> str:
    if each.size_bytes is None:
        return "–"
    objects = f" in {plural(each.objects, 'object')}" if each.objects else ""
    return f"{human_bytes(each.size_bytes)}{objects}"


def _page(each: RecipeResult, project: Project) -> str:
    path = f"datasets/{each.feedstock}/{each.recipe}/index.html"
    return markdown.link("page", urljoin(project.catalog_url or "", path))


def duration(seconds: float | None) -> str:
    """Write a duration as people say it.

    Examples
    --------
    >>> duration(4.23), duration(62), duration(7325), duration(None)
    ('4.2 s', '1 min 2 s', '2 h 2 min', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def failure_parts(name: str, failure: Failure) -> list[str]:
    """Say what stopped a recipe: message, failing input, where, why, and what to do."""
    rows = [
        ("input", failure.input and markdown.span(failure.input, 1000)),
        ("where", failure.where and markdown.text(failure.where, 1000)),
        ("cause", failure.cause and markdown.text(failure.cause, 2000)),
        ("what to do", failure.fix and markdown.text(failure.fix, 1000)),
    ]
    listed = "\n".join(f"- **{label}**: {value}" for label, value in rows if value)
    return [f"**{markdown.text(name)}**: {markdown.text(failure.message, 2000)}", listed]


def again(result: RunResult, around: Around) -> str:
    """Say how to run it again."""
    if result.credential_free and not around.is_merged:
        said = f"/run COMMIT {_name(result)}{f' prune={result.prune}' if result.prune else ''}"
        lines = ["After a change, a maintainer runs it again with this comment:", markdown.code(said)]
        return "\n\n".join([*lines, "On your own machine:", markdown.code(_local(result))])
    return "\n\n".join(
        ["Run it again on GitHub (Actions, *Run recipe*), or with", markdown.code(remote(result)),
         "or on your own machine:", markdown.code(_local(result))]
    )  # fmt: skip


def remote(result: RunResult) -> str:
    """Write the command that runs on GitHub again what failed."""
    said = {"feedstock": result.feedstock, "recipe": _again(result), "bakery": result.bakery}
    said |= {"mode": result.mode if result.mode != "bake" else None}
    said |= {"prune": str(result.prune) if result.prune else None}
    return " ".join([f"gh workflow run {WORKFLOW}", *(f"-f {name}={value}" for name, value in said.items() if value)])


def _local(result: RunResult) -> str:
    prune = f" --prune {result.prune}" if result.prune else ""
    verb = {"bake": "bake", "refresh": "bake --refresh", "update": "update"}[result.mode]
    name = f"{result.feedstock}/{recipe}" if (recipe := _again(result)) else result.feedstock
    return f"bakehouse {verb} {name}{prune}"


def _again(result: RunResult) -> str | None:
    """Name the one recipe that failed, or that was asked for; None for all."""
    bad = [each.recipe for each in result.recipes if not each.ok]
    return bad[0] if len(bad) == 1 and not result.failure else result.recipe


def _log(result: RunResult) -> str:
    if not result.log.strip():
        return ""
    return markdown.details("The last lines of its log", markdown.code(result.log[-6000:], "text", 6000))
