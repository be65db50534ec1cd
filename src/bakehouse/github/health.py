"""What a nightly look at every store found: marks in the catalog, and an issue for each dataset that is broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from bakehouse.catalog.canonical import Utc
from bakehouse.catalog.entry import Entry, Status
from bakehouse.catalog.index import read_entries
from bakehouse.catalog.lookup import PUBLISHED
from bakehouse.catalog.register import mark
from bakehouse.errors import PublishError
from bakehouse.github import markdown
from bakehouse.github.client import close_issues, keep_issue, keep_pull, marked, open_pull, repository
from bakehouse.github.forms import LOGIN
from bakehouse.github.git import Git, remote_of
from bakehouse.github.handed import read_document
from bakehouse.github.plain import plain
from bakehouse.github.pushing import Pushed, push_change

if TYPE_CHECKING:
    from github.Repository import Repository

LABEL = "broken-dataset"
ENTRY = "entry:"
"""Begins the names of the issues of entries."""
WELL, PASSED_OVER = "as it was", "passed over"
MAX_BYTES = 20_000_000
BRANCH = "bakehouse/marks"
MARKS = (
    "Some stores are not what the catalog says, or are well again. Once this is merged, their pages say so. It is made "
    "anew every night."
)
MOST_CHARACTERS = 2000
Name = Annotated[str, StringConstraints(max_length=4000)]
Text = Annotated[str, BeforeValidator(lambda said: plain(said, MOST_CHARACTERS) if isinstance(said, str) else said)]
"""What a store's server may have said: cut and shown, for a long answer is no reason to leave the others out."""


class Seen(BaseModel):
    """What one store showed, as `bakehouse catalog recheck --json` says it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Name
    url: Name
    state: Literal["live", "degraded", "deprecated"]
    seen: Literal["gone", "private", "unreachable", "changed", "damaged", "as it was", "passed over"]
    reason: Text | None = None
    since: Utc | None = None
    fix: Text | None = None

    @property
    def is_broken(self) -> bool:
        """Say whether something is wrong with the store."""
        return self.seen not in (WELL, PASSED_OVER)

    def status(self, before: Status) -> Status:
        """Give an entry's status after; one that a person wrote stays."""
        if before.state != "live" and before.seen is None:
            return before
        if not self.is_broken:
            return Status(successor=before.successor)
        said = {"state": "degraded", "reason": self.reason or self.seen, "successor": before.successor}
        return Status.model_validate({**said, "seen": self.seen, "since": self.since})


def read_recheck(path: Path) -> list[Seen]:
    """Read what a look at the published catalog found.

    Raises
    ------
    PublishError
        If the file is no such document.
    """
    document = read_document(path, MAX_BYTES)
    catalogs = document.get("catalogs") if isinstance(document, dict) else None
    try:
        published = [each for each in catalogs or () if Path(str(each["folder"])).name == PUBLISHED]
        rows = [Seen.model_validate(row) for each in published for row in each["entries"]]
    except (ValidationError, KeyError, TypeError) as error:
        raise PublishError("not what 'bakehouse catalog recheck' says", path.name, str(error)[:1000], None) from None
    if catalogs is None:
        raise PublishError("not what 'bakehouse catalog recheck' says", path.name, "it has no catalogs", None)
    return rows


@dataclass(frozen=True)
class Marking:
    """The change that says in entries what their stores showed; one that was registered anew meanwhile stays."""

    seen: Sequence[Seen]

    def __call__(self, git: Git, head: str | None) -> str | None:
        """Mark the entries of a checkout; give the commit's message."""
        found = {each.id: each for each in self.seen if each.seen != PASSED_OVER}
        entries, _ = read_entries(git.folder / PUBLISHED)
        wanted = {
            each.id: (each, found[each.id].status(each.status))
            for each in entries
            if each.id in found and each.store.url == found[each.id].url and _differs(each, found[each.id])
        }
        changed = mark(git.folder / PUBLISHED, wanted) if wanted else []
        lines = [f"{name}: {wanted[name][1].state}" for name in changed]
        return "\n".join(["Mark what stores showed when they were opened again", "", *lines, ""]) if changed else None


def propose_marks(root: Path, base: str, marking: Marking) -> tuple[Pushed, int | None]:
    """Keep a pull request with the marks, where nobody pushes to a branch; one that is needed no more is closed."""
    repo = repository()
    pushed = push_change(remote_of(root), base, BRANCH, [PUBLISHED], marking, replace=True)
    waits = open_pull(repo, base, BRANCH)
    if pushed.sha is not None:
        return pushed, int(keep_pull(repo, base, BRANCH, "Mark what stores showed", MARKS).number)
    if waits is not None:
        waits.edit(state="closed")
    return pushed, None


def _differs(entry: Entry, seen: Seen) -> bool:
    """Say whether something else is seen than before; how long it has been so is kept."""
    after = seen.status(entry.status)
    return (after.state, after.seen) != (entry.status.state, entry.status.seen)


def tell(repo: Repository, seen: Iterable[Seen], catalog: Path) -> dict[str, list[str]]:
    """Keep an issue for each broken entry, and close those of entries that are well or gone; give their addresses."""
    known = {each.id: each for each in read_entries(catalog)[0]}
    rows = {each.id: each for each in seen}
    told = open_entries(repo)
    broken = [
        str(keep_issue(repo, LABEL, f"{ENTRY}{name}", f"{name} can't be read as it was registered",
                       _body(known[name], row)).html_url)
        for name, row in rows.items() if row.is_broken and name in known
    ]  # fmt: skip
    healed = [name for name in told if name not in known or (name in rows and rows[name].seen == WELL)]
    for name in healed:
        close_issues(repo, LABEL, f"{ENTRY}{name}", _healed(name in known))
    return {"broken": broken, "healed": healed}


def open_entries(repo: Repository) -> list[str]:
    """List entries with an open issue of ours."""
    found = []
    for issue in repo.get_issues(state="open", labels=[LABEL]):
        name = marked(issue.body) or ""
        if issue.user is not None and issue.user.type == "Bot" and name.startswith(ENTRY):
            found.append(name.removeprefix(ENTRY))
    return found


def _healed(is_known: bool) -> str:
    if is_known:
        return "The store is as it was registered again. This opens anew if that changes."
    return "The entry is no longer in the catalog."


def _body(entry: Entry, seen: Seen) -> str:
    people = [f"@{each.github}" for each in entry.maintainers if each.github and LOGIN.fullmatch(each.github)]
    since = f" Seen first on {seen.since:%Y-%m-%d}." if seen.since else ""
    rows = [
        ("store", markdown.span(entry.store.url, 500)),
        ("what was seen", markdown.text(seen.seen)),
        ("reason", markdown.text(seen.reason, 2000) if seen.reason else ""),
        ("what to do", markdown.text(seen.fix or _fix(entry), 1000)),
    ]
    return "\n\n".join(
        [
            f"When {markdown.text(entry.title)} was opened again, it was not what the catalog says.{since} "
            "Its page says so to readers.",
            "\n".join(f"- **{label}**: {value}" for label, value in rows if value),
            *([f"Looked after by {', '.join(people)}."] if people else []),
            "It is looked at every night; this issue closes by itself once all is well.",
        ]
    )


def _fix(entry: Entry) -> str:
    verb = "link" if entry.kind == "linked" else "bake"
    return f"bring the store back, or make the entry anew: bakehouse {verb} {entry.feedstock}"
