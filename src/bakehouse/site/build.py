"""Build a site: pages, pictures and machine-readable files, from the entries alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bakehouse.catalog.canonical import dumps
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import Problem, entry_path, index_of
from bakehouse.catalog.intake import to_intake
from bakehouse.catalog.leap import to_leap
from bakehouse.catalog.lines import opening_line
from bakehouse.site import dataset, explore, feeds, repr, updates
from bakehouse.site.bundle import Bundle
from bakehouse.site.cache import Cache
from bakehouse.site.content import Content
from bakehouse.site.facets import record
from bakehouse.site.files import Output
from bakehouse.site.images import bring
from bakehouse.site.javascript import node_for
from bakehouse.site.pages import CARDS, Pages, page_count, page_path
from bakehouse.site.policy import origin, policy
from bakehouse.site.running import Budget, Job, Outcome, run_all
from bakehouse.site.snippets import Places, Snippet, snippets

PROJECT_PAGES = ("about", "contribute", "request")
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Built:
    """What a build made: its first page, what it says in warnings, and what became of the snippets."""

    index: Path
    entries: int
    warnings: tuple[str, ...]
    states: dict[str, int] = field(default_factory=dict)
    bundled: bool = False


def build(
    content: Content, out: Path, *, cache: Path | None = None, run_s: float = 30.0, bundle: Bundle | None = None
) -> Built:
    """Write a site into a folder.

    Parameters
    ----------
    out
        The site's folder. What an earlier build wrote there and this one does not is removed; nothing else is.
    cache
        File that keeps what was run and fetched, for the next build.
    run_s
        Seconds that may be spent on running snippets and fetching pictures.
    """
    out.mkdir(parents=True, exist_ok=True)
    known = Cache(cache)
    try:
        return _Site(content, Output(out.resolve()), known, Budget(run_s), bundle or Bundle()).write()
    finally:
        known.close()


class _Site:
    def __init__(self, content: Content, out: Output, cache: Cache, budget: Budget, bundle: Bundle) -> None:
        self.content, self.out, self.cache, self.budget, self.bundle = content, out, cache, budget, bundle
        self.pages = Pages(content, bundle)
        self.places = Places(str(out.folder), content.base_url)
        self.warnings = [f"{each.path}: {each.message}" for each in content.problems]
        self.records: list[dict[str, Any]] = []
        self.broken = list(content.problems)
        self.states: dict[str, int] = {}
        self.digests: dict[str, str] = {}

    def write(self) -> Built:
        """Write everything; what the snippets open has to be there before they run."""
        self._assets()
        self._machine_readable()
        usable = self._datasets(list(self._jobs()))
        self._home()
        self._project_pages()
        self._indexes(usable)
        self.out.finish()
        index = self.out.folder / "index.html"
        return Built(index, len(usable), tuple(self.warnings), self.states, bool(self.bundle.files))

    def _assets(self) -> None:
        for path in sorted(STATIC.iterdir()):
            self.out.copy(f"assets/{path.name}", path)
        self.out.text("assets/xarray.css", repr.style_sheet())
        for name, path in self.bundle.files.items():
            self.out.copy(f"assets/{name}", path)

    def _machine_readable(self) -> None:
        """Write the catalog that the snippets open, as STAC and for Bakehouse itself, and Intake's."""
        index = index_of(self.content.entries)
        for path, made in index.files.items():
            self.out.bytes(f"catalog/{path}", made)
        for entry in index.entries:
            written = entry.to_json().encode()
            self.digests[entry.id] = hashlib.sha256(written).hexdigest()
            self.out.bytes(f"catalog/{entry_path(entry.id)}", written)
        self.out.text("intake.yaml", to_intake(index.entries))
        self.out.text("leap.json", json.dumps(to_leap(index.entries), indent=2, ensure_ascii=False))

    def _jobs(self) -> Iterator[Job]:
        for entry in self.content.entries:
            try:
                yield Job(entry, self.digests[entry.id], snippets(entry, self.places))
            except Exception as error:
                self._give_up(entry, error)

    def _datasets(self, jobs: list[Job]) -> list[Entry]:
        """Write each entry's page; one that can't be written gets a page that says so."""
        with node_for(self.bundle, self.content.entries) as node:
            outcomes = run_all(jobs, self.cache, self.budget, node)
        usable = []
        for job in jobs:
            try:
                self._dataset(job.entry, list(zip(job.snippets, outcomes[job.entry.id], strict=True)))
                usable.append(job.entry)
            except Exception as error:
                self._give_up(job.entry, error)
        for problem in self.broken:
            self._broken_page(problem)
        return usable

    def _give_up(self, entry: Entry, error: Exception) -> None:
        problem = Problem(entry_path(entry.id), "CAT01", f"its page can't be written: {error}", "correct the entry")
        self.broken.append(problem)
        self.warnings.append(f"{problem.path}: {problem.message}")

    def _dataset(self, entry: Entry, ways: list[tuple[Snippet, Outcome]]) -> None:
        pictures = bring(entry, self.out, self.cache, self.budget)
        html = next((repr.clean(outcome.html) for _, outcome in ways if outcome.html), None)
        path = f"datasets/{entry.id}/index.html"
        shown = dataset.view(entry, self.content, pictures, ways, html)
        can_explore = self.bundle.can_explore and explore.explorable(entry)
        self.out.text(path, self.pages.render("dataset.html.j2", path, **shown, can_explore=can_explore))
        if can_explore:
            self._explore(entry)
        self.records.append(record(entry, path, pictures.thumbnail))
        self._count(entry, ways)

    def _count(self, entry: Entry, ways: list[tuple[Snippet, Outcome]]) -> None:
        for snippet, outcome in ways:
            self.states[outcome.state] = self.states.get(outcome.state, 0) + 1
            if outcome.state == "failed":
                self.warnings.append(f"{entry.id}: the {snippet.label} snippet failed: {outcome.detail}")

    def _explore(self, entry: Entry) -> None:
        path = f"datasets/{entry.id}/explore/index.html"
        data = explore.explore_data(entry, "../" * path.count("/"))
        urls = [data["url"], data["preview_url"] or ""]
        reached = sorted({place for url in urls if (place := origin(url))})
        csp = policy(scripts=True, connect=reached)
        self.out.text(path, self.pages.render("explore.html.j2", path, entry=entry, explore=data, csp=csp))

    def _broken_page(self, problem: Problem) -> None:
        name = problem.path.removesuffix(".json")
        path = f"datasets/{name}/index.html"
        self.out.text(path, self.pages.render("broken.html.j2", path, name=name, problem=problem))

    def _home(self) -> None:
        total = page_count(len(self.records))
        for number in range(1, total + 1):
            cards = self.records[(number - 1) * CARDS : number * CARDS]
            path = page_path(number)
            around = {n: page_path(n) for n in sorted({1, number - 1, number, number + 1, total}) if 1 <= n <= total}
            shown = {"cards": cards, "number": number, "numbers": around, "total": total, "line": self._line()}
            self.out.text(path, self.pages.render("home.html.j2", path, **shown, count=len(self.records)))

    def _line(self) -> str | None:
        """Give the line that opens a dataset, as an example: the first that should be used."""
        live = (each for each in self.content.entries if each.status.state == "live" and len(each.id) <= 60)
        return next(map(opening_line, live), None)

    def _project_pages(self) -> None:
        for name in PROJECT_PAGES:
            path = f"{name}/index.html"
            self.out.text(path, self.pages.render(f"{name}.html.j2", path))
        lines = updates.lines(self.content)
        self.out.text("status/index.html", self.pages.render("status.html.j2", "status/index.html", lines=lines))

    def _indexes(self, usable: list[Entry]) -> None:
        search = {"schema_version": 1, "entries": self.records}
        self.out.text("search.json", json.dumps(search, ensure_ascii=False, separators=(",", ":")))
        self.out.text("index.json", dumps(feeds.index(self.content)))
        self.out.text("sitemap.xml", feeds.sitemap(self.content, self._listed(usable)))
        self.out.text("feed.xml", feeds.feed(self.content))
        self.out.text("llms.txt", feeds.llms(self.content))

    def _listed(self, usable: Iterable[Entry]) -> Iterator[tuple[str, str | None]]:
        yield "index.html", None
        yield from ((f"{name}/index.html", None) for name in (*PROJECT_PAGES, "status"))
        for entry in usable:
            day = f"{entry.published_at:%Y-%m-%d}" if entry.published_at else None
            yield f"datasets/{entry.id}/index.html", day
