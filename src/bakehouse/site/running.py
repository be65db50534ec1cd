"""Run snippets in processes that can be ended, within a time that is given; remember what was run."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import cpu_count
from typing import Any
from urllib.parse import urlsplit

from bakehouse.catalog.entry import Entry
from bakehouse.site.cache import Cache
from bakehouse.site.javascript import Node
from bakehouse.site.snippets import Snippet

ANSWER_S = 30.0
"""How long one snippet may take."""


@dataclass(frozen=True)
class Outcome:
    """What became of a snippet: ``opened``, ``unavailable``, ``failed`` or ``not run``; `detail` says why."""

    state: str
    detail: str
    day: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    html: str | None = None

    @property
    def words(self) -> str:
        """Give the sentence that a page shows."""
        if self.state == "opened":
            named = ", ".join(f"{name} {version}" for name, version in self.versions.items())
            return f"Run on {self.day} against the store: it opened, {self.detail}. {named}."
        return f"{'Run, and failed' if self.state == 'failed' else 'Not executed'}: {self.detail}."


@dataclass
class Budget:
    """The time that a build may spend on reading stores, and the places that did not answer."""

    seconds: float
    started: float = field(default_factory=time.monotonic)
    silent: dict[str, str] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Say whether the time is used up."""
        return time.monotonic() - self.started >= self.seconds


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Give Python's version and those of the packages that are installed."""
    named = ((name, _version(name)) for name in packages)
    return {"Python": platform.python_version(), **{name: version for name, version in named if version}}


@functools.cache
def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@dataclass(frozen=True)
class Job:
    """The snippets of one entry, and the digest of the entry as its file holds it."""

    entry: Entry
    digest: str
    snippets: list[Snippet]


def run_all(jobs: Iterable[Job], cache: Cache, budget: Budget, node: Node | None = None) -> dict[str, list[Outcome]]:
    """Run the snippets of each entry that were not run before; give the outcomes by the entry's id."""
    local = threading.local()
    workers: list[Worker] = []

    def one(job: Job) -> tuple[str, list[Outcome]]:
        if not hasattr(local, "worker"):
            local.worker = Worker()
            workers.append(local.worker)
        desk = Desk(job.entry, job.digest, local.worker, cache, budget, node)
        return job.entry.id, [_outcome(desk, each) for each in job.snippets]

    try:
        with ThreadPoolExecutor(min(4, cpu_count() or 1)) as pool:
            return dict(pool.map(one, jobs))
    finally:
        for worker in workers:
            worker.end()


@dataclass(frozen=True)
class Desk:
    """What the snippets of one entry are run with."""

    entry: Entry
    digest: str
    worker: Worker
    cache: Cache
    budget: Budget
    node: Node | None = None

    def versions(self, snippet: Snippet) -> dict[str, str]:
        """Give the versions of what a snippet runs on."""
        if snippet.language == "python":
            return versions_of(snippet.packages)
        return self.node.versions if self.node else {}

    def ask(self, snippet: Snippet) -> dict[str, Any]:
        """Run a snippet, and say what became of it."""
        if snippet.language == "python":
            return self.worker.ask(_asked(self.entry, snippet))
        assert self.node and snippet.run
        return self.node.run(snippet.run, self.entry, ANSWER_S)


NO_NODE = "there was no Node with zarrita where this page was built"
NO_CREDENTIALS = "it needs credentials that the build does not have"


def _outcome(desk: Desk, snippet: Snippet) -> Outcome:
    if snippet.run is None:
        return Outcome("not run", NO_CREDENTIALS)
    if snippet.language != "python" and desk.node is None:
        return Outcome("not run", NO_NODE)
    versions = desk.versions(snippet)
    key = _key(desk.digest, snippet, versions)
    if known := desk.cache.get(key):
        return Outcome(**json.loads(known))
    if reason := _not_now(desk.entry, desk.budget):
        return Outcome("unavailable", reason)
    said = desk.ask(snippet)
    if said["outcome"] == "silent":
        desk.budget.silent[place_of(desk.entry)] = said["detail"]
        return Outcome("unavailable", said["detail"])
    made = Outcome(said["outcome"], said["detail"], f"{datetime.now(UTC):%Y-%m-%d}", versions, said.get("html"))
    if made.state == "opened":
        desk.cache.put(key, json.dumps(vars(made)))
    return made


def _asked(entry: Entry, snippet: Snippet) -> dict[str, Any]:
    names = [each.name for each in entry.facts.variables] if entry.facts else []
    dropped = entry.store.open_kwargs.get("drop_variables") or []
    wanted = [name for name in names if name not in ([dropped] if isinstance(dropped, str) else dropped)]
    html = snippet.key == "bakehouse"
    return {"code": snippet.run, "packages": list(snippet.packages), "variables": wanted, "html": html}


def _not_now(entry: Entry, budget: Budget) -> str | None:
    place = place_of(entry)
    if place in budget.silent:
        return budget.silent[place]
    return "the time of this build was used up; the next one goes on" if budget.over else None


def place_of(entry: Entry) -> str:
    """Name the server or bucket that a store is read from; a local store is a place of its own."""
    said, parts = entry.store.storage, urlsplit(entry.store.url)
    return entry.store.url if said.protocol == "file" else f"{said.protocol}://{said.endpoint or ''}{parts.netloc}"


def _key(entry_digest: str, snippet: Snippet, versions: dict[str, str]) -> str:
    """Digest all that the outcome depends on."""
    said = [entry_digest, snippet.run, sorted(versions.items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


class Worker:
    """A process that answers one question at a time; one that hangs is replaced."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Give the process's answer, or say that there was none in time."""
        process = self._running()
        timer = threading.Timer(ANSWER_S, process.kill)
        timer.start()
        try:
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if line:
            return dict(json.loads(line))
        self.end()
        return {"outcome": "silent", "detail": f"no answer within {ANSWER_S:.0f} s"}

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bakehouse.site.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
