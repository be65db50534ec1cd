"""The comment under a pull request: the verdict, what to mend, what the dataset looks like, and what comes next."""

from __future__ import annotations

from bakehouse.errors import BakehouseError
from bakehouse.github import markdown
from bakehouse.github.beside import place
from bakehouse.github.outlook import outlook
from bakehouse.github.result import Failure, Feedstock, Finding, Recipe, Result
from bakehouse.github.words import Places, count, failure, finding

SHOWN = 30
"""How many findings of one kind are listed; the rest is counted."""
_WELCOME = "Welcome, and thank you for your first contribution here!"


def render(result: Result, places: Places, labels: tuple[str, ...], succeeded: bool = True, first: bool = False) -> str:
    """Write the comment on a check.

    Parameters
    ----------
    labels
        What GitHub's own list of files says that the pull request touches.
    succeeded
        Whether the check's job ended well: what the document says does not stand against it.
    first
        Whether the author is new here.
    """
    verdict = _verdict(result, labels, succeeded)
    parts = [_title(result, verdict), _lead(result, verdict, labels, first)]
    for feedstock in result.feedstocks:
        parts += _feedstock(feedstock, places, alone=len(result.feedstocks) == 1)
    unlisted = result.feedstocks_total - len(result.feedstocks)
    parts += [f"{count(unlisted, 'more feedstock')} changed: see the log."] if unlisted > 0 else []
    end = markdown.joined([_next(result, verdict, places), _foot(result, places)])
    return markdown.joined([markdown.joined(parts, markdown.LONGEST - len(end) - 2), end])


def _verdict(result: Result, labels: tuple[str, ...], succeeded: bool) -> str:
    """Believe no better of a check than what GitHub says of its job and of the files that changed."""
    if not succeeded and result.verdict != "failed":
        return "broken"
    return "linted" if labels and result.verdict == "passed" else result.verdict


def unusable(error: BakehouseError, commit: str, places: Places) -> str:
    """Write the comment on a check whose document can't be used."""
    lead = (
        "The check of this pull request gave no result that can be used, so nothing can be said about the dataset yet."
    )
    why = markdown.code("\n".join(filter(None, (error.message, error.cause))), "text", 1500)
    todo = (
        "Look at " + _log(places) + ": what stopped it is near its end. A push, or a maintainer's click, runs it again."
    )
    foot = f"<sub>Checked commit {markdown.span(commit[:12])}.</sub>"
    return markdown.joined(["## ⚠️ No result", lead, why, todo, foot])


def _title(result: Result, verdict: str) -> str:
    names = [each.feedstock for each in result.feedstocks] or list(result.removed)
    shown = ", ".join(markdown.span(name, 60) for name in names[:3]) + (" and others" if len(names) > 3 else "")
    lints = sum(_lints(each) for each in result.feedstocks)
    said = {
        "passed": "✅ {} works",
        "linted": "🔎 {} has no lints, and was not baked",
        "nothing": "➖ No feedstock to check",
        "failed": f"❌ {{}} needs {'a change' if lints == 1 else 'some changes'}",
        "broken": "⚠️ The check of {} did not end well",
    }[verdict]
    return "## " + said.format(shown or "this pull request")


def _lead(result: Result, verdict: str, labels: tuple[str, ...], first: bool) -> str:
    what = {
        "passed": "It has no lints, and a trial bake of its first inputs was compared with its sources value by value.",
        "linted": "",
        "nothing": "This pull request changes no feedstock that would have to be tried.",
        "failed": "Below is what was found, each with its fix. Push again when you have changed something: "
        "this comment is kept up to date.",
        "broken": "What is below is incomplete, or contradicts the outcome of the job; its log says more.",
    }[verdict]
    why = ", ".join(f"*{label}*" for label in labels)
    bare = f"It is not baked unasked, because this pull request is more than one feedstock: {why}." if why else ""
    return " ".join(filter(None, (_WELCOME if first else "", what, bare)))


