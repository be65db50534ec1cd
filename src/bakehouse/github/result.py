"""What the check of a pull request found: one document, made where strangers' code runs and read where it doesn't."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from bakehouse.github.limited import Amount, AtMost, Count, Limited

Short = Annotated[str, AtMost(200)]
Line = Annotated[str, AtMost(1000)]
Block = Annotated[str, AtMost(6000)]
Commit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$", strict=True)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=128, strict=True)]


class Finding(Limited):
    """What lint found at a place of a file."""

    path: Line
    line: Count = 1
    col: Count = 1
    code: Short
    severity: Literal["lint", "hint"]
    message: Line
    fix: Line


class Failure(Limited):
    """What stopped a step: the parts of an error."""

    error: Short
    message: Block
    where: Line | None = None
    cause: Block | None = None
    fix: Line | None = None


class Array(Limited):
    """One array of the store that a bake would make."""

    name: Short
    dtype: Short
    dims: Annotated[tuple[Short, ...], AtMost(32)] = ()
    shape: Annotated[tuple[Count, ...], AtMost(32)] = ()
    chunks: Annotated[tuple[Count, ...], AtMost(32)] = ()
    shards: Annotated[tuple[Count, ...], AtMost(32)] | None = None
    objects: Count
    bytes: Count
    moves: bool = False


class Plan(Limited):
    """What baking the whole dataset would do, on the bakery that the project uses by default."""

    inputs: Count
    inputs_bytes: Count | None = None
    first: Line | None = None
    last: Line | None = None
    dims: Annotated[dict[Short, Count], AtMost(32)] = {}
    arrays: Annotated[tuple[Array, ...], AtMost(60)] = ()
    arrays_total: Count = 0
    format: Short
    zarr_format: Count | None = None
    decoded_bytes: Count
    objects: Count
    tasks: Count
    memory_bytes: Count | None = None
    bakery: Short
    cost_usd: Amount | None = None
    notes: Annotated[tuple[Line, ...], AtMost(20)] = ()


class Trial(Limited):
    """What baking the first inputs made."""

    prune: Count
    objects: Count
    bytes_stored: Count
    values_compared: Count
    duration_s: Amount
    repr: Block | None = None
    notes: Annotated[tuple[Line, ...], AtMost(20)] = ()


class Recipe(Limited):
    """What became of one recipe: its plan and its trial, or what stopped them."""

    recipe: Short
    plan: Plan | None = None
    plan_failure: Failure | None = None
    trial: Trial | None = None
    trial_failure: Failure | None = None


class Feedstock(Limited):
    """What became of one feedstock; `failures` are those of steps that gave no answer at all."""

    feedstock: Id
    findings: Annotated[tuple[Finding, ...], AtMost(100)] = ()
    findings_total: Count = 0
    recipes: Annotated[tuple[Recipe, ...], AtMost(20)] = ()
    recipes_total: Count = 0
    failures: Annotated[tuple[Failure, ...], AtMost(10)] = ()


class Result(Limited):
    """The check of a pull request; whoever reads it believes only that somebody wrote it."""

    schema_version: Literal[1] = 1
    commit: Commit
    verdict: Literal["passed", "failed", "linted", "nothing"]
    feedstocks: Annotated[tuple[Feedstock, ...], AtMost(20)] = ()
    feedstocks_total: Count = 0
    removed: Annotated[tuple[Id, ...], AtMost(20)] = ()
    labels: Annotated[tuple[Short, ...], AtMost(20)] = ()
    preview: bool = False
