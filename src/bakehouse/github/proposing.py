"""Propose entries and feedstocks in pull requests: pushed to branches of their own, from files that were checked."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bakehouse.catalog.entry import Entry, Status
from bakehouse.catalog.lookup import PUBLISHED
from bakehouse.catalog.register import register
from bakehouse.catalog.said import author_fields
from bakehouse.errors import BakehouseError, CatalogError, PublishError
from bakehouse.feedstock import Feedstock
from bakehouse.github import markdown
from bakehouse.github.client import keep_pull, open_pull, repository
from bakehouse.github.git import BOT_MAIL, Git, remote_of
from bakehouse.github.handed import handed_files, read_handed
from bakehouse.github.plain import plain
from bakehouse.github.publishing import propose
from bakehouse.github.pushing import Pushed, push_change
from bakehouse.github.requests import FILES, Request
from bakehouse.meta.load import feedstock_folders, load_feedstock, load_project
from bakehouse.meta.load import feedstock_id as id_of
from bakehouse.meta.models import FeedstockMeta
from bakehouse.meta.shared import shared_recipes

if TYPE_CHECKING:
    from github.PullRequest import PullRequest

MAX_META_BYTES = 100_000
MAX_FILES = 20
LINKED_CHECKS = ("reachable", "declared")
UNSAID = ("doi", "version", "previous", "change", "notes", "gaps", "preview", "readers", "aliases")
"""What no link says."""
STORES = ("s3://", "gs://", "https://", "http://")
_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_])?"


class TakenOverError(PublishError):
    """A proposal that somebody works on."""


@dataclass(frozen=True)
class Proposal:
    """A feedstock that may be proposed: its meta.yaml, and the entries of the stores that it links."""

    feedstock: str
    meta: str
    entries: tuple[Entry, ...]

    def __call__(self, git: Git, head: str | None) -> str:
        """Write it into a checkout; give the commit's message.

        Raises
        ------
        TakenOverError
            If somebody else has committed to the branch, whose work is not replaced.
        """
        if head and git("log", "-1", "--format=%ce", head).strip() != BOT_MAIL:
            cause, fix = "somebody has committed to its branch", "say in the pull request what should be another way"
            raise TakenOverError("the pull request is worked on, so it is not made anew", None, cause, fix)
        folder = git.folder / "feedstocks" / self.feedstock
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "meta.yaml").write_text(self.meta, encoding="utf-8")
        for entry in self.entries:
            register(git.folder / PUBLISHED, entry)
        return f"Add feedstock {self.feedstock}\n"


def propose_entries(root: Path, base: str, feedstock: str, entries: Sequence[Entry]) -> tuple[Pushed, int | None]:
    """Push entries to the branch of their feedstock, and keep its pull request; those that wait there stay."""
    repo, branch = repository(), f"bakehouse/publish-{feedstock}"
    waits = open_pull(repo, base, branch) is not None
    pushed = propose(remote_of(root), base, branch, entries, waits)
    if pushed.sha is None:
        return pushed, None
    rows = [
        [markdown.span(each.id), markdown.span(each.version or ""), markdown.text(each.store.url)] for each in entries
    ]
    body = "\n\n".join(
        ["New versions, each compared with its sources. They are published once this is merged; until then, readers "
         "get the versions before.", markdown.table(["entry", "version", "store"], rows)]
    )  # fmt: skip
    return pushed, int(keep_pull(repo, base, branch, f"Publish {feedstock}", body).number)


def proposal(request: Request, folder: Path, root: Path) -> Proposal:
    """Check the files of a request against what such a request may hold.

    Raises
    ------
    PublishError
        If there is anything else.
    """
    name = request.feedstock or ""
    if name.casefold() in {id_of(each).casefold() for each in feedstock_folders(root)}:
        raise PublishError(f"there is a feedstock '{name}' already", None, None, "choose another id")
    meta_file = f"feedstocks/{name}/meta.yaml"
    allowed = re.compile(rf"{re.escape(meta_file)}|{PUBLISHED}/{re.escape(name)}/{_NAME}\.json")
    files = handed_files(folder / FILES, allowed, MAX_FILES)
    text = _text(read_handed(folder / FILES / meta_file, MAX_META_BYTES), meta_file)
    feedstock = _feedstock(text, name, root)
    (_insist_linked if request.kind == "link" else _insist_shared)(feedstock.meta, root)
    entries = tuple(_entry(folder / FILES / each, each, feedstock) for each in files if each != meta_file)
    if bool(entries) != (request.kind == "link"):
        raise PublishError("a link comes with entries, a request without", None, f"it has {len(entries)}", None)
    return Proposal(name, text, entries)


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise PublishError("not UTF-8", where, None, None) from None


def _feedstock(text: str, name: str, root: Path) -> Feedstock:
    """Read a meta.yaml that lies nowhere yet, with the defaults of the project."""
    with tempfile.TemporaryDirectory(prefix="bakehouse-propose-") as scratch:
        (folder := Path(scratch, name)).mkdir()
        (folder / "meta.yaml").write_text(text, encoding="utf-8")
        try:
            return Feedstock(name, folder, load_feedstock(folder, load_project(root).defaults), root)
        except BakehouseError as error:
            raise PublishError("the meta.yaml can't be used", name, error.message, None) from None


def _insist_linked(meta: FeedstockMeta, root: Path) -> None:
    kinds = {each.kind for each in meta.recipes}
    if kinds - {"linked"} or meta.fixture or not meta.stores:
        raise PublishError("a link names stores and no recipe", "meta.yaml", f"it has {sorted(kinds)}", None)


def _insist_shared(meta: FeedstockMeta, root: Path) -> None:
    known = shared_recipes(root)
    strange = [each.recipe or each.kind for each in meta.recipes if each.recipe not in known]
    if strange or meta.fixture or meta.stores:
        raise PublishError("a request names shared recipes only", "meta.yaml", f"it has {strange}", None)


def _entry(path: Path, name: str, feedstock: Feedstock) -> Entry:
    try:
        entry = Entry.from_json(read_handed(path), name)
    except CatalogError as error:
        raise PublishError(f"{name} is not a valid entry", None, error.cause, None) from None
    said = author_fields(feedstock.meta, feedstock.id)
    faults = [
        *([f"it is in {name}"] if name != f"{PUBLISHED}/{entry.id}.json" else []),
        *([f"it is {entry.kind}"] if entry.kind != "linked" else []),
        *([f"its store is at {entry.store.url[:300]!r}"] if not _is_named(entry, feedstock.meta) else []),
        *(["it is not live"] if entry.status != Status() else []),
        *([f"its check is '{entry.check.level}'"] if entry.check.level not in LINKED_CHECKS else []),
        *(f"no link says its {key}" for key in UNSAID if getattr(entry, key)),
        *(f"its {key} is not that of meta.yaml" for key, value in said.items() if getattr(entry, key) != value),
    ]
    if faults:
        raise PublishError(f"the entry '{entry.id}' can't be proposed", None, "\n".join(faults), None)
    return entry


def _is_named(entry: Entry, meta: FeedstockMeta) -> bool:
    """Say whether an entry's store is one that meta.yaml names, and lies on the web or in a bucket."""
    named = {each.url.rstrip("/") for each in meta.stores if each.id == entry.recipe}
    return entry.store.url.rstrip("/") in named and entry.store.url.startswith(STORES)