def _feedstock(found: Feedstock, places: Places, alone: bool) -> list[str]:
    head = [] if alone else [f"### Feedstock {markdown.span(found.feedstock, 60)}"]
    stopped = [failure("The check", each, _place(each, places)) for each in found.failures]
    recipes = [part for each in found.recipes for part in _recipe(each, places, len(found.recipes) == 1)]
    unlisted = found.recipes_total - len(found.recipes)
    more = [f"{count(unlisted, 'more recipe')}: see the log."] if unlisted > 0 else []
    return [*head, *_listed(found, places), *stopped, *recipes, *more]


def _listed(found: Feedstock, places: Places) -> list[str]:
    lints = [each for each in found.findings if each.severity == "lint"]
    hints = [each for each in found.findings if each.severity == "hint"]
    unlisted = max(found.findings_total - len(found.findings), 0)
    parts = [f"### To fix: {count(len(lints), 'lint')}", _shown(lints, places, unlisted)] if lints else []
    summary = f"{count(len(hints), 'hint')}: could be better, need not be"
    return [*parts, *([markdown.details(summary, _shown(hints, places))] if hints else [])]


def _shown(findings: list[Finding], places: Places, unlisted: int = 0) -> str:
    rest = len(findings[SHOWN:]) + unlisted
    items = [finding(each, places) for each in findings[:SHOWN]]
    return "\n".join([*items, *([f"- … and {rest:,} more"] if rest else [])])


def _recipe(found: Recipe, places: Places, alone: bool) -> list[str]:
    named = "" if alone else f" {markdown.span(found.recipe, 60)}"
    stopped = {}
    for step, error in (("The plan", found.plan_failure), ("The trial", found.trial_failure)):
        if error and (error.message, error.where) not in stopped:
            stopped[error.message, error.where] = failure(step, error, _place(error, places))
    parts = (
        [f"### What stopped recipe{named}" if named else "### What stopped it", *stopped.values()] if stopped else []
    )
    seen = outlook(found)
    return [*parts, *([f"### What{named or ' the dataset'} will look like", *seen] if seen else [])]


def _place(error: Failure, places: Places) -> str | None:
    found = place(error)
    return places.file(*found) if found else None


def _next(result: Result, verdict: str, places: Places) -> str:
    names = [each.feedstock for each in result.feedstocks]
    name = names[0] if names else "ID"
    local = f"`bakehouse test {name}` does the same on your machine"
    code = f"`bakehouse explain {_first_code(result)}` says why a rule is there" if _first_code(result) else ""
    page = f"Its page, with pictures, is in the artifacts of {_run(places)}: unpack it, and open `index.html`."
    steps = {
        "passed": [
            f"{page} It was made from the first inputs only." if result.preview and places.run else "",
            "A maintainer reads the change. They may try it on all of its inputs first, by commenting "
            f"`/run {result.commit}`.",
            "After the merge it is baked, checked, and entered into the catalog; what came of it is said here.",
            f"Should you change more: {local}.",
        ],
        "failed": [f"{local}; {code}." if code else f"{local}.", "You need not start anew: push to the same branch."],
        "linted": ["A maintainer reads the change, and decides what is run.", f"{local}."],
        "nothing": ["A maintainer reads the change."] if not result.removed else _removal(),
        "broken": [f"{local}.", f"{_log(places).capitalize()} says what happened."],
    }[verdict]
    return "\n".join(["### What happens next\n", *(f"- {step}" for step in steps if step)])


def _removal() -> list[str]:
    return ["A maintainer reads the change. Stores and entries that are published stay until they are taken away."]


def _first_code(result: Result) -> str:
    codes = [f.code for each in result.feedstocks for f in each.findings if f.severity == "lint"]
    return next((code for code in codes if code.isalnum() and len(code) < 10), "")


def _lints(found: Feedstock) -> int:
    return sum(each.severity == "lint" for each in found.findings) + sum(
        bool(each.plan_failure or each.trial_failure) for each in found.recipes
    )


def _run(places: Places) -> str:
    return markdown.link("this run", f"{places.run}#artifacts") if places.run else "the run"


def _log(places: Places) -> str:
    return markdown.link("the log", places.run) if places.run else "the log"


def _foot(result: Result, places: Places) -> str:
    return f"<sub>Checked commit {markdown.span(result.commit[:12])}; {_log(places)}.</sub>"
