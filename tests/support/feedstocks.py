"""A feedstock's inputs without the internet: the URLs its recipe asks for, its fixture behind a loopback server."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam

from bakehouse.feedstock import Feedstock, find_feedstock, load_recipes
from bakehouse.meta.load import feedstock_folders, feedstock_id
from bakehouse.patterns import pruned
from tests.support.http import Server, serve

ROOT = Path(__file__).resolve().parents[2]
KEEP = 2


@dataclass(frozen=True)
class Inputs:
    """The inputs of a pruned recipe; `url_map` leads them to the server, if there is one."""

    urls: tuple[str, ...]
    server: Server | None = None

    @property
    def url_map(self) -> dict[str, str]:
        """Give the replacements for the beginnings of the URLs."""
        return self.server.url_map(*self.urls) if self.server else {}

    def path(self, url: str) -> Path:
        """Give the file behind a URL: the generated one, or the one inside a package."""
        if self.server:
            from tests.support.generators import path_of

            return path_of(self.server.folder, url)
        package, _, inside = url.removeprefix("package://").partition("/")
        return Path(str(importlib.import_module(package).__file__)).parent / inside


def feedstock_ids() -> list[str]:
    """List this project's feedstocks."""
    return [feedstock_id(folder) for folder in feedstock_folders(ROOT)]


def get_feedstock(name: str) -> Feedstock:
    """Load one of this project's feedstocks."""
    return find_feedstock(ROOT, name)


def input_urls(feedstock: Feedstock, recipe: str, keep: int | None = KEEP) -> tuple[str, ...]:
    """List the URLs that a recipe begins with, of the first `keep` inputs of each concat dim."""
    with pruned(keep):
        chain = load_recipes(feedstock, recipe)[recipe]
    create = next(part for part in chain._parts if isinstance(part, beam.Create))
    return tuple(url for _, url in create.values)


def fixture_of(feedstock: Feedstock) -> Callable[[Path, tuple[str, ...]], Any] | None:
    """Import the generator that meta.yaml names, from the project's root."""
    if feedstock.meta.fixture is None:
        return None
    module, _, name = feedstock.meta.fixture.partition(":")
    found: Callable[[Path, tuple[str, ...]], Any] = getattr(importlib.import_module(module), name)
    return found


@contextmanager
def with_inputs(feedstock: Feedstock, recipe: str, folder: Path, keep: int = KEEP) -> Iterator[Inputs]:
    """Write a feedstock's fixture into a folder and serve it; feedstocks of packaged files need neither."""
    urls, write = input_urls(feedstock, recipe, keep), fixture_of(feedstock)
    if write is None:
        yield Inputs(urls)
        return
    write(folder, urls)
    with serve(folder) as server:
        yield Inputs(urls, server)