def propose_feedstock(root: Path, base: str, request: Request, made: Proposal) -> PullRequest:
    """Push a feedstock to a branch of its own, and open the pull request that adds it.

    Raises
    ------
    TakenOverError
        If somebody works on it already.
    """
    branch = f"bakehouse/{request.kind}-{request.number or made.feedstock}"
    paths = [f"feedstocks/{made.feedstock}", PUBLISHED]
    push_change(remote_of(root), base, branch, paths, made, replace=True)
    verb = "Link" if request.kind == "link" else "Add"
    title = re.sub(
        r"[@#](?=\S)", lambda found: found[0] + markdown.GAP, plain(f"{verb} {made.feedstock}: {request.title}", 110)
    )
    return keep_pull(repository(), base, branch, title, _body(request, made), draft=request.kind == "request")


def _body(request: Request, made: Proposal) -> str:
    what = _linked(made) if request.kind == "link" else _requested(made)
    notes = [f"**{markdown.text(each.label)}**\n\n{markdown.code(each.text, 'text')}" for each in request.notes]
    told = ["What the form says besides:", *notes] if notes else []
    closes = [f"Closes #{request.number}"] if request.number else []
    return markdown.joined([*what, *told, *closes])


def _linked(made: Proposal) -> list[str]:
    rows = [[markdown.span(each.id), markdown.span(each.store.url, 300), each.check.level] for each in made.entries]
    licence = markdown.text(made.entries[0].license or "none that is known")
    return [
        f"Links {markdown.text(made.entries[0].title)}: it was opened without credentials, and a chunk of it was read. "
        "Nothing was copied.",
        markdown.table(["entry", "store", "check"], rows),
        f"Licence: {licence}",
        "Before you merge: is the title what people would look for, is the licence that of the data, and is the store "
        "meant to stay?",
    ]


def _requested(made: Proposal) -> list[str]:
    path = markdown.span(f"feedstocks/{made.feedstock}/meta.yaml")
    steps = f"bakehouse lint {made.feedstock}\nbakehouse plan {made.feedstock}\nbakehouse test {made.feedstock}"
    return [
        f"A draft: {path} says what the request says. Whoever takes it fills in the inputs, and marks it ready:",
        markdown.code(steps, "console"),
    ]
