"""Register the entries of a run in the catalog of a branch, and push it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import entry_path
from bakehouse.catalog.lookup import PUBLISHED
from bakehouse.catalog.register import register
from bakehouse.errors import CatalogError, PublishError
from bakehouse.github.entries import AUTHORED, UNTOLD, Expected, accepted, handed_entries, same_version
from bakehouse.github.git import Git
from bakehouse.github.pushing import Pushed, push_change
from bakehouse.github.roots import root_note


def publishable(folder: Path, root: Path, expected: Expected) -> tuple[list[Entry], list[str]]:
    """Read the entries that a run handed over, and hold them against the reviewed project; say what was seen.

    Raises
    ------
    PublishError
        If one of them says what it has no right to.
    """
    entries = [accepted(each, expected, registered(root / PUBLISHED, each.id)) for each in handed_entries(folder)]
    return entries, [root_note(each) for each in entries]


def registered(catalog: Path, entry_id: str) -> Entry | None:
    """Read an entry of a catalog; None if there is none that can be read."""
    try:
        return Entry.from_json((catalog / entry_path(entry_id)).read_bytes(), lenient=True)
    except (FileNotFoundError, CatalogError):
        return None


@dataclass(frozen=True)
class Registration:
    """The change that registers entries in the catalog of whatever commit is checked out.

    `pending` says whether entries of the same feedstock that wait on the branch that is pushed to are kept.
    """

    entries: Sequence[Entry]
    pending: bool = False

    def __call__(self, git: Git, head: str | None) -> str | None:
        """Register the entries; give the commit's message, None if all are there already."""
        waiting = self._waiting(git, head) if head and self.pending else []
        changed = [each for each in (*waiting, *self.entries) if self._register(git.folder / PUBLISHED, each)]
        return message(changed) if changed else None

    def _register(self, catalog: Path, entry: Entry) -> bool:
        there = registered(catalog, entry.id)
        if there is not None and same_version(entry, there):
            return register(catalog, there.model_copy(update={name: getattr(entry, name) for name in AUTHORED}))
        if there is not None and entry.version in {each.version for each in there.previous}:
            return False
        if there is not None and _is_older(entry, there):
            cause = f"the catalog has version {there.version} of {there.published_at}, this is of {entry.published_at}"
            raise PublishError(f"a newer version of '{entry.id}' was published meanwhile", None, cause, None)
        return register(catalog, entry)

    def _waiting(self, git: Git, head: str) -> list[Entry]:
        """Read the entries of the same feedstocks that another run left on the branch."""
        ours, found = {each.id for each in self.entries}, []
        for feedstock in sorted({each.feedstock for each in self.entries}):
            listed = git("ls-tree", "--name-only", "-z", head, "--", f"{PUBLISHED}/{feedstock}/")
            for path in filter(None, listed.split("\0")):
                entry = Entry.from_json(git("cat-file", "blob", f"{head}:{path}"), path, lenient=True)
                there = registered(git.folder / PUBLISHED, entry.id)
                if entry.id not in ours and there != entry and not _is_older(entry, there):
                    found.append(entry.model_copy(update=UNTOLD))
        return found


def _is_older(entry: Entry, there: Entry | None) -> bool:
    return bool(there and there.published_at and entry.published_at and entry.published_at <= there.published_at)


def message(entries: Sequence[Entry]) -> str:
    """Write the message of the commit that registers entries."""
    lines = [f"{each.id}: version {each.version}" for each in entries]
    title = f"Publish {lines[0]}" if len(lines) == 1 else f"Publish {len(lines)} stores of {entries[0].feedstock}"
    return f"{title}\n" if len(lines) == 1 else "\n".join([title, "", *lines, ""])


def publish(url: str, branch: str, entries: Sequence[Entry]) -> Pushed:
    """Register entries on a branch of the remote."""
    return push_change(url, branch, branch, [PUBLISHED], Registration(entries))


def propose(url: str, base: str, branch: str, entries: Sequence[Entry], pending: bool) -> Pushed:
    """Register entries on a branch of their own, beside those that wait there if a pull request is open."""
    return push_change(url, base, branch, [PUBLISHED], Registration(entries, pending), replace=True)
