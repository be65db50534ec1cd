"""From a command's options to runs of the engine: Beam and xarray are imported once the first recipe runs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bakehouse.cli.bakeries import Place
from bakehouse.cli.collecting import begin
from bakehouse.cli.interrupts import noticing
from bakehouse.cli.options import debugging
from bakehouse.cli.progress import Watch, watching
from bakehouse.cli.reply import explained, say
from bakehouse.cli.selection import Chosen, Failed
from bakehouse.cli.text import short
from bakehouse.errors import BakehouseError

if TYPE_CHECKING:
    from bakehouse.bake.job import Job

# Ends with zarr-python 3.2, which no longer warns.
QUIET = (".*not part in the Zarr format 3 specification", ".*not in the Zarr version 3 specification")


@dataclass(frozen=True)
class Settings:
    """How recipes are run: in which bakery, how much of them, how thoroughly checked."""

    place: Place
    prune: int | None = None
    level: str | None = None
    workers: int | None = None
    mirrors: Mapping[str, str] = field(default_factory=dict)
    cache: str | None = None
    refresh: bool = False
    missing: str = "error"
    previews: bool = True
    job_name: str | None = None
    job_id: str | None = None
    verb: str = "bake"

    def job(self, chosen: Chosen, watch: Watch | None = None) -> Job:
        """Make the job of one recipe."""
        from bakehouse.bake.job import Job

        target = self.place.recipe_target(chosen.feedstock.id, chosen.recipe, self.prune)
        return Job(
            chosen.feedstock, chosen.recipe, self.place.bakery, target, prune=self.prune, level=self.level or "auto",
            workers=self.workers, url_map=self.mirrors, watch=watch, debug=debugging(),
            cache=self.place.cache(self.cache), refresh=self.refresh, missing=self.missing, previews=self.previews,
            defaults={"zarr_format": self.place.project.defaults.zarr_format},
            job_name=self.job_name, job_id=self.job_id, again=self._again(chosen), ready=begin,
        )  # fmt: skip

    def _again(self, chosen: Chosen) -> str:
        """Give the command that does this once more."""
        prune = f" --prune {self.prune}" if self.prune else ""
        return f"bakehouse {self.verb} {short(chosen.name)} --bakery {self.place.name}{prune}"


@dataclass(frozen=True)
class Done:
    """What became of one recipe: a result, or what stopped it."""

    name: str
    result: Any = None
    error: BakehouseError | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give the recipe's part of the command's document."""
        feedstock, _, recipe = self.name.partition("/")
        said = {"error": self.error.as_dict()} if self.error else _plain(self.result)
        return {**said, "feedstock": feedstock, "recipe": recipe or None, "ok": self.error is None}


def run_each(verb: str, chosen: Sequence[Chosen | Failed], run: Callable[[Chosen, Watch], Any]) -> list[Done]:
    """Run one recipe after the other; one that fails is reported at once and doesn't stop the others."""
    return [_failed(each) if isinstance(each, Failed) else _run(verb, each, run) for each in chosen]


def _failed(failed: Failed) -> Done:
    say(str(failed.error))
    return Done(failed.name, error=failed.error)


def _run(verb: str, chosen: Chosen, run: Callable[[Chosen, Watch], Any]) -> Done:
    try:
        with noticing(), watching(short(chosen.name), verb) as watch, _quiet(), redirect_stdout(sys.stderr):
            return Done(chosen.name, run(chosen, watch))
    except Exception as error:
        found = explained(error, debugging())
        say(str(found))
        return Done(chosen.name, error=found)
    finally:
        begin()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings about what is done on purpose off the screen, unless debugging."""
    with warnings.catch_warnings():
        for message in QUIET if not debugging() else ():
            warnings.filterwarnings("ignore", message=message)
        yield


def _plain(result: Any) -> dict[str, Any]:
    return dict(result) if isinstance(result, Mapping) else asdict(result)
