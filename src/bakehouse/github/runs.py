"""What a run of recipes came to, as one document that the next jobs read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StringConstraints, ValidationError

from bakehouse.catalog.canonical import Model, Utc, dumps
from bakehouse.catalog.entry import IdPart
from bakehouse.errors import PublishError
from bakehouse.github.limited import Amount, Count

RESULT = "run.json"
ENTRIES = "entries"

Words = Annotated[str, StringConstraints(max_length=4000)]
Line = Annotated[str, StringConstraints(max_length=1000)]
Log = Annotated[str, StringConstraints(max_length=20_000)]
Mode = Literal["bake", "refresh", "update"]


class Failure(Model):
    """What stopped a run; `input` is the address of the input that did."""

    error: Line
    message: Words
    where: Words | None = None
    cause: Words | None = None
    fix: Words | None = None
    input: Words | None = None


class RecipeResult(Model):
    """What became of one recipe; `entry` is the file of its entry below the result's folder."""

    feedstock: IdPart
    recipe: IdPart | None = None
    ok: bool
    status: Line | None = None
    version: Line | None = None
    entry: Line | None = None
    url: Words | None = None
    line: Words | None = None
    plain_line: Words | None = None
    size_bytes: Count | None = None
    objects: Count | None = None
    duration_s: Amount | None = None
    cost_usd: Amount | None = None
    added: Line | None = None
    failure: Failure | None = None


class RunResult(Model):
    """What a run of a feedstock's recipes came to; `failure` is what stopped all of it."""

    schema_version: Literal[1] = 1
    feedstock: IdPart
    recipe: IdPart | None = None
    mode: Mode
    bakery: IdPart
    prune: Count | None = None
    credential_free: bool = False
    ok: bool
    exit_status: int
    command: Words
    started_at: Utc
    finished_at: Utc
    duration_s: Amount
    recipes: tuple[RecipeResult, ...] = ()
    failure: Failure | None = None
    log: Log = ""

    @property
    def failures(self) -> list[tuple[str, Failure]]:
        """List what went wrong, by the recipe that it stopped; by the feedstock where it is all of them."""
        found = [(each.recipe or each.feedstock, each.failure) for each in self.recipes if each.failure]
        return [*found, *([(self.feedstock, self.failure)] if self.failure else [])]

    @property
    def cost_usd(self) -> float | None:
        """Add up what the recipes cost, as far as the bakery says so."""
        known = [each.cost_usd for each in self.recipes if each.cost_usd is not None]
        return sum(known) if known else None

    def to_json(self) -> str:
        """Write the document."""
        return dumps(self.model_dump(mode="json"))


def result_from(document: Any, where: str) -> RunResult:
    """Understand a run's document.

    Raises
    ------
    PublishError
        If it is not one; the message lists the first faults.
    """
    try:
        return RunResult.model_validate(document, strict=False)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, each['loc']))[:200]}: {each['msg']}" for each in error.errors()[:10]]
        fix = "look at the job that made it"
        raise PublishError("not the result of a run", where, "\n".join(faults), fix) from None
